"""Webhook endpoints and deliveries, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.shared.ids import DeliveryId, EndpointId, EventId, MerchantId
    from domain.webhooks.model import Delivery, Endpoint


class Webhooks(Protocol):
    """Who wants to be told, and what they were told."""

    async def add_endpoint(self, endpoint: Endpoint) -> None:
        """Store a new endpoint."""
        ...

    async def save_endpoint(self, endpoint: Endpoint) -> None:
        """Store an endpoint as it is now; only one that was locked in this unit of work."""
        ...

    async def lock_endpoint(self, endpoint_id: EndpointId) -> Endpoint:
        """Return an endpoint and keep others from changing it.

        Raises:
            NotFound: there is none.
        """
        ...

    async def endpoints(self, *, owner: MerchantId) -> Sequence[Endpoint]:
        """Return a merchant's endpoints, oldest first."""
        ...

    async def get_endpoint(self, endpoint_id: EndpointId) -> Endpoint:
        """Return an endpoint.

        Raises:
            NotFound: there is none.
        """
        ...

    async def last_told(self, endpoint_id: EndpointId) -> int:
        """Return the highest sequence number of an endpoint's deliveries; 0 where it has none."""
        ...

    async def add_delivery(self, delivery: Delivery) -> None:
        """Store a new delivery. An endpoint has one of each event.

        Raises:
            AlreadyExists: the endpoint has a delivery of this event.
        """
        ...

    async def save_delivery(self, delivery: Delivery) -> None:
        """Store a delivery as it is now; only one that was locked in this unit of work."""
        ...

    async def lock_delivery(self, delivery_id: DeliveryId) -> Delivery:
        """Return a delivery and keep others from changing it.

        Raises:
            NotFound: there is none.
        """
        ...

    async def deliveries(self, *, event_id: EventId) -> Sequence[Delivery]:
        """Return the deliveries of an event."""
        ...
