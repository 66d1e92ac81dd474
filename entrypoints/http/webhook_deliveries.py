"""Webhook deliveries: what was sent to whom, and what came of it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import attrs

from domain.merchants.model import Merchant
from domain.merchants.scopes import Scope
from domain.shared.idempotency import KeyInFlight, KeyReused
from domain.shared.ids import DeliveryId, EndpointId, EventId
from domain.webhooks.service import WebhookService
from domain.webhooks.view import view_beside, view_delivery, view_delivery_log
from entrypoints.http.answers import answer, answer_once, answer_page
from entrypoints.http.endpoint import Call, RawJson, get, post
from entrypoints.http.pagination import After, Cursors, Page
from entrypoints.http.schema import Described, Text
from entrypoints.http.views import EventView
from entrypoints.http.webhook_views import (
    BesideDelivery,
    DeliveryExpansion,
    DeliveryPaging,
    WebhookDeliveryView,
    WebhookEndpointView,
    WebhookTryView,
)
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from domain.shared.events import Json
    from domain.shared.idempotency import Idempotency
    from domain.webhooks.model import Delivery

Name = Annotated[str, Text(pattern="^[A-Za-z0-9_]{1,64}$")]


@attrs.frozen(kw_only=True)
class BesideDeliveryView:
    """What was asked for beside a delivery; null where it was not, or is deleted."""

    event: Annotated[EventView | None, Described(description="As the feed shows it.")]
    endpoint: WebhookEndpointView | None


@attrs.frozen(kw_only=True)
class ExpandedDeliveryView(WebhookDeliveryView):
    """One event on its way to one endpoint, and what was asked for beside it."""

    expanded: BesideDeliveryView | None = None


@attrs.frozen(kw_only=True)
class WebhookDeliveryLogView(ExpandedDeliveryView):
    """A delivery with the body that is sent and everything that came of it."""

    body: EventView
    tries: list[WebhookTryView]


@attrs.frozen(kw_only=True)
class WebhookDeliveries:
    """Events on their way to a merchant's servers."""

    service: WebhookService
    cursors: Cursors

    @get(
        "/v1/webhook_deliveries",
        summary="List webhook deliveries, newest first",
        scope=Scope.WEBHOOKS_READ,
    )
    async def list(
        self, call: Call[Merchant], query: DeliveryPaging
    ) -> Page[ExpandedDeliveryView] | RawJson:
        """Of one endpoint, of one event, or in one state; `parked` ones wait for a person."""
        found = await self.service.page(
            owner=call.principal.id,
            endpoint_id=None if query.endpoint is None else EndpointId(query.endpoint),
            event_id=None if query.event is None else EventId(query.event),
            state=query.state,
            before=DeliveryId(self.cursors.open(query.cursor).id) if query.cursor else None,
            limit=query.limit + 1,
        )
        beside = await self._beside(call, found, query.expand)
        page = self.cursors.page(
            found,
            limit=query.limit,
            view=lambda it: {**view_delivery(it), **beside[it.id]},
            position=lambda it: After(created_at=it.created_at, id=it.id),
        )
        return answer_page(call, page)

    @get(
        "/v1/webhook_deliveries/{delivery}",
        summary="Show a webhook delivery with all its tries",
        scope=Scope.WEBHOOKS_READ,
        problems=(NotFound,),
    )
    async def show(
        self, call: Call[Merchant], delivery: Name, query: DeliveryExpansion
    ) -> WebhookDeliveryLogView | RawJson:
        """What was sent, and what was answered, each time."""
        found, recorded = await self.service.look_up(
            owner=call.principal.id, delivery_id=DeliveryId(delivery)
        )
        beside = await self._beside(call, [found], query.expand)
        return answer(call, {**view_delivery_log(found, recorded), **beside[found.id]})

    @post(
        "/v1/webhook_deliveries/{delivery}/redeliver",
        status=202,
        summary="Send a webhook again",
        scope=Scope.WEBHOOKS_WRITE,
        idempotency="optional",
        problems=(NotFound, KeyInFlight, KeyReused),
    )
    async def redeliver(
        self, call: Call[Merchant], delivery: Name
    ) -> WebhookDeliveryView | RawJson:
        """Whatever its state; it has the same id, by which the receiver may know it already."""

        async def act(idempotency: Idempotency[Delivery] | None) -> Delivery:
            return await self.service.redeliver(
                delivery_id=DeliveryId(delivery),
                owner=call.principal.id,
                idempotency=idempotency,
            )

        return await answer_once(call, act, view_delivery)

    async def _beside(
        self,
        call: Call[Merchant],
        deliveries: Sequence[Delivery],
        wanted: Collection[BesideDelivery],
    ) -> Mapping[DeliveryId, dict[str, Json]]:
        """Return what is added to each delivery's view: nothing, where nothing is asked for."""
        if not wanted:
            return {it.id: {} for it in deliveries}
        beside = await self.service.beside(
            deliveries,
            owner=call.principal.id,
            events=BesideDelivery.EVENT in wanted,
            endpoints=BesideDelivery.ENDPOINT in wanted,
        )
        return {
            delivery.id: {"expanded": view_beside(event, endpoint)}
            for delivery, (event, endpoint) in zip(deliveries, beside, strict=True)
        }
