"""The event log: what merchants are told, in a sequence without gaps for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from domain.shared.events import Event, RecordedEvent
    from domain.shared.ids import EventId, MerchantId


class EventLog(Protocol):
    """Events, numbered for each merchant from 1 on."""

    async def record(self, *events: Event) -> None:
        """Add events in the transaction of the change they tell of.

        The numbers are given out as late as possible, at the commit, so that one merchant's
        units of work wait for each other no longer than they must.
        """
        ...

    async def after(
        self, *, owner: MerchantId, sequence: int, limit: int
    ) -> Sequence[RecordedEvent]:
        """Return a merchant's events that follow a number, in order."""
        ...

    async def last(self, *, owner: MerchantId) -> int:
        """Return the number of a merchant's newest event; 0 where there is none."""
        ...

    async def after_each(
        self, places: Mapping[MerchantId, int], *, each: int, limit: int
    ) -> Sequence[RecordedEvent]:
        """Return events of many merchants that follow the number given for each.

        Each one's are in order, and none is left out between two. At most ``each`` are returned
        of one merchant's and ``limit`` altogether; those named first come first.
        """
        ...

    async def get(self, event_id: EventId) -> RecordedEvent:
        """Return an event.

        Raises:
            NotFound: there is none.
        """
        ...

    async def named(self, ids: Sequence[EventId]) -> Sequence[RecordedEvent]:
        """Return the events of these names, in any order."""
        ...

    async def of_objects(
        self, ids: Sequence[str], *, owner: MerchantId, limit: int
    ) -> Sequence[RecordedEvent]:
        """Return the newest events of some of a merchant's objects, oldest first."""
        ...

    async def prune(self, *, owner: MerchantId, before: datetime, limit: int) -> int:
        """Drop a feed's oldest events, those of before a time; return how many.

        What is left has no gaps still: it only begins later. Of merchants' feeds none is dropped.
        """
        ...

    async def take_unrelayed(self, *, limit: int) -> Sequence[RecordedEvent]:
        """Return events not yet handed to the webhooks, and mark them as handed over.

        The gateway's own are never among them. They come in each merchant's order. Whoever comes
        while another unit of work has taken some waits for its end, so that deliveries are made in
        that order too.
        """
        ...
