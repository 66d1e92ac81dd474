"""Webhook endpoints and deliveries, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from domain.shared.ids import DeliveryId, EndpointId, EventId, MerchantId
    from domain.webhooks.endpoint import Endpoint
    from domain.webhooks.model import Delivery, DeliveryState


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

    async def lock_endpoints(self, ids: Sequence[EndpointId]) -> Sequence[Endpoint]:
        """Return the endpoints of these names, ordered by them, and keep others from changes.

        Whoever locks several at a time does so in this order, so no two wait for each other.
        """
        ...

    async def endpoints(self, *, owner: MerchantId) -> Sequence[Endpoint]:
        """Return a merchant's endpoints, oldest first, without those that were deleted."""
        ...

    async def endpoints_named(self, ids: Sequence[EndpointId]) -> Sequence[Endpoint]:
        """Return the endpoints of these names, in any order."""
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

    async def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Store new deliveries that were never tried, as ``add_delivery`` does one.

        Raises:
            AlreadyExists: an endpoint has a delivery of one of the events.
        """
        ...

    async def take_due(
        self,
        *,
        at: datetime,
        until: datetime,
        limit: int,
        each_max: int,
        under_way: Mapping[EndpointId, int],
    ) -> Sequence[Delivery]:
        """Take deliveries that are due, each endpoint's in the order in which they came due.

        What is taken is not due again before ``until``, and is locked in this unit of work; what
        another has locked is passed over. An endpoint is given ``each_max`` at most, one alone
        while it is silent and none while it rests, less what is ``under_way`` to it already;
        those that have the fewest come first. One that is switched off is not spared: its
        deliveries come to be parked.
        """
        ...

    async def note_tries(self, deliveries: Sequence[Delivery]) -> Sequence[DeliveryId]:
        """Store the last try of each delivery, its state and when it is tried next.

        Left as they are and returned: those that have ended, or were tried otherwise, since.
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

    async def get_delivery(self, delivery_id: DeliveryId) -> Delivery:
        """Return a delivery.

        Raises:
            NotFound: there is none.
        """
        ...

    async def deliveries(self, *, event_id: EventId) -> Sequence[Delivery]:
        """Return the deliveries of an event."""
        ...

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
        """Return a merchant's deliveries, newest first, from just before one named."""
        ...

    async def prune_deliveries(self, *, created_before: datetime, limit: int) -> int:
        """Drop deliveries that have ended; return how many, ``limit`` at most.

        Each endpoint's newest is kept: it tells what the endpoint was told of last.
        """
        ...
