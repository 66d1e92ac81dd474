"""The application: every resource, who may call it, and how it begins and ends."""

from __future__ import annotations

import gc
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response
from starlette.routing import Route

from entrypoints.http.admission import Admission
from entrypoints.http.api import Api
from entrypoints.http.api_keys import ApiKeys
from entrypoints.http.balances import Balances
from entrypoints.http.client_address import Proxies
from entrypoints.http.documents import document_routes
from entrypoints.http.escrows import Escrows
from entrypoints.http.events import Events
from entrypoints.http.explanations import Explanations
from entrypoints.http.fan_out import FanOut
from entrypoints.http.intents import PaymentIntents
from entrypoints.http.metering import metering
from entrypoints.http.network_fees import NetworkFees
from entrypoints.http.operators import by_scope
from entrypoints.http.ops_jobs import OpsJobs
from entrypoints.http.ops_queues import OpsQueues
from entrypoints.http.pagination import Cursors
from entrypoints.http.refusals import REFUSALS
from entrypoints.http.stars import StarPayments
from entrypoints.http.stream import Pace, Streams
from entrypoints.http.telegram import telegram_route
from entrypoints.http.webhook_deliveries import WebhookDeliveries
from entrypoints.http.webhook_endpoints import WebhookEndpoints
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from config.bootstrap import ApiServices

TITLE = "Switchyard"
VERSION = "1"
DESCRIPTION = (
    "One API over many rails. Amounts are strings of whole smallest units; "
    "every change is an event with a sequence number."
)


def create_app(services: ApiServices, *, pace: Pace | None = None) -> Starlette:
    """Build the application over finished services; it opens and closes what they stand on."""
    fan_out = FanOut(service=services.webhooks)
    admission = Admission(
        merchants=services.merchants,
        usage=services.usage,
        limits=services.limits,
        proxies=Proxies(tuple(services.trusted_proxies), services.forwarded_header),
    )

    async def healthz(_: Request) -> Response:
        return _status("ok", 200)

    async def readyz(_: Request) -> Response:
        try:
            await services.merchants.ping()
        except StorageUnavailable:
            return _status("unavailable", 503)
        return _status("ok", 200)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        async with AsyncExitStack() as stack:
            for resource in services.resources:
                await stack.enter_async_context(resource)
            await stack.enter_async_context(
                metering(services.usage, every_seconds=services.store_usage_every_seconds)
            )
            await stack.enter_async_context(fan_out.running())
            # What is loaded by now stays to the end. Unfrozen, every full collection would look
            # at all of it again, and every request under way would wait for that.
            gc.freeze()
            stack.callback(gc.unfreeze)
            yield

    api = Api(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        authenticate=by_scope(admission, services.console.operators if services.console else None),
        problems=REFUSALS,
        resources=_resources(services),
    )
    streams = Streams(
        admission=admission,
        fan_out=fan_out,
        at_once=services.streams_at_once,
        pace=pace or Pace(),
    )
    routes: list[BaseRoute] = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        streams.route(),
    ]
    if services.stars is not None and services.stars.webhook is not None:
        routes.append(telegram_route(webhook=services.stars.webhook, stars=services.stars.service))
    routes += document_routes(api.openapi(), REFUSALS)
    app = api.application(routes=routes, lifespan=lifespan)
    # For the server, which has to end streams before it waits for all that is under way.
    app.state.fan_out = fan_out
    return app


def _resources(services: ApiServices) -> Sequence[object]:
    return (
        PaymentIntents(
            service=services.intents,
            explaining=services.explaining,
            assets=services.assets,
            cursors=Cursors(key=services.cursor_key, listing="payment_intents"),
        ),
        Explanations(service=services.explaining, assets=services.assets),
        Escrows(service=services.escrows, assets=services.assets),
        Balances(books=services.books, settlements=services.settlements, assets=services.assets),
        Events(service=services.webhooks),
        WebhookEndpoints(
            service=services.webhook_endpoints,
            cursors=Cursors(key=services.cursor_key, listing="webhook_endpoints"),
        ),
        WebhookDeliveries(
            service=services.webhooks,
            cursors=Cursors(key=services.cursor_key, listing="webhook_deliveries"),
        ),
        ApiKeys(service=services.merchants, usage=services.usage),
        NetworkFees(service=services.network_fees, assets=services.assets),
        *_of_stars(services),
        *_of_operators(services),
    )


def _of_stars(services: ApiServices) -> list[StarPayments]:
    if services.stars is None:
        return []
    return [StarPayments(service=services.stars.service, assets=services.assets)]


def _of_operators(services: ApiServices) -> list[OpsQueues | OpsJobs]:
    if services.console is None:
        return []
    jobs = services.console.jobs
    cursors = Cursors(key=services.cursor_key, listing="ops_jobs")
    return [OpsQueues(service=jobs), OpsJobs(service=jobs, cursors=cursors)]


def _status(word: str, status: int) -> Response:
    body = orjson.dumps({"status": word})
    return Response(body, status, media_type="application/json")
