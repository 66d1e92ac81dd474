"""Payments in Telegram Stars in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs
from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.session import Session
from adapters.postgres.statements import (
    compiled,
    insertion,
    select_by_id,
    update_by_id,
    written,
)
from adapters.postgres.tables.star_payments import STAR_PAYMENT, STAR_READING
from domain.shared.money import Money
from domain.stars.model import STARS, PaymentRole, PaymentState, Reading, StarPayment
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from adapters.postgres.session import Row
    from domain.shared.ids import IntentId
    from domain.stars.model import ChargeId

_ONLY: Final = "stars"
"""There is one list, so one row says how far it has been read."""

_C = STAR_PAYMENT.c
_ADD = insertion(STAR_PAYMENT)
_SAVE = update_by_id(
    STAR_PAYMENT, fixed=["payer", "payload", "amount", "paid_at", "role", "intent_id"]
)
_FIND = select_by_id(STAR_PAYMENT)
_LOCK = select_by_id(STAR_PAYMENT, lock=True)
_OF_INTENT = compiled(
    select(STAR_PAYMENT).where(
        _C.intent_id == bindparam("intent_id"), _C.role == PaymentRole.PAYMENT.value
    )
)
_MATURING = compiled(
    select(_C.id)
    .where(_C.state == PaymentState.HELD.value, _C.matures_at <= bindparam("at"))
    .order_by(_C.matures_at, _C.id)
    .limit(bindparam("limit"))
)
_REFUNDING = compiled(
    select(_C.id)
    .where(_C.state == PaymentState.REFUNDING.value)
    .order_by(_C.paid_at, _C.id)
    .limit(bindparam("limit"))
)
_UNLISTED = compiled(
    select(_C.id)
    .where(~_C.listed, _C.paid_at < bindparam("paid_before"))
    .order_by(_C.paid_at, _C.id)
    .limit(bindparam("limit"))
)
_reading = insert(STAR_READING)
# An update that changes nothing locks the row, and makes it where there is none.
_LOCK_READING = compiled(
    _reading.on_conflict_do_update(
        index_elements=[STAR_READING.c.id], set_={"lines": STAR_READING.c.lines}
    ).returning(STAR_READING.c.lines),
    columns=written(STAR_READING),
)
_SAVE_READING = update_by_id(STAR_READING, fixed=[])


@attrs.frozen
class PostgresStarPayments:
    """See ``ports.star_payments.StarPayments``."""

    _session: Session

    async def add(self, payment: StarPayment) -> None:
        """Claim a charge; the database refuses a second claim."""
        await self._session.write(_ADD, _row(payment), payment.id)

    async def save(self, payment: StarPayment) -> None:
        """Store a payment as it is now."""
        await self._session.write(_SAVE, _row(payment), payment.id)

    async def find(self, charge_id: ChargeId) -> StarPayment | None:
        """Return the payment of a charge, or None if nobody has claimed it."""
        row = await self._session.row(_FIND, id=charge_id)
        return _payment(row) if row else None

    async def lock(self, charge_id: ChargeId) -> StarPayment:
        """Return a payment and lock its row, or raise NotFound."""
        row = await self._session.row(_LOCK, id=charge_id)
        if row is None:
            raise NotFound("star_payment", charge_id)
        return _payment(row)

    async def of_intent(self, intent_id: IntentId) -> StarPayment | None:
        """Return the payment of an intent."""
        row = await self._session.row(_OF_INTENT, intent_id=intent_id)
        return _payment(row) if row else None

    async def maturing(self, *, at: datetime, limit: int) -> Sequence[ChargeId]:
        """Return held charges whose time has come, the longest due first."""
        return [row["id"] for row in await self._session.rows(_MATURING, at=at, limit=limit)]

    async def refunding(self, *, limit: int) -> Sequence[ChargeId]:
        """Return charges that were promised back and are not back yet, oldest payments first."""
        return [row["id"] for row in await self._session.rows(_REFUNDING, limit=limit)]

    async def unlisted(self, *, paid_before: datetime, limit: int) -> Sequence[ChargeId]:
        """Return charges that Telegram's list has not been seen to have, oldest first."""
        rows = await self._session.rows(_UNLISTED, paid_before=paid_before, limit=limit)
        return [row["id"] for row in rows]

    async def lock_reading(self) -> Reading:
        """Return how far Telegram's list has been read, its row locked."""
        [row] = await self._session.rows(_LOCK_READING, id=_ONLY, lines=0)
        return Reading(row["lines"])

    async def save_reading(self, reading: Reading) -> None:
        """Store how far Telegram's list has been read."""
        row = {"id": _ONLY, "lines": reading.lines}
        await self._session.write(_SAVE_READING, row, ("star_reading", _ONLY))


def _row(payment: StarPayment) -> Row:
    return {
        "id": payment.id,
        "payer": payment.payer,
        "payload": payment.payload,
        "amount": payment.money.amount,
        "paid_at": payment.paid_at,
        "role": payment.role,
        "intent_id": payment.intent_id,
        "matures_at": payment.matures_at,
        "state": payment.state,
        "listed": payment.listed,
        "reason": payment.reason,
    }


def _payment(row: Row) -> StarPayment:
    return StarPayment(
        id=row["id"],
        payer=row["payer"],
        payload=row["payload"],
        money=Money(int(row["amount"]), STARS),
        paid_at=row["paid_at"],
        role=PaymentRole(row["role"]),
        intent_id=row["intent_id"],
        matures_at=row["matures_at"],
        state=PaymentState(row["state"]),
        listed=row["listed"],
        reason=row["reason"],
    )
