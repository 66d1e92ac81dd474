"""Changes of payout destinations in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import and_, bindparam, or_, select

from adapters.postgres import documents
from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, insertion, select_by_id, update_by_id
from adapters.postgres.tables.columns import INSTANT
from adapters.postgres.tables.payout_destinations import PAYOUT_DESTINATION_CHANGE
from domain.destinations.model import OPEN, ChangeState, DestinationChange, Party
from domain.shared.actors import ActorKind
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from adapters.postgres.session import Row
    from domain.shared.ids import DestinationChangeId, MerchantId

_PARTIES = ("requested_by", "approved_by", "ended_by")

_C = PAYOUT_DESTINATION_CHANGE.c
_of_owner = _C.merchant_id == bindparam("owner")
_come = bindparam("at", type_=INSTANT)
_ADD = insertion(PAYOUT_DESTINATION_CHANGE)
_SAVE = update_by_id(
    PAYOUT_DESTINATION_CHANGE,
    fixed=[
        *("merchant_id", "chain", "address", "replaces"),
        *("requested_by", "requested_at", "lapses_at"),
    ],
)
_GET = select_by_id(PAYOUT_DESTINATION_CHANGE)
_LOCK = select_by_id(PAYOUT_DESTINATION_CHANGE, lock=True)
_OPEN = compiled(
    select(PAYOUT_DESTINATION_CHANGE)
    .where(_of_owner, _C.state.in_(sorted(OPEN)))
    .order_by(_C.chain)
)
_NEWEST = compiled(
    select(PAYOUT_DESTINATION_CHANGE)
    .where(_of_owner)
    .order_by(_C.id.desc())
    .limit(bindparam("limit"))
)
# The first condition follows from the others; by it the index of open changes can be used.
_DUE = compiled(
    select(PAYOUT_DESTINATION_CHANGE)
    .where(
        _C.state.in_(sorted(OPEN)),
        or_(
            and_(_C.state == ChangeState.AWAITING_APPROVAL, _C.lapses_at <= _come),
            and_(_C.state == ChangeState.COOLING_DOWN, _C.effective_at <= _come),
        ),
    )
    .order_by(_C.id)
    .limit(bindparam("limit"))
)


@attrs.frozen
class PostgresPayoutDestinations:
    """See ``ports.payout_destinations.PayoutDestinations``."""

    _session: Session

    async def add(self, change: DestinationChange) -> None:
        """Store a new change; the index of open ones refuses a second one of a chain."""
        await self._session.write(_ADD, _row(change), change.id)

    async def save(self, change: DestinationChange) -> None:
        """Store a locked change as it is now."""
        await self._session.write(_SAVE, _row(change), change.id)

    async def get(
        self, change_id: DestinationChangeId, *, owner: MerchantId | None
    ) -> DestinationChange:
        """Return a change, or raise NotFound; ``None`` stands for any merchant's."""
        row = await self._session.row(_GET, id=change_id)
        if row is None or owner not in (None, row["merchant_id"]):
            raise NotFound("destination_change", change_id)
        return _change(row)

    async def lock(self, change_id: DestinationChangeId) -> DestinationChange:
        """Return a change and lock its row, or raise NotFound."""
        row = await self._session.row(_LOCK, id=change_id)
        if row is None:
            raise NotFound("destination_change", change_id)
        return _change(row)

    async def open_of(self, owner: MerchantId) -> Sequence[DestinationChange]:
        """Return a merchant's open changes, by chain."""
        return [_change(row) for row in await self._session.rows(_OPEN, owner=owner)]

    async def list(self, *, owner: MerchantId, limit: int) -> Sequence[DestinationChange]:
        """Return a merchant's changes, the newest first: later ids sort after earlier ones."""
        rows = await self._session.rows(_NEWEST, owner=owner, limit=limit)
        return [_change(row) for row in rows]

    async def due(self, *, at: datetime, limit: int) -> Sequence[DestinationChange]:
        """Return open changes whose deadline has come."""
        return [_change(row) for row in await self._session.rows(_DUE, at=at, limit=limit)]


def _row(change: DestinationChange) -> Row:
    parties = {name: getattr(change, name) for name in _PARTIES}
    return {
        **attrs.asdict(change, recurse=False),
        **{name: None if party is None else str(party) for name, party in parties.items()},
        "metadata": documents.write(change.metadata, dict[str, str]),
    }


def _change(row: Row) -> DestinationChange:
    parties = {name: _party(row[name]) for name in _PARTIES}
    metadata = documents.read(row["metadata"], dict[str, str])
    state = ChangeState(row["state"])
    return DestinationChange(**{**row, **parties, "state": state, "metadata": metadata})


def _party(text: str | None) -> Party | None:
    if text is None:
        return None
    kind, _, id = text.partition(":")
    return Party(ActorKind(kind), id)
