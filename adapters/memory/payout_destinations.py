"""Changes of payout destinations, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.rows import add, find, lock, save
from adapters.memory.turn import Turn
from ports.unit_of_work import AlreadyExists, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.destinations.model import DestinationChange
    from domain.shared.ids import DestinationChangeId, MerchantId

_KIND = "destination_change"


@attrs.frozen
class InMemoryPayoutDestinations:
    """See ``ports.payout_destinations.PayoutDestinations``."""

    _turn: Turn

    async def add(self, change: DestinationChange) -> None:
        """Store a new change."""
        changes = (await self._turn.tables()).destination_changes
        if change.is_open and changes.where(open_on=(change.merchant_id, change.chain)):
            self._turn.refuse(AlreadyExists(_KIND, change.id))
        add(self._turn, _KIND, changes, change.id, change)

    async def save(self, change: DestinationChange) -> None:
        """Store a locked change as it is now."""
        changes = (await self._turn.tables()).destination_changes
        save(self._turn, _KIND, changes, change.id, change)

    async def get(
        self, change_id: DestinationChangeId, *, owner: MerchantId | None
    ) -> DestinationChange:
        """Return a change; ``None`` stands for any merchant's."""
        found = find(_KIND, (await self._turn.tables()).destination_changes, change_id)
        if owner not in (None, found.merchant_id):
            raise NotFound(_KIND, change_id)
        return found

    async def lock(self, change_id: DestinationChangeId) -> DestinationChange:
        """Return a change, locked to be saved."""
        return lock(self._turn, _KIND, (await self._turn.tables()).destination_changes, change_id)

    async def open_of(self, owner: MerchantId) -> Sequence[DestinationChange]:
        """Return a merchant's open changes, by chain."""
        changes = (await self._turn.tables()).destination_changes.where(owner=owner)
        return sorted((it for it in changes if it.is_open), key=lambda it: it.chain)

    async def list(self, *, owner: MerchantId, limit: int) -> Sequence[DestinationChange]:
        """Return a merchant's changes, the newest first."""
        changes = (await self._turn.tables()).destination_changes.where(owner=owner)
        return sorted(changes, key=lambda it: it.id, reverse=True)[:limit]

    async def due(self, *, at: datetime, limit: int) -> Sequence[DestinationChange]:
        """Return open changes whose deadline has come."""
        changes = (await self._turn.tables()).destination_changes
        return [it for it in changes if it.deadline is not None and it.deadline <= at][:limit]
