"""Suspense, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.rows import add, find, lock, save
from adapters.memory.turn import Turn
from ports.unit_of_work import AlreadyExists, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.chains.model import Finality, ObservationKey
    from domain.shared.ids import IntentId, PayoutId, SuspenseId
    from domain.suspense.model import Decision, SuspenseItem

KIND = "item in suspense"


@attrs.frozen
class InMemorySuspense:
    """What lies in suspense, piece by piece, and what was decided of it."""

    _turn: Turn

    async def add(self, item: SuspenseItem) -> None:
        """Store a new item."""
        add(self._turn, KIND, (await self._turn.tables()).suspense, item.id, item)

    async def save(self, item: SuspenseItem) -> None:
        """Store an item as it is now; only one that was locked in this unit of work."""
        save(self._turn, KIND, (await self._turn.tables()).suspense, item.id, item)

    async def get(self, item_id: SuspenseId) -> SuspenseItem:
        """Return an item."""
        return find(KIND, (await self._turn.tables()).suspense, item_id)

    async def lock(self, item_id: SuspenseId) -> SuspenseItem:
        """Return an item and keep others from changing it."""
        return lock(self._turn, KIND, (await self._turn.tables()).suspense, item_id)

    async def lock_counted(self, *, by: IntentId) -> Sequence[SuspenseItem]:
        """Return the open items that an intent counts, oldest first, and lock them."""
        found = (await self._turn.tables()).suspense.where(counted_by=by)
        for item in found:
            self._turn.lock(KIND, item.id)
        return sorted(found, key=_order)

    async def of_intent(self, intent_id: IntentId, *, limit: int) -> Sequence[SuspenseItem]:
        """Return what was paid to an intent or is counted by it, ended or not, oldest first."""
        rows = (await self._turn.tables()).suspense
        found = {it.id: it for it in rows.where(paid_to=intent_id)}
        found.update((it.id, it) for it in rows.where(counted=intent_id))
        return sorted(found.values(), key=_order)[:limit]

    async def lock_returning(self, payout_id: PayoutId) -> SuspenseItem:
        """Return the item that a payout gives back, and keep others from changing it."""
        for item in (await self._turn.tables()).suspense.where(payout=payout_id):
            self._turn.lock(KIND, item.id)
            return item
        raise NotFound("item that goes back by payout", payout_id)

    async def page(
        self, *, ended: bool, after: SuspenseItem | None = None, limit: int
    ) -> Sequence[SuspenseItem]:
        """Return items in the order in which they were paid, from just after one of them."""
        rows = (await self._turn.tables()).suspense
        found = [*rows] if ended else rows.where(waiting=True)
        later = [it for it in found if after is None or _order(it) > _order(after)]
        return sorted(later, key=_order)[:limit]

    async def record(self, decision: Decision) -> None:
        """Store a decision."""
        decisions = (await self._turn.tables()).decisions
        if decision.id in decisions:
            self._turn.refuse(AlreadyExists("decision", decision.id))
        decisions.put(decision.id, decision)

    async def decisions(self, item_id: SuspenseId) -> Sequence[Decision]:
        """Return what was decided of an item, oldest first."""
        found = (await self._turn.tables()).decisions.where(item=item_id)
        return sorted(found, key=lambda it: (it.at, it.id))

    async def finality(self, key: ObservationKey) -> Finality | None:
        """Return how sure an observation is, or None where nothing like it was seen."""
        observation = (await self._turn.tables()).observations.get(key)
        return None if observation is None else observation.finality


def _order(item: SuspenseItem) -> tuple[datetime, SuspenseId]:
    return item.paid_at, item.id
