"""The event log: what merchants are told, in a sequence without gaps for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

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

    async def get(self, event_id: EventId) -> RecordedEvent:
        """Return an event.

        Raises:
            NotFound: there is none.
        """
        ...

    async def take_unrelayed(self, *, limit: int) -> Sequence[RecordedEvent]:
        """Return events not yet handed to the webhooks, and mark them as handed over.

        They come in each merchant's order. Whoever comes while another unit of work has taken
        some waits for its end, so that deliveries are made in that order too.
        """
        ...
