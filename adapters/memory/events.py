"""The event log, in memory."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING

import attrs

from adapters.memory.turn import Turn
from domain.shared.events import RecordedEvent
from domain.shared.ids import EventId
from domain.shared.platform import PLATFORM
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from domain.shared.events import Event
    from domain.shared.ids import MerchantId


@attrs.frozen
class InMemoryEventLog:
    """Events, numbered for each merchant from 1 on.

    The numbers are given out at once: units of work run one after the other anyway.
    """

    _turn: Turn

    async def record(self, *events: Event) -> None:
        """Add events in the unit of work of the change they tell of."""
        tables = await self._turn.tables()
        for event in events:
            owner = event.merchant_id
            sequence = (tables.last_event.get(owner) or 0) + 1
            id = EventId(self._turn.store.ids.new("event"))
            recorded = RecordedEvent(id, sequence, event)
            tables.last_event.put(owner, sequence)
            tables.events.put((owner, sequence), recorded)
            if owner != PLATFORM:
                tables.unrelayed.put(id, recorded)

    async def after(
        self, *, owner: MerchantId, sequence: int, limit: int
    ) -> Sequence[RecordedEvent]:
        """Return a merchant's events that follow a number, in order."""
        tables = await self._turn.tables()
        last = tables.last_event.get(owner) or 0
        first = max(sequence, tables.last_pruned.get(owner) or 0) + 1
        numbers = range(first, min(first + limit - 1, last) + 1)
        found = (tables.events.get((owner, number)) for number in numbers)
        return [event for event in found if event is not None]

    async def last(self, *, owner: MerchantId) -> int:
        """Return the number of a merchant's newest event; 0 where there is none."""
        return (await self._turn.tables()).last_event.get(owner) or 0

    async def after_each(
        self, places: Mapping[MerchantId, int], *, each: int, limit: int
    ) -> Sequence[RecordedEvent]:
        """Return events of many merchants that follow the number given for each."""
        found: list[RecordedEvent] = []
        for owner, place in places.items():
            found += await self.after(owner=owner, sequence=place, limit=each)
        return found[:limit]

    async def get(self, event_id: EventId) -> RecordedEvent:
        """Return an event."""
        for recorded in (await self._turn.tables()).events.where(id=event_id):
            return recorded
        raise NotFound("event", event_id)

    async def named(self, ids: Sequence[EventId]) -> Sequence[RecordedEvent]:
        """Return the events of these names, in any order."""
        events = (await self._turn.tables()).events
        return [recorded for id in ids for recorded in events.where(id=id)]

    async def of_objects(
        self, ids: Sequence[str], *, owner: MerchantId, limit: int
    ) -> Sequence[RecordedEvent]:
        """Return the newest events of some of a merchant's objects, oldest first."""
        events = (await self._turn.tables()).events
        found = [recorded for id in set(ids) for recorded in events.where(of=id)]
        own = [recorded for recorded in found if recorded.event.merchant_id == owner]
        return sorted(own, key=lambda it: it.sequence)[-limit:]

    async def prune(self, *, owner: MerchantId, before: datetime, limit: int) -> int:
        """Drop a feed's oldest events, those of before a time; return how many."""
        tables = await self._turn.tables()
        pruned = 0
        for recorded in await self.after(owner=owner, sequence=0, limit=limit):
            if recorded.event.occurred_at >= before:
                break
            tables.events.remove((owner, recorded.sequence))
            tables.last_pruned.put(owner, recorded.sequence)
            pruned += 1
        return pruned

    async def take_unrelayed(self, *, limit: int) -> Sequence[RecordedEvent]:
        """Return events not yet handed to the webhooks and mark them as handed over."""
        unrelayed = (await self._turn.tables()).unrelayed
        taken = heapq.nsmallest(limit, unrelayed, key=lambda it: it.id)
        for recorded in taken:
            unrelayed.remove(recorded.id)
        return taken
