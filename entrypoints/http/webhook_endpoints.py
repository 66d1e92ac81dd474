"""Webhook endpoints: which servers are told of events, and with which secret."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import attrs

from domain.merchants.model import Merchant
from domain.merchants.scopes import Scope
from domain.shared.idempotency import KeyInFlight, KeyReused
from domain.shared.ids import EndpointId
from domain.shared.metadata import TooMuchMetadata
from domain.webhooks.endpoint import SecretStillRotating
from domain.webhooks.endpoints import (
    EndpointDisabled,
    EndpointService,
    TooManyEndpoints,
    UrlMalformed,
    Wishes,
)
from domain.webhooks.view import view_endpoint, view_secret
from entrypoints.http.answers import answer, answer_once, answer_page
from entrypoints.http.endpoint import Call, RawJson, delete, get, patch, post
from entrypoints.http.pagination import After, Cursors, Page, Paging
from entrypoints.http.schema import Text
from entrypoints.http.webhook_views import (
    ChangeWebhookEndpoint,
    CreateWebhookEndpoint,
    RotateSecret,
    WebhookEndpointSecretView,
    WebhookEndpointView,
)
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from domain.shared.idempotency import Idempotency
    from domain.webhooks.endpoint import Endpoint

Name = Annotated[str, Text(pattern="^[A-Za-z0-9_]{1,64}$")]

_KEYS = (KeyInFlight, KeyReused)


@attrs.frozen(kw_only=True)
class WebhookEndpoints:
    """A merchant's servers that are told of events."""

    service: EndpointService
    cursors: Cursors

    @post(
        "/v1/webhook_endpoints",
        summary="Have a server told of events",
        scope=Scope.WEBHOOKS_WRITE,
        idempotency="optional",
        problems=(UrlMalformed, TooManyEndpoints, *_KEYS),
    )
    async def create(
        self, call: Call[Merchant], body: CreateWebhookEndpoint
    ) -> WebhookEndpointSecretView | RawJson:
        """Each event is sent once for each endpoint that wants it; the secret is shown here."""

        async def act(idempotency: Idempotency[Endpoint] | None) -> Endpoint:
            return await self.service.create(
                owner=call.principal.id,
                url=body.url,
                wishes=Wishes(
                    types=frozenset(body.types),
                    description=body.description,
                    hex_signature=body.hex_signature,
                ),
                metadata=body.metadata,
                idempotency=idempotency,
            )

        return await answer_once(call, act, view_secret)

    @get(
        "/v1/webhook_endpoints",
        summary="List webhook endpoints, newest first",
        scope=Scope.WEBHOOKS_READ,
    )
    async def list(
        self, call: Call[Merchant], query: Paging
    ) -> Page[WebhookEndpointView] | RawJson:
        """Without their secrets."""
        before = EndpointId(self.cursors.open(query.cursor).id) if query.cursor else None
        found = await self.service.page(
            owner=call.principal.id, before=before, limit=query.limit + 1
        )
        page = self.cursors.page(
            found,
            limit=query.limit,
            view=view_endpoint,
            position=lambda it: After(created_at=it.created_at, id=it.id),
        )
        return answer_page(call, page)

    @get(
        "/v1/webhook_endpoints/{endpoint}",
        summary="Show a webhook endpoint",
        scope=Scope.WEBHOOKS_READ,
        problems=(NotFound,),
    )
    async def show(self, call: Call[Merchant], endpoint: Name) -> WebhookEndpointView | RawJson:
        """With the reason, where it is switched off."""
        found = await self.service.get(owner=call.principal.id, endpoint_id=EndpointId(endpoint))
        return answer(call, view_endpoint(found))

    @patch(
        "/v1/webhook_endpoints/{endpoint}",
        summary="Change a webhook endpoint, or switch it on or off",
        scope=Scope.WEBHOOKS_WRITE,
        problems=(NotFound, UrlMalformed, TooMuchMetadata),
    )
    async def change(
        self, call: Call[Merchant], endpoint: Name, body: ChangeWebhookEndpoint
    ) -> WebhookEndpointView | RawJson:
        """Switched on, it begins as if it had never failed; what it missed is in the feed."""
        changed = await self.service.change(
            owner=call.principal.id,
            endpoint_id=EndpointId(endpoint),
            wishes=Wishes(
                url=body.url,
                types=None if body.types is None else frozenset(body.types),
                description=body.description,
                hex_signature=body.hex_signature,
                enabled=body.enabled,
                metadata=body.metadata,
            ),
        )
        return answer(call, view_endpoint(changed))

    @delete(
        "/v1/webhook_endpoints/{endpoint}",
        summary="Delete a webhook endpoint",
        scope=Scope.WEBHOOKS_WRITE,
        problems=(NotFound,),
    )
    async def remove(self, call: Call[Merchant], endpoint: Name) -> None:
        """Nothing more is sent to it; what was sent stays in the log for its time."""
        await self.service.delete(owner=call.principal.id, endpoint_id=EndpointId(endpoint))

    @post(
        "/v1/webhook_endpoints/{endpoint}/rotate_secret",
        status=200,
        summary="Sign with another secret",
        scope=Scope.WEBHOOKS_WRITE,
        idempotency="optional",
        problems=(NotFound, SecretStillRotating, *_KEYS),
    )
    async def rotate_secret(
        self, call: Call[Merchant], endpoint: Name, body: RotateSecret | None
    ) -> WebhookEndpointSecretView | RawJson:
        """For as long as they overlap, `webhook-signature` has a signature by each of them."""
        asked = body or RotateSecret()

        async def act(idempotency: Idempotency[Endpoint] | None) -> Endpoint:
            return await self.service.rotate_secret(
                owner=call.principal.id,
                endpoint_id=EndpointId(endpoint),
                overlap=timedelta(seconds=asked.overlap_seconds),
                idempotency=idempotency,
            )

        return await answer_once(call, act, view_secret)

    @post(
        "/v1/webhook_endpoints/{endpoint}/test",
        status=202,
        summary="Have a ping sent to a webhook endpoint",
        scope=Scope.WEBHOOKS_WRITE,
        idempotency="optional",
        problems=(NotFound, EndpointDisabled, *_KEYS),
    )
    async def test(self, call: Call[Merchant], endpoint: Name) -> WebhookEndpointView | RawJson:
        """A `webhook_endpoint.ping`, sent as any event is; its delivery tells what came of it."""

        async def act(idempotency: Idempotency[Endpoint] | None) -> Endpoint:
            return await self.service.test(
                owner=call.principal.id,
                endpoint_id=EndpointId(endpoint),
                idempotency=idempotency,
            )

        return await answer_once(call, act, view_endpoint)
