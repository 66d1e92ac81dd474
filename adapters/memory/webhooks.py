"""Webhook endpoints and deliveries, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.rows import add, find, lock, save
from adapters.memory.turn import Turn
from domain.webhooks.model import DeliveryState
from ports.unit_of_work import AlreadyExists

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from domain.shared.ids import DeliveryId, EndpointId, EventId, MerchantId
    from domain.webhooks.endpoint import Endpoint
    from domain.webhooks.model import Delivery


@attrs.frozen
class InMemoryWebhooks:
    """Who wants to be told, and what they were told."""

    _turn: Turn

    async def add_endpoint(self, endpoint: Endpoint) -> None:
        """Store a new endpoint."""
        tables = await self._turn.tables()
        add(self._turn, "endpoint", tables.endpoints, endpoint.id, endpoint)

    async def save_endpoint(self, endpoint: Endpoint) -> None:
        """Store an endpoint as it is now; only one that was locked in this unit of work."""
        tables = await self._turn.tables()
        save(self._turn, "endpoint", tables.endpoints, endpoint.id, endpoint)

    async def lock_endpoint(self, endpoint_id: EndpointId) -> Endpoint:
        """Return an endpoint and keep others from changing it."""
        return lock(self._turn, "endpoint", (await self._turn.tables()).endpoints, endpoint_id)

    async def lock_endpoints(self, ids: Sequence[EndpointId]) -> Sequence[Endpoint]:
        """Return the endpoints of these names, ordered by them, and keep others from changes."""
        there = sorted(it.id for it in await self.endpoints_named(ids))
        return [await self.lock_endpoint(id) for id in there]

    async def endpoints(self, *, owner: MerchantId) -> Sequence[Endpoint]:
        """Return a merchant's endpoints, oldest first, without those that were deleted."""
        mine = (await self._turn.tables()).endpoints.where(owner=owner)
        there = (it for it in mine if it.deleted_at is None)
        return sorted(there, key=lambda it: (it.created_at, it.id))

    async def endpoints_named(self, ids: Sequence[EndpointId]) -> Sequence[Endpoint]:
        """Return the endpoints of these names, in any order."""
        tables = await self._turn.tables()
        return [it for id in ids if (it := tables.endpoints.get(id)) is not None]

    async def get_endpoint(self, endpoint_id: EndpointId) -> Endpoint:
        """Return an endpoint."""
        return find("endpoint", (await self._turn.tables()).endpoints, endpoint_id)

    async def last_told(self, endpoint_id: EndpointId) -> int:
        """Return the highest sequence number of an endpoint's deliveries; 0 where it has none."""
        return (await self._turn.tables()).last_told.get(endpoint_id) or 0

    async def add_delivery(self, delivery: Delivery) -> None:
        """Store a new delivery. An endpoint has one of each event."""
        tables = await self._turn.tables()
        of_this_event = tables.deliveries.where(event=delivery.event_id)
        if any(it.endpoint_id == delivery.endpoint_id for it in of_this_event):
            self._turn.refuse(AlreadyExists("delivery", delivery.id))
        add(self._turn, "delivery", tables.deliveries, delivery.id, delivery)
        last = tables.last_told.get(delivery.endpoint_id) or 0
        tables.last_told.put(delivery.endpoint_id, max(last, delivery.sequence))

    async def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Store new deliveries that were never tried, as ``add_delivery`` does one."""
        for delivery in deliveries:
            await self.add_delivery(delivery)

    async def take_due(
        self,
        *,
        at: datetime,
        until: datetime,
        limit: int,
        each_max: int,
        under_way: Mapping[EndpointId, int],
    ) -> Sequence[Delivery]:
        """Take deliveries that are due, fairly."""
        tables = await self._turn.tables()
        found: list[tuple[int, Delivery]] = []
        for endpoint in tables.endpoints:
            busy = under_way.get(endpoint.id, 0)
            pending = tables.deliveries.where(pending_to=endpoint.id)
            due = sorted((it for it in pending if it.due(at=at)), key=_by_due)
            most = _most(endpoint, at=at, busy=busy, each_max=each_max)
            found += enumerate(due[:most], start=busy)
        found.sort(key=lambda it: (it[0], _by_due(it[1])))
        taken = [it.take(until=until) for _, it in found[:limit]]
        for delivery in taken:
            lock(self._turn, "delivery", tables.deliveries, delivery.id)
            tables.deliveries.put(delivery.id, delivery)
        return sorted(taken, key=lambda it: it.sequence)

    async def note_tries(self, deliveries: Sequence[Delivery]) -> Sequence[DeliveryId]:
        """Store the last try of each delivery; return those that have changed meanwhile."""
        tables, changed = await self._turn.tables(), []
        for delivery in deliveries:
            stored = find("delivery", tables.deliveries, delivery.id)
            same = len(stored.tries) == len(delivery.tries) - 1
            if stored.state is DeliveryState.PENDING and same:
                tables.deliveries.put(delivery.id, delivery)
            else:
                changed.append(delivery.id)
        return changed

    async def save_delivery(self, delivery: Delivery) -> None:
        """Store a delivery as it is now; only one that was locked in this unit of work."""
        tables = await self._turn.tables()
        save(self._turn, "delivery", tables.deliveries, delivery.id, delivery)

    async def lock_delivery(self, delivery_id: DeliveryId) -> Delivery:
        """Return a delivery and keep others from changing it."""
        return lock(self._turn, "delivery", (await self._turn.tables()).deliveries, delivery_id)

    async def deliveries(self, *, event_id: EventId) -> Sequence[Delivery]:
        """Return the deliveries of an event."""
        return (await self._turn.tables()).deliveries.where(event=event_id)

    async def get_delivery(self, delivery_id: DeliveryId) -> Delivery:
        """Return a delivery."""
        return find("delivery", (await self._turn.tables()).deliveries, delivery_id)

    async def deliveries_of(
        self,
        *,
        owner: MerchantId,
        endpoint_id: EndpointId | None = None,
        event_id: EventId | None = None,
        state: DeliveryState | None = None,
        before: DeliveryId | None = None,
        limit: int,
    ) -> Sequence[Delivery]:
        """Return a merchant's deliveries, newest first: ids are ordered by time."""
        found = [
            it
            for it in (await self._turn.tables()).deliveries
            if it.merchant_id == owner
            and endpoint_id in {None, it.endpoint_id}
            and event_id in {None, it.event_id}
            and state in {None, it.state}
            and (before is None or it.id < before)
        ]
        return sorted(found, key=lambda it: it.id, reverse=True)[:limit]

    async def prune_deliveries(self, *, created_before: datetime, limit: int) -> int:
        """Drop deliveries that have ended, but each endpoint's newest; return how many."""
        tables = await self._turn.tables()
        old = [
            it.id
            for it in tables.deliveries
            if it.state is not DeliveryState.PENDING
            and it.created_at < created_before
            and it.sequence < (tables.last_told.get(it.endpoint_id) or 0)
        ][:limit]
        for id in old:
            tables.deliveries.remove(id)
        return len(old)


def _by_due(delivery: Delivery) -> tuple[datetime, int]:
    return delivery.next_try_at or delivery.created_at, delivery.sequence


def _most(endpoint: Endpoint, *, at: datetime, busy: int, each_max: int) -> int:
    """Return how many more may be under way to an endpoint."""
    if not endpoint.enabled:
        return each_max
    if endpoint.rest_until is not None and endpoint.rest_until > at:
        return 0
    return max((1 if endpoint.silences else each_max) - busy, 0)
