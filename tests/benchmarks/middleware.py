"""What a request costs besides what it is about: recognised, limited, counted and answered.

The application is called as a server calls it, in this process, by one request after another.
"""

from __future__ import annotations

import ipaddress
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs
from starlette.applications import Starlette
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from adapters.memory.store import Store
from adapters.system.clock import SystemClock
from adapters.system.ids import RandomIds
from config.limits import Limits
from domain.fees.model import FeeSchedule
from domain.limits.service import LimitService
from domain.merchants.scopes import Scope
from domain.merchants.service import MerchantService
from domain.usage.service import UsageService
from entrypoints.http.admission import Admission
from entrypoints.http.api import Api
from entrypoints.http.client_address import Proxies
from entrypoints.http.endpoint import RawJson, get
from entrypoints.http.refusals import REFUSALS
from tests.benchmarks.report import Figure, expect
from tests.benchmarks.world import run

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.requests import Request
    from starlette.types import Message
    from starlette.types import Scope as AsgiScope

    from tests.benchmarks.world import Bench

BODY = b'{"object":"nothing"}'
PATH = "/v1/nothing"
ENDLESS = Limits(reads=10**9, writes=10**9)
NETWORK, CALLER = ipaddress.ip_network("192.0.2.0/24"), "192.0.2.7"
PROXY = ipaddress.ip_network("127.0.0.1/32")
BATCH = 200
"""After how many requests the clock is looked at."""


@attrs.frozen
class NothingView:
    """Nothing."""

    object: str


@attrs.frozen
class Nothing:
    """An operation that does nothing, for who has a key."""

    @get(PATH, summary="Do nothing", scope=Scope.BALANCES_READ)
    async def show(self) -> NothingView | RawJson:
        """Answer."""
        return RawJson(body=BODY)


@attrs.frozen
class Open:
    """The same for everybody."""

    @get(PATH, summary="Do nothing", scope=None)
    async def show(self) -> NothingView | RawJson:
        """Answer."""
        return RawJson(body=BODY)


@attrs.frozen(kw_only=True)
class Called:
    """An application, and what its requests say."""

    app: ASGIApp
    headers: Sequence[tuple[bytes, bytes]]

    async def cost_ms(self, seconds: float) -> float:
        """Return the CPU time of one request."""
        await self._batch()
        began, cpu, count = time.perf_counter(), time.process_time(), 0
        while time.perf_counter() - began < seconds:
            await self._batch()
            count += BATCH
        return (time.process_time() - cpu) / count * 1000

    async def _batch(self) -> None:
        told: list[Message] = []

        async def receive() -> Message:
            return {"type": "http.request", "body": b"", "more_body": False}

        async def send(message: Message) -> None:
            told.append(message)

        for _ in range(BATCH):
            await self.app(self._scope(), receive, send)
        expect(
            "answers",
            expected=[200] * BATCH,
            found=[message["status"] for message in told if "status" in message],
        )

    def _scope(self) -> AsgiScope:
        return {
            "type": "http",
            "asgi": {"version": "3.0"},
            "http_version": "1.1",
            "method": "GET",
            "scheme": "http",
            "path": PATH,
            "raw_path": PATH.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(b"host", b"localhost"), *self.headers],
            "client": ("127.0.0.1", 4000),
            "server": ("127.0.0.1", 8080),
        }


def measure(bench: Bench) -> Iterator[Figure]:
    """Ask for nothing through all that stands before an operation, and through less of it."""
    seconds = bench.seconds / 4
    bare, typed, keyed, limited = run(_costs(seconds))
    against = "a route of Starlette's that gives the same answer"
    named = (
        ("http/middleware CPU", keyed),
        ("http/middleware CPU, key of one network behind a proxy", limited),
        ("http/middleware CPU, no key", typed),
    )
    for name, cost in named:
        yield Figure(name=name, value=cost, unit="ms/request", reference=bare, against=against)


async def _costs(seconds: float) -> tuple[float, float, float, float]:
    clock, ids = SystemClock(), RandomIds()
    store = Store(clock=clock, ids=ids)
    merchants = MerchantService(begin=store.begin, clock=clock, ids=ids)
    merchant = await merchants.register(name="Bench", fees=FeeSchedule(0))
    key = await merchants.issue_key(merchant_id=merchant.id)
    bound = await merchants.create_key(merchant_id=merchant.id, networks=[NETWORK])
    admission = Admission(
        merchants=merchants,
        usage=UsageService(begin=store.begin, clock=clock),
        limits=LimitService(
            begin=store.begin, clock=clock, quotas=ENDLESS.quotas, at_once=ENDLESS.at_once
        ),
        proxies=Proxies((PROXY,)),
    )
    forwarded = (b"x-forwarded-for", CALLER.encode())
    guarded = _application(Nothing(), admission)
    called = (
        Called(app=_starlette(), headers=()),
        Called(app=_application(Open(), admission), headers=()),
        Called(app=guarded, headers=[_bearer(key)]),
        Called(app=guarded, headers=[_bearer(bound.text), forwarded]),
    )
    bare, typed, keyed, limited = [await each.cost_ms(seconds) for each in called]
    return bare, typed, keyed, limited


def _bearer(key: str) -> tuple[bytes, bytes]:
    return b"authorization", f"Bearer {key}".encode()


def _application(resource: object, admission: Admission) -> ASGIApp:
    api = Api(
        title="Nothing",
        version="1",
        authenticate=admission,
        problems=REFUSALS,
        resources=[resource],
    )
    return api.application()


def _starlette() -> ASGIApp:
    async def show(_: Request) -> Response:
        return Response(BODY, media_type="application/json")

    return Starlette(routes=[Route(PATH, show)])
