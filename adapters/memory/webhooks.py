"""Webhook endpoints and deliveries, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.rows import add, find, lock, save
from adapters.memory.turn import Turn
from ports.unit_of_work import AlreadyExists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.shared.ids import DeliveryId, EndpointId, EventId, MerchantId
    from domain.webhooks.model import Delivery, Endpoint


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

    async def endpoints(self, *, owner: MerchantId) -> Sequence[Endpoint]:
        """Return a merchant's endpoints, oldest first."""
        mine = (await self._turn.tables()).endpoints.where(owner=owner)
        return sorted(mine, key=lambda it: (it.created_at, it.id))

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
