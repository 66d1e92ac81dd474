"""The application: every resource, who may call it, and how it begins and ends."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response
from starlette.routing import Route

from entrypoints.garbage import collecting_seldom
from entrypoints.http.admission import Admission
from entrypoints.http.api import Api
from entrypoints.http.api_keys import ApiKeys
from entrypoints.http.audit_log import AuditLog, OpsAuditLog
from entrypoints.http.auditing import Auditing
from entrypoints.http.balances import Balances
from entrypoints.http.client_address import Proxies
from entrypoints.http.customers import CustomerAddresses, Deposits
from entrypoints.http.documents import document_routes
from entrypoints.http.escrows import Escrows
from entrypoints.http.events import Events
from entrypoints.http.explanations import Explanations
from entrypoints.http.fan_out import FanOut
from entrypoints.http.gathering import gathering
from entrypoints.http.intents import PaymentIntents
from entrypoints.http.network_fees import NetworkFees
from entrypoints.http.operators import by_scope
from entrypoints.http.ops_events import OpsEvents
from entrypoints.http.ops_jobs import OpsJobs
from entrypoints.http.ops_queues import OpsQueues
from entrypoints.http.ops_stream import OpsStreams
from entrypoints.http.pagination import Cursors
from entrypoints.http.payout_destinations import PayoutDestinations
from entrypoints.http.payouts import Payouts
from entrypoints.http.refusals import REFUSALS
from entrypoints.http.sandbox import SandboxOrders
from entrypoints.http.settlements import Settlements
from entrypoints.http.stars import StarPayments
from entrypoints.http.stream import Pace, Streams
from entrypoints.http.telegram import telegram_route
from entrypoints.http.versions import NEWEST
from entrypoints.http.webhook_deliveries import WebhookDeliveries
from entrypoints.http.webhook_endpoints import WebhookEndpoints
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Sequence

    from starlette.applications import Starlette
    from starlette.requests import Request
    from starlette.routing import BaseRoute

    from config.bootstrap import ApiServices
    from entrypoints.http.endpoint import Authenticate

TITLE = "Switchyard"
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
                gathering(
                    services.usage.flush,
                    services.audit.flush,
                    every_seconds=services.store_usage_every_seconds,
                )
            )
            await stack.enter_async_context(fan_out.running())
            stack.enter_context(collecting_seldom())
            yield

    authenticate = by_scope(admission, services.console.operators if services.console else None)
    api = Api(
        title=TITLE,
        version=NEWEST,
        description=DESCRIPTION,
        authenticate=authenticate,
        problems=REFUSALS,
        resources=_resources(services),
        answered=Auditing(service=services.audit, proxies=admission.proxies).answered,
    )
    routes: list[BaseRoute] = [
        Route("/healthz", healthz),
        Route("/readyz", readyz),
        *_streams(services, admission, authenticate, fan_out, pace or Pace()),
    ]
    if services.stars is not None and services.stars.webhook is not None:
        routes.append(telegram_route(webhook=services.stars.webhook, stars=services.stars.service))
    routes += document_routes(api.openapi(), REFUSALS)
    app = api.application(routes=routes, lifespan=lifespan)
    # For the server, which has to end streams before it waits for all that is under way.
    app.state.fan_out = fan_out
    return app


def _streams(
    services: ApiServices,
    admission: Admission,
    authenticate: Authenticate,
    fan_out: FanOut,
    pace: Pace,
) -> Iterator[BaseRoute]:
    at_once = services.streams_at_once
    yield Streams(admission=admission, fan_out=fan_out, at_once=at_once, pace=pace).route()
    if services.console is not None:
        yield OpsStreams(
            authenticate=authenticate,
            operators=services.console.operators,
            fan_out=fan_out,
            at_once=at_once,
            pace=pace,
        ).route()


def _resources(services: ApiServices) -> Sequence[object]:
    return (
        PaymentIntents(
            service=services.intents,
            explaining=services.explaining,
            assets=services.assets,
            cursors=Cursors(key=services.cursor_key, listing="payment_intents"),
        ),
        CustomerAddresses(
            service=services.customers,
            cursors=Cursors(key=services.cursor_key, listing="customer_addresses"),
        ),
        Deposits(
            service=services.customers,
            assets=services.assets,
            cursors=Cursors(key=services.cursor_key, listing="deposits"),
        ),
        Explanations(service=services.explaining, assets=services.assets),
        Escrows(service=services.escrows, assets=services.assets),
        Balances(books=services.books, assets=services.assets),
        Settlements(
            service=services.settlements,
            assets=services.assets,
            cursors=Cursors(key=services.cursor_key, listing="settlements"),
        ),
        Payouts(
            service=services.settlements,
            assets=services.assets,
            cursors=Cursors(key=services.cursor_key, listing="payouts"),
        ),
        PayoutDestinations(service=services.destinations),
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
        AuditLog(
            service=services.audit,
            cursors=Cursors(key=services.cursor_key, listing="audit_log"),
        ),
        NetworkFees(service=services.network_fees, assets=services.assets),
        SandboxOrders(service=services.sandbox, assets=services.assets),
        *_of_stars(services),
        *_of_operators(services),
    )


def _of_stars(services: ApiServices) -> list[StarPayments]:
    if services.stars is None:
        return []
    return [StarPayments(service=services.stars.service, assets=services.assets)]


def _of_operators(services: ApiServices) -> list[object]:
    if services.console is None:
        return []
    jobs = services.console.jobs
    cursors = Cursors(key=services.cursor_key, listing="ops_jobs")
    log_cursors = Cursors(key=services.cursor_key, listing="ops_audit_log")
    return [
        OpsQueues(service=jobs),
        OpsEvents(service=services.webhooks),
        OpsJobs(service=jobs, cursors=cursors),
        OpsAuditLog(service=services.audit, cursors=log_cursors),
    ]


def _status(word: str, status: int) -> Response:
    body = orjson.dumps({"status": word})
    return Response(body, status, media_type="application/json")
