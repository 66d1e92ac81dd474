"""Webhook endpoints and deliveries in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import ARRAY, any_, bindparam, select

from adapters.postgres import endpoint_secrets
from adapters.postgres import webhook_deliveries as statements
from adapters.postgres.documents import write_json
from adapters.postgres.key_ring import KeyRing
from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, insertion, select_by_id, update_by_id
from adapters.postgres.tables.columns import NAME
from adapters.postgres.tables.webhooks import WEBHOOK_ENDPOINT
from adapters.postgres.webhook_deliveries import delivery_of, delivery_row, noted_rows
from domain.webhooks.endpoint import Disabled, Endpoint, SimulatedAnswer
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from adapters.postgres.session import Row
    from adapters.postgres.statements import Statement
    from domain.shared.ids import DeliveryId, EndpointId, EventId, MerchantId
    from domain.webhooks.model import Delivery, DeliveryState

_C = WEBHOOK_ENDPOINT.c
_ADD_ENDPOINT = insertion(WEBHOOK_ENDPOINT)
_SAVE_ENDPOINT = update_by_id(WEBHOOK_ENDPOINT, fixed=["merchant_id", "created_at"])
_GET_ENDPOINT = select_by_id(WEBHOOK_ENDPOINT)
_LOCK_ENDPOINT = select_by_id(WEBHOOK_ENDPOINT, lock=True)
_ENDPOINTS = compiled(
    select(WEBHOOK_ENDPOINT)
    .where(_C.merchant_id == bindparam("owner"), _C.deleted_at.is_(None))
    .order_by(_C.created_at, _C.id)
)
_NAMED = select(WEBHOOK_ENDPOINT).where(_C.id == any_(bindparam("ids", type_=ARRAY(NAME))))
_ENDPOINTS_NAMED = compiled(_NAMED)
_LOCK_NAMED = compiled(_NAMED.order_by(_C.id).with_for_update())


@attrs.frozen
class PostgresWebhooks:
    """See ``ports.webhooks.Webhooks``."""

    _session: Session
    _ring: KeyRing

    async def add_endpoint(self, endpoint: Endpoint) -> None:
        """Store a new endpoint."""
        await self._session.write(_ADD_ENDPOINT, self._sealed(endpoint), endpoint.id)

    async def save_endpoint(self, endpoint: Endpoint) -> None:
        """Store an endpoint as it is now."""
        await self._session.write(_SAVE_ENDPOINT, self._sealed(endpoint), endpoint.id)

    async def lock_endpoint(self, endpoint_id: EndpointId) -> Endpoint:
        """Return an endpoint and lock its row, or raise NotFound."""
        row = await self._session.row(_LOCK_ENDPOINT, id=endpoint_id)
        if row is None:
            raise NotFound("endpoint", endpoint_id)
        return self._opened(row)

    async def lock_endpoints(self, ids: Sequence[EndpointId]) -> Sequence[Endpoint]:
        """Return the endpoints of these names, ordered by them, and lock their rows so."""
        return [self._opened(row) for row in await self._session.rows(_LOCK_NAMED, ids=[*ids])]

    async def endpoints(self, *, owner: MerchantId) -> Sequence[Endpoint]:
        """Return a merchant's endpoints, oldest first, without those that were deleted."""
        return [self._opened(row) for row in await self._session.rows(_ENDPOINTS, owner=owner)]

    async def endpoints_named(self, ids: Sequence[EndpointId]) -> Sequence[Endpoint]:
        """Return the endpoints of these names, in any order."""
        return [
            self._opened(row) for row in await self._session.rows(_ENDPOINTS_NAMED, ids=[*ids])
        ]

    async def get_endpoint(self, endpoint_id: EndpointId) -> Endpoint:
        """Return an endpoint, or raise NotFound."""
        row = await self._session.row(_GET_ENDPOINT, id=endpoint_id)
        if row is None:
            raise NotFound("endpoint", endpoint_id)
        return self._opened(row)

    async def last_told(self, endpoint_id: EndpointId) -> int:
        """Return the highest sequence number of an endpoint's deliveries; 0 where it has none."""
        [row] = await self._session.rows(statements.LAST_TOLD, endpoint_id=endpoint_id)
        return int(row["last"])

    async def add_delivery(self, delivery: Delivery) -> None:
        """Store a new delivery. An endpoint has one of each event."""
        await self._session.write(statements.ADD, delivery_row(delivery), delivery.id)

    async def add_deliveries(self, deliveries: Sequence[Delivery]) -> None:
        """Store new deliveries that were never tried, in one statement."""
        rows = [delivery_row(it) for it in deliveries]
        await self._session.write(
            *statements.ADD_MANY.of(
                [tuple(row[name] for name in statements.COLUMNS) for row in rows]
            ),
            *(it.id for it in deliveries),
        )

    async def take_due(
        self,
        *,
        at: datetime,
        until: datetime,
        limit: int,
        each_max: int,
        under_way: Mapping[EndpointId, int],
    ) -> Sequence[Delivery]:
        """Take deliveries that are due, fairly, none that another has locked."""
        rows = await self._session.rows(
            statements.TAKE,
            at=at,
            until=until,
            limit=limit,
            each_max=each_max,
            under_way=write_json(dict(under_way)),
        )
        return sorted((delivery_of(row) for row in rows), key=lambda it: it.sequence)

    async def note_tries(self, deliveries: Sequence[Delivery]) -> Sequence[DeliveryId]:
        """Store the last try of each delivery; return those that have changed meanwhile."""
        rows = await self._session.rows(statements.NOTE, noted=noted_rows(deliveries))
        noted = {row["id"] for row in rows}
        return [it.id for it in deliveries if it.id not in noted]

    async def save_delivery(self, delivery: Delivery) -> None:
        """Store a delivery as it is now."""
        await self._session.write(statements.SAVE, delivery_row(delivery), delivery.id)

    async def lock_delivery(self, delivery_id: DeliveryId) -> Delivery:
        """Return a delivery and lock its row, or raise NotFound."""
        return await self._delivery(statements.LOCK, delivery_id)

    async def get_delivery(self, delivery_id: DeliveryId) -> Delivery:
        """Return a delivery, or raise NotFound."""
        return await self._delivery(statements.GET, delivery_id)

    async def deliveries(self, *, event_id: EventId) -> Sequence[Delivery]:
        """Return the deliveries of an event, oldest first."""
        rows = await self._session.rows(statements.OF_EVENT, event_id=event_id)
        return [delivery_of(row) for row in rows]

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
        rows = await self._session.rows(
            statements.PAGE,
            owner=owner,
            endpoint_id=endpoint_id,
            event_id=event_id,
            state=state,
            before=before,
            limit=limit,
        )
        return [delivery_of(row) for row in rows]

    async def prune_deliveries(self, *, created_before: datetime, limit: int) -> int:
        """Drop deliveries that have ended, but each endpoint's newest; return how many."""
        return len(
            await self._session.rows(statements.PRUNE, created_before=created_before, limit=limit)
        )

    async def _delivery(self, statement: Statement, delivery_id: DeliveryId) -> Delivery:
        row = await self._session.row(statement, id=delivery_id)
        if row is None:
            raise NotFound("delivery", delivery_id)
        return delivery_of(row)

    def _sealed(self, endpoint: Endpoint) -> Row:
        return endpoint_secrets.sealed(_endpoint_row(endpoint), self._ring)

    def _opened(self, row: Row) -> Endpoint:
        return _endpoint(endpoint_secrets.opened(row, self._ring))


def _endpoint_row(endpoint: Endpoint) -> Row:
    row = attrs.asdict(endpoint, recurse=False)
    return {**row, "types": sorted(endpoint.types), "metadata": write_json(row["metadata"])}


def _endpoint(row: Row) -> Endpoint:
    reason, simulated = row["disabled_reason"], row["simulated"]
    return Endpoint(
        **{
            **row,
            "types": frozenset(row["types"]),
            "disabled_reason": None if reason is None else Disabled(reason),
            "simulated": None if simulated is None else SimulatedAnswer(simulated),
        }
    )
