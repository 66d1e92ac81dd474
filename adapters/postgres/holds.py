"""Holds in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import bindparam, select

from adapters.postgres.booked_rows import money_of
from adapters.postgres.on_session import OnSession
from adapters.postgres.statements import compiled, insertion, select_by_id, update_by_id
from adapters.postgres.tables.ledger import HOLD
from domain.ledger.holds import Hold, HoldState
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from adapters.postgres.session import Row
    from domain.shared.ids import HoldId

_ADD = insertion(HOLD)
_SAVE = update_by_id(HOLD, fixed=["reference", "source", "aside", "amount", "asset", "expires_at"])
_LOCK = select_by_id(HOLD, lock=True)
_LAPSED = compiled(
    select(HOLD.c.id)
    .where(HOLD.c.state == HoldState.PENDING.value, HOLD.c.expires_at <= bindparam("at"))
    .order_by(HOLD.c.expires_at, HOLD.c.id)
    .limit(bindparam("limit"))
)


@attrs.frozen
class PostgresHolds(OnSession):
    """The part of ``ports.ledger.Ledger`` that keeps holds."""

    async def add_hold(self, hold: Hold) -> None:
        """Store a new hold."""
        await self._session.write(_ADD, _row(hold), hold.id)

    async def save_hold(self, hold: Hold) -> None:
        """Store a hold as it is now."""
        await self._session.write(_SAVE, _row(hold), hold.id)

    async def lock_hold(self, hold_id: HoldId) -> Hold:
        """Return a hold and lock its row, or raise NotFound."""
        row = await self._session.row(_LOCK, id=hold_id)
        if row is None:
            raise NotFound("hold", hold_id)
        return Hold(
            id=row["id"],
            reference=row["reference"],
            source=row["source"],
            aside=row["aside"],
            money=money_of(row),
            expires_at=row["expires_at"],
            state=HoldState(row["state"]),
        )

    async def lapsed_holds(self, *, at: datetime, limit: int) -> Sequence[HoldId]:
        """Return pending holds whose time is over, the longest over first."""
        rows = await self._session.rows(_LAPSED, at=at, limit=limit)
        return [row["id"] for row in rows]


def _row(hold: Hold) -> Row:
    return {
        "id": hold.id,
        "reference": hold.reference,
        "source": hold.source,
        "aside": hold.aside,
        "amount": hold.money.amount,
        "asset": hold.money.asset,
        "expires_at": hold.expires_at,
        "state": hold.state,
    }
