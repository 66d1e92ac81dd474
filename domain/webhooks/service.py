"""Use cases of webhooks: register, hand events over, deliver, deliver again."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import attrs

from domain.shared.ids import DeliveryId, EndpointId
from domain.webhooks import events
from domain.webhooks.message import render
from domain.webhooks.model import Delivery, DeliveryState, Endpoint
from ports.clock import Clock
from ports.ids import Ids
from ports.publisher import Publisher
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.shared.events import RecordedEvent
    from domain.shared.ids import MerchantId
    from ports.unit_of_work import UnitOfWork

SECRET_BYTES = 32
"""The length of a signing key; the Standard Webhooks specification asks for 24 to 64."""


@attrs.frozen
class WebhookService:
    """Tells merchants' servers what happened until they have heard it."""

    begin: Begin
    clock: Clock
    ids: Ids
    publisher: Publisher

    async def register(
        self, *, owner: MerchantId, url: str, types: frozenset[str] = frozenset()
    ) -> Endpoint:
        """Add an endpoint with a signing secret of its own."""
        endpoint = Endpoint(
            id=EndpointId(self.ids.new("endpoint")),
            merchant_id=owner,
            url=url,
            secret="whsec_" + base64.b64encode(self.ids.entropy(SECRET_BYTES)).decode(),
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

    async def hand_over(self, *, limit: int = 200) -> int:
        """Make a delivery of each new event for each endpoint that wants it.

        An event is handed over in the same transaction in which it stops being new.
        """
        at = self.clock.now()
        async with self.begin() as work:
            fresh = await work.events.take_unrelayed(limit=limit)
            owners = {recorded.event.merchant_id for recorded in fresh}
            for owner in sorted(owners):
                for endpoint in await work.webhooks.endpoints(owner=owner):
                    wanted = [
                        recorded
                        for recorded in fresh
                        if recorded.event.merchant_id == owner
                        and endpoint.wants(recorded.event.type)
                    ]
                    await self._tell(work, endpoint, wanted, at=at)
            await work.commit()
        return len(fresh)

    async def _tell(
        self,
        work: UnitOfWork,
        endpoint: Endpoint,
        wanted: Sequence[RecordedEvent],
        *,
        at: datetime,
    ) -> None:
        """Make a delivery of each event; each one says which was before it."""
        previous = await work.webhooks.last_told(endpoint.id) if wanted else 0
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
            await work.webhooks.add_delivery(delivery)
            await self._promise(work, delivery, run_at=None)
            previous = recorded.sequence

    async def deliver(self, *, delivery_id: DeliveryId) -> Delivery:
        """Try a delivery that is due; one that has ended is left as it is.

        One to an endpoint that has been switched off meanwhile is parked, and nothing is sent.

        The message is sent outside any transaction. A process that dies in between sends it
        again later under the same id, by which the receiver knows it.
        """
        async with self.begin() as work:
            delivery = await work.webhooks.lock_delivery(delivery_id)
            if delivery.state is not DeliveryState.PENDING:
                return delivery
            if not delivery.due(at=self.clock.now()):
                # The clock of the machine that promised this job was ahead of ours.
                await self._promise(work, delivery, run_at=delivery.next_try_at)
                await work.commit()
                return delivery
            endpoint = await work.webhooks.get_endpoint(delivery.endpoint_id)
            if not endpoint.enabled:
                parked = delivery.park()
                await work.webhooks.save_delivery(parked)
                await work.commit()
                return parked
            recorded = await work.events.get(delivery.event_id)
        tried = await self.publisher.post(
            url=endpoint.url,
            secret=endpoint.secret,
            message_id=recorded.id,
            at=self.clock.now(),
            body=render(recorded, previous=delivery.previous_sequence),
        )
        async with self.begin() as work:
            delivery = await work.webhooks.lock_delivery(delivery_id)
            if delivery.state is not DeliveryState.PENDING:
                return delivery
            recorded_try = delivery.record(tried)
            await work.webhooks.save_delivery(recorded_try)
            if tried.gone:
                await self._disable(work, endpoint)
            if recorded_try.next_try_at is not None:
                await self._promise(work, recorded_try, run_at=recorded_try.next_try_at)
            await work.commit()
        return recorded_try

    async def _disable(self, work: UnitOfWork, gone: Endpoint) -> None:
        endpoint = await work.webhooks.lock_endpoint(gone.id)
        if endpoint.enabled:
            off = attrs.evolve(endpoint, enabled=False)
            await work.webhooks.save_endpoint(off)
            at = self.clock.now()
            await work.events.record(events.happened(events.DISABLED, off, at=at))

    async def redeliver(self, *, delivery_id: DeliveryId) -> Delivery:
        """Begin a delivery again, by hand.

        Raises:
            NotFound: there is no such delivery.
        """
        at = self.clock.now()
        async with self.begin() as work:
            delivery = await work.webhooks.lock_delivery(delivery_id)
            again = delivery.redeliver(at=at)
            await work.webhooks.save_delivery(again)
            await self._promise(work, again, run_at=None)
            await work.commit()
        return again

    async def _promise(
        self, work: UnitOfWork, delivery: Delivery, *, run_at: datetime | None
    ) -> None:
        when = "now" if run_at is None else "later"
        await work.jobs.enqueue(
            "deliver_webhook",
            arguments={"delivery": delivery.id},
            run_at=run_at,
            # One job for each try, however often somebody asks for it.
            dedupe_key=f"deliver_webhook:{delivery.id}:{len(delivery.tries)}:{when}",
        )
