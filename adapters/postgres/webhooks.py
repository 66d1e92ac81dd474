"""Webhook endpoints and deliveries in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import bindparam, func, select

from adapters.postgres import documents
from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, insertion, select_by_id, update_by_id
from adapters.postgres.tables.webhooks import WEBHOOK_DELIVERY, WEBHOOK_ENDPOINT
from domain.webhooks.model import Delivery, DeliveryState, Endpoint, Try
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.postgres.session import Row
    from domain.shared.ids import DeliveryId, EndpointId, EventId, MerchantId

_TRIES = tuple[Try, ...]
_ADD_ENDPOINT = insertion(WEBHOOK_ENDPOINT)
_SAVE_ENDPOINT = update_by_id(WEBHOOK_ENDPOINT, fixed=["merchant_id", "created_at"])
_GET_ENDPOINT = select_by_id(WEBHOOK_ENDPOINT)
_LOCK_ENDPOINT = select_by_id(WEBHOOK_ENDPOINT, lock=True)
_ENDPOINTS = compiled(
    select(WEBHOOK_ENDPOINT)
    .where(WEBHOOK_ENDPOINT.c.merchant_id == bindparam("owner"))
    .order_by(WEBHOOK_ENDPOINT.c.created_at, WEBHOOK_ENDPOINT.c.id)
)
_LAST_TOLD = compiled(
    select(func.coalesce(func.max(WEBHOOK_DELIVERY.c.sequence), 0).label("last")).where(
        WEBHOOK_DELIVERY.c.endpoint_id == bindparam("endpoint_id")
    )
)
_ADD_DELIVERY = insertion(WEBHOOK_DELIVERY)
_SAVE_DELIVERY = update_by_id(
    WEBHOOK_DELIVERY,
    fixed=[
        "endpoint_id",
        "event_id",
        "merchant_id",
        "created_at",
        "sequence",
        "previous_sequence",
    ],
)
_LOCK_DELIVERY = select_by_id(WEBHOOK_DELIVERY, lock=True)
_DELIVERIES = compiled(
    select(WEBHOOK_DELIVERY)
    .where(WEBHOOK_DELIVERY.c.event_id == bindparam("event_id"))
    .order_by(WEBHOOK_DELIVERY.c.created_at, WEBHOOK_DELIVERY.c.id)
)


@attrs.frozen
class PostgresWebhooks:
    """See ``ports.webhooks.Webhooks``."""

    _session: Session

    async def add_endpoint(self, endpoint: Endpoint) -> None:
        """Store a new endpoint."""
        await self._session.write(_ADD_ENDPOINT, _endpoint_row(endpoint), endpoint.id)

    async def save_endpoint(self, endpoint: Endpoint) -> None:
        """Store an endpoint as it is now."""
        await self._session.write(_SAVE_ENDPOINT, _endpoint_row(endpoint), endpoint.id)

    async def lock_endpoint(self, endpoint_id: EndpointId) -> Endpoint:
        """Return an endpoint and lock its row, or raise NotFound."""
        row = await self._session.row(_LOCK_ENDPOINT, id=endpoint_id)
        if row is None:
            raise NotFound("endpoint", endpoint_id)
        return _endpoint(row)

    async def endpoints(self, *, owner: MerchantId) -> Sequence[Endpoint]:
        """Return a merchant's endpoints, oldest first."""
        return [_endpoint(row) for row in await self._session.rows(_ENDPOINTS, owner=owner)]

    async def get_endpoint(self, endpoint_id: EndpointId) -> Endpoint:
        """Return an endpoint, or raise NotFound."""
        row = await self._session.row(_GET_ENDPOINT, id=endpoint_id)
        if row is None:
            raise NotFound("endpoint", endpoint_id)
        return _endpoint(row)

    async def last_told(self, endpoint_id: EndpointId) -> int:
        """Return the highest sequence number of an endpoint's deliveries; 0 where it has none."""
        [row] = await self._session.rows(_LAST_TOLD, endpoint_id=endpoint_id)
        return int(row["last"])

    async def add_delivery(self, delivery: Delivery) -> None:
        """Store a new delivery. An endpoint has one of each event."""
        await self._session.write(_ADD_DELIVERY, _delivery_row(delivery), delivery.id)

    async def save_delivery(self, delivery: Delivery) -> None:
        """Store a delivery as it is now."""
        await self._session.write(_SAVE_DELIVERY, _delivery_row(delivery), delivery.id)

    async def lock_delivery(self, delivery_id: DeliveryId) -> Delivery:
        """Return a delivery and lock its row, or raise NotFound."""
        row = await self._session.row(_LOCK_DELIVERY, id=delivery_id)
        if row is None:
            raise NotFound("delivery", delivery_id)
        return _delivery(row)

    async def deliveries(self, *, event_id: EventId) -> Sequence[Delivery]:
        """Return the deliveries of an event, oldest first."""
        rows = await self._session.rows(_DELIVERIES, event_id=event_id)
        return [_delivery(row) for row in rows]


def _endpoint_row(endpoint: Endpoint) -> Row:
    return {
        "id": endpoint.id,
        "merchant_id": endpoint.merchant_id,
        "url": endpoint.url,
        "secret": endpoint.secret,
        "created_at": endpoint.created_at,
        "enabled": endpoint.enabled,
        "types": sorted(endpoint.types),
    }


def _endpoint(row: Row) -> Endpoint:
    return Endpoint(**{**row, "types": frozenset(row["types"])})


def _delivery_row(delivery: Delivery) -> Row:
    return {
        "id": delivery.id,
        "endpoint_id": delivery.endpoint_id,
        "event_id": delivery.event_id,
        "merchant_id": delivery.merchant_id,
        "created_at": delivery.created_at,
        "sequence": delivery.sequence,
        "previous_sequence": delivery.previous_sequence,
        "state": delivery.state,
        "tries": documents.write(delivery.tries, _TRIES),
        "next_try_at": delivery.next_try_at,
    }


def _delivery(row: Row) -> Delivery:
    state, tries = DeliveryState(row["state"]), documents.read(row["tries"], _TRIES)
    return Delivery(**{**row, "state": state, "tries": tries})
