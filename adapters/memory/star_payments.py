"""Payments in Telegram Stars, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from adapters.memory.rows import add, lock, save
from adapters.memory.turn import Turn
from domain.stars.model import PaymentRole, PaymentState, Reading
from ports.unit_of_work import AlreadyExists

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.shared.ids import IntentId
    from domain.stars.model import ChargeId, StarPayment

_KIND: Final = "star_payment"
_READING: Final = "star_reading"
_ONLY: Final = "stars"
"""There is one list, so one row says how far it has been read."""


@attrs.frozen
class InMemoryStarPayments:
    """See ``ports.star_payments.StarPayments``."""

    _turn: Turn

    async def add(self, payment: StarPayment) -> None:
        """Claim a charge; an intent has one payment."""
        rows = (await self._turn.tables()).star_payments
        pays = payment.role is PaymentRole.PAYMENT and payment.intent_id is not None
        if pays and rows.where(intent=payment.intent_id):
            self._turn.refuse(AlreadyExists(_KIND, payment.id))
        add(self._turn, _KIND, rows, payment.id, payment)

    async def save(self, payment: StarPayment) -> None:
        """Store a payment as it is now; only one that was locked in this unit of work."""
        rows = (await self._turn.tables()).star_payments
        save(self._turn, _KIND, rows, payment.id, payment)

    async def find(self, charge_id: ChargeId) -> StarPayment | None:
        """Return the payment of a charge, or None if nobody has claimed it."""
        return (await self._turn.tables()).star_payments.get(charge_id)

    async def lock(self, charge_id: ChargeId) -> StarPayment:
        """Return a payment and keep others from changing it."""
        return lock(self._turn, _KIND, (await self._turn.tables()).star_payments, charge_id)

    async def of_intent(self, intent_id: IntentId) -> StarPayment | None:
        """Return the payment of an intent."""
        found = (await self._turn.tables()).star_payments.where(intent=intent_id)
        return found[0] if found else None

    async def maturing(self, *, at: datetime, limit: int) -> Sequence[ChargeId]:
        """Return held charges whose time has come, the longest due first."""
        held = (await self._turn.tables()).star_payments.where(state=PaymentState.HELD)
        due = [it for it in held if it.matures_at <= at]
        return [it.id for it in sorted(due, key=lambda it: (it.matures_at, it.id))[:limit]]

    async def refunding(self, *, limit: int) -> Sequence[ChargeId]:
        """Return charges that were promised back and are not back yet, oldest payments first."""
        found = (await self._turn.tables()).star_payments.where(state=PaymentState.REFUNDING)
        return [it.id for it in sorted(found, key=lambda it: (it.paid_at, it.id))[:limit]]

    async def unlisted(self, *, paid_before: datetime, limit: int) -> Sequence[ChargeId]:
        """Return charges that Telegram's list has not been seen to have, oldest first."""
        rows = (await self._turn.tables()).star_payments
        found = [it for it in rows if not it.listed and it.paid_at < paid_before]
        return [it.id for it in sorted(found, key=lambda it: (it.paid_at, it.id))[:limit]]

    async def lock_reading(self) -> Reading:
        """Return how far Telegram's list has been read, and keep others from changing it."""
        readings = (await self._turn.tables()).star_readings
        self._turn.lock(_READING, _ONLY)
        return readings.get(_ONLY) or Reading()

    async def save_reading(self, reading: Reading) -> None:
        """Store how far Telegram's list has been read; only after it was locked."""
        save(self._turn, _READING, (await self._turn.tables()).star_readings, _ONLY, reading)
