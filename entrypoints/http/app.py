"""The application: every resource, who may call it, and how it begins and ends."""

from __future__ import annotations

import gc
from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING

import orjson
from starlette.responses import Response
from starlette.routing import Route

from domain.merchants.service import KeyNotValid
from entrypoints.http.api import Api
from entrypoints.http.balances import Balances
from entrypoints.http.escrows import Escrows
from entrypoints.http.events import Events
from entrypoints.http.intents import PaymentIntents
from entrypoints.http.pagination import Cursors
from entrypoints.http.problems import Unauthenticated
from entrypoints.http.refusals import REFUSALS
from entrypoints.http.stars import StarPayments
from entrypoints.http.telegram import telegram_route
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from starlette.applications import Starlette
    from starlette.requests import Request

    from config.bootstrap import ApiServices
    from domain.merchants.model import Merchant

TITLE = "Switchyard"
VERSION = "1"
DESCRIPTION = (
    "One API over many rails. Amounts are strings of whole smallest units; "
    "every change is an event with a sequence number."
)


def create_app(services: ApiServices) -> Starlette:
    """Build the application over finished services; it opens and closes what they stand on."""

    async def authenticate(request: Request) -> Merchant:
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise Unauthenticated
        try:
            return await services.merchants.authenticate(key=key.strip())
        except KeyNotValid as error:
            raise Unauthenticated from error

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
            # What is loaded by now stays to the end. Unfrozen, every full collection would look
            # at all of it again, and every request under way would wait for that.
            gc.freeze()
            stack.callback(gc.unfreeze)
            yield

    api = Api(
        title=TITLE,
        version=VERSION,
        description=DESCRIPTION,
        authenticate=authenticate,
        problems=REFUSALS,
        resources=(
            PaymentIntents(
                service=services.intents,
                assets=services.assets,
                cursors=Cursors(key=services.cursor_key, listing="payment_intents"),
            ),
            Escrows(service=services.escrows, assets=services.assets),
            Balances(
                books=services.books, settlements=services.settlements, assets=services.assets
            ),
            Events(service=services.webhooks),
            *_of_stars(services),
        ),
    )
    routes = [Route("/healthz", healthz), Route("/readyz", readyz)]
    if services.stars is not None and services.stars.webhook is not None:
        routes.append(telegram_route(webhook=services.stars.webhook, stars=services.stars.service))
    return api.application(routes=routes, lifespan=lifespan)


def _of_stars(services: ApiServices) -> list[StarPayments]:
    if services.stars is None:
        return []
    return [StarPayments(service=services.stars.service, assets=services.assets)]


def _status(word: str, status: int) -> Response:
    body = orjson.dumps({"status": word})
    return Response(body, status, media_type="application/json")
