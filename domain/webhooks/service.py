"""Use cases of webhooks: register, hand events over, deliver, deliver again."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from domain.shared.ids import DeliveryId, EndpointId
from domain.webhooks.endpoint import SECRET_BYTES, Endpoint, secret_of
from domain.webhooks.model import Delivery
from domain.webhooks.trying import TAKEN_FOR, attempt, note, send_or_park
from ports.clock import Clock
from ports.ids import Ids
from ports.publisher import Publisher
from ports.unit_of_work import Begin, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from domain.shared.events import RecordedEvent
    from domain.shared.idempotency import Idempotency
    from domain.shared.ids import EventId, MerchantId
    from domain.webhooks.model import DeliveryState
    from ports.unit_of_work import UnitOfWork

PRUNED_MAX = 1000
"""How many deliveries are dropped in one transaction."""


@attrs.frozen
class WebhookService:
    """Tells merchants' servers what happened until they have heard it."""

    begin: Begin
    clock: Clock
    ids: Ids
    publisher: Publisher
    log_kept: timedelta = timedelta(days=30)
    """How long deliveries that have ended are kept, with the log of their tries."""

    async def register(
        self, *, owner: MerchantId, url: str, types: frozenset[str] = frozenset()
    ) -> Endpoint:
        """Add an endpoint with a signing secret of its own."""
        endpoint = Endpoint(
            id=EndpointId(self.ids.new("endpoint")),
            merchant_id=owner,
            url=url,
            secret=secret_of(self.ids.entropy(SECRET_BYTES)),
            created_at=self.clock.now(),
            types=types,
        )
        async with self.begin() as work:
            await work.webhooks.add_endpoint(endpoint)
            await work.commit()
        return endpoint

    async def feed(self, *, owner: MerchantId, after: int, limit: int) -> Sequence[RecordedEvent]:
        """Return a merchant's events that follow a sequence number, in order."""
        async with self.begin() as work:
            return await work.events.after(owner=owner, sequence=after, limit=limit)

    async def newest(self, *, owner: MerchantId) -> int:
        """Return the number of a merchant's newest event; 0 where there is none."""
        async with self.begin() as work:
            return await work.events.last(owner=owner)

    async def feeds(
        self, places: Mapping[MerchantId, int], *, each: int, limit: int
    ) -> Sequence[RecordedEvent]:
        """Return events of many merchants that follow the number given for each."""
        async with self.begin() as work:
            return await work.events.after_each(places, each=each, limit=limit)

    async def hand_over(self, *, limit: int = 200) -> int:
        """Make a delivery of each new event for each endpoint that wants it.

        An event is handed over in the same transaction in which it stops being new.
        """
        at = self.clock.now()
        async with self.begin() as work:
            fresh = await work.events.take_unrelayed(limit=limit)
            owners = {recorded.event.merchant_id for recorded in fresh}
            told: list[Delivery] = []
            for owner in sorted(owners):
                for endpoint in await work.webhooks.endpoints(owner=owner):
                    wanted = [
                        recorded
                        for recorded in fresh
                        if recorded.event.merchant_id == owner and endpoint.is_told(recorded.event)
                    ]
                    told += await self._tell(work, endpoint, wanted, at=at)
            if told:
                await work.webhooks.add_deliveries(told)
                await work.jobs.enqueue("deliver_webhooks")
            await work.commit()
        return len(fresh)

    async def _tell(
        self,
        work: UnitOfWork,
        endpoint: Endpoint,
        wanted: Sequence[RecordedEvent],
        *,
        at: datetime,
    ) -> list[Delivery]:
        """Make a delivery of each event; each one says which was before it."""
        previous = await work.webhooks.last_told(endpoint.id) if wanted else 0
        told = []
        for recorded in wanted:
            delivery = Delivery(
                id=DeliveryId(self.ids.new("delivery")),
                endpoint_id=endpoint.id,
                event_id=recorded.id,
                merchant_id=endpoint.merchant_id,
                created_at=at,
                sequence=recorded.sequence,
                previous_sequence=previous,
                next_try_at=at,
            )
            told.append(delivery)
            previous = recorded.sequence
        return told

    async def deliver(self, *, delivery_id: DeliveryId) -> Delivery:
        """Try one delivery if it is due; one that has ended is left as it is.

        One to an endpoint that has been switched off meanwhile is parked, and nothing is sent.

        The message is sent outside any transaction. A process that dies in between sends it
        again later under the same id, by which the receiver knows it.
        """
        at = self.clock.now()
        async with self.begin() as work:
            delivery = await work.webhooks.lock_delivery(delivery_id)
            if not delivery.due(at=at):
                return delivery
            delivery = delivery.take(until=at + TAKEN_FOR)
            await work.webhooks.save_delivery(delivery)
            sent = await send_or_park(work, [delivery])
            await work.commit()
        for outgoing in sent:
            outcome = await attempt(
                outgoing, begin=self.begin, publisher=self.publisher, at=self.clock.now()
            )
            async with self.begin() as work:
                await note(work, self.ids, [outcome], at=self.clock.now())
                await work.commit()
        async with self.begin() as work:
            return await work.webhooks.get_delivery(delivery_id)

    async def redeliver(
        self,
        *,
        delivery_id: DeliveryId,
        owner: MerchantId | None = None,
        idempotency: Idempotency[Delivery] | None = None,
    ) -> Delivery:
        """Begin a delivery again, by hand: for its merchant, or for an operator without one.

        Raises:
            NotFound: there is no such delivery.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        at = self.clock.now()
        async with self.begin() as work:
            if idempotency and owner:
                await idempotency.claim(work, owner=owner)
            delivery = await work.webhooks.lock_delivery(delivery_id)
            if owner is not None and delivery.merchant_id != owner:
                raise NotFound("delivery", delivery_id)
            again = delivery.redeliver(at=at)
            await work.webhooks.save_delivery(again)
            await work.jobs.enqueue("deliver_webhooks")
            if idempotency and owner:
                await idempotency.keep(work, again, owner=owner)
            await work.commit()
        return again

    async def page(
        self,
        *,
        owner: MerchantId,
        endpoint_id: EndpointId | None = None,
        event_id: EventId | None = None,
        state: DeliveryState | None = None,
        before: DeliveryId | None = None,
        limit: int,
    ) -> Sequence[Delivery]:
        """Return a merchant's deliveries, newest first, from just before one named."""
        async with self.begin() as work:
            return await work.webhooks.deliveries_of(
                owner=owner,
                endpoint_id=endpoint_id,
                event_id=event_id,
                state=state,
                before=before,
                limit=limit,
            )

    async def beside(
        self, deliveries: Sequence[Delivery], *, owner: MerchantId, events: bool, endpoints: bool
    ) -> Sequence[tuple[RecordedEvent | None, Endpoint | None]]:
        """Return the event and the endpoint of each of a merchant's deliveries, where asked for.

        An endpoint that was deleted is none.
        """
        told = {it.event_id for it in deliveries} if events else set()
        to = {it.endpoint_id for it in deliveries} if endpoints else set()
        async with self.begin() as work:
            recorded = await work.events.named(sorted(told)) if told else ()
            known = await work.webhooks.endpoints_named(sorted(to)) if to else ()
        event_by_id = {it.id: it for it in recorded if it.event.merchant_id == owner}
        there = (it for it in known if it.merchant_id == owner and it.deleted_at is None)
        endpoint_by_id = {it.id: it for it in there}
        return [
            (event_by_id.get(it.event_id), endpoint_by_id.get(it.endpoint_id)) for it in deliveries
        ]

    async def look_up(
        self, *, owner: MerchantId, delivery_id: DeliveryId
    ) -> tuple[Delivery, RecordedEvent]:
        """Return a delivery with all its tries, and the event it tells of.

        Raises:
            NotFound: the merchant has none of that name.
        """
        async with self.begin() as work:
            delivery = await work.webhooks.get_delivery(delivery_id)
            if delivery.merchant_id != owner:
                raise NotFound("delivery", delivery_id)
            return delivery, await work.events.get(delivery.event_id)

    async def prune(self) -> int:
        """Drop some deliveries whose log is not kept any longer; return how many."""
        async with self.begin() as work:
            pruned = await work.webhooks.prune_deliveries(
                created_before=self.clock.now() - self.log_kept, limit=PRUNED_MAX
            )
            await work.commit()
        return pruned
