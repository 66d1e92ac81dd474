"""The gateway's own events at the API: for operators, and for nobody else."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from config.bootstrap import ApiConsole
from config.operators import operators
from domain.operators.model import Operators, OperatorScope
from domain.shared.kinds import Queue
from domain.shared.platform import PLATFORM, PlatformEvent, happened
from entrypoints.http.app import create_app
from entrypoints.http.ops_stream import PATH
from entrypoints.http.stream import Pace
from tests.builders import NOON
from tests.contracts.storage import given
from tests.entrypoints.http.document import Document
from tests.entrypoints.http.gateway import api_services, client_of, refusal, told
from tests.entrypoints.http.listening import QUIET, listening
from tests.entrypoints.http.test_ops import KNOWN, MARIA, PAUL, setting

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from httpx2 import AsyncClient

    from domain.operators.model import Operator
    from tests.entrypoints.http.gateway import Gateway
    from tests.entrypoints.http.listening import Client, Listening

WRITER = "sy_oper_who may only write"
BEARER = f"Bearer {PAUL}"


@attrs.define
class Settings:
    """Operators of settings that are written anew while the process runs."""

    known: Operators

    def recognise(self, token: str) -> Operator | None:
        return self.known.recognise(token)


async def happen(gateway: Gateway, *types: PlatformEvent) -> None:
    """Have things happen to the gateway, one after the other."""
    for type in types:
        await given(gateway.storage.begin, happened(type, "eip155:1", at=NOON))


async def follow(
    server: Listening, query: str = "", *, authorization: str = BEARER, **headers: str
) -> Client:
    return await server.open(None, query, path=PATH, authorization=authorization, **headers)


@asynccontextmanager
async def console(gateway: Gateway, token: str = PAUL) -> AsyncIterator[AsyncClient]:
    """Return an operator's client; each response it gets must be as the document says."""
    of_operators = ApiConsole(operators=KNOWN, jobs=gateway.services.jobs())
    app = create_app(attrs.evolve(api_services(gateway.services), console=of_operators))
    headers = {"Authorization": f"Bearer {token}"}
    async with client_of(app, Document.of(app), headers=headers) as client:
        yield client


PARKED, RESUMED = PlatformEvent.CHAIN_PARKED, PlatformEvent.CHAIN_RESUMED


class TestStream:
    async def test_what_an_operator_does_is_told_as_it_is_listed(self, gateway: Gateway) -> None:
        async with listening(gateway, operators=KNOWN) as server, console(gateway, MARIA) as maria:
            client = await follow(server)
            assert client.status == 200
            assert client.headers["content-type"] == "text/event-stream; charset=utf-8"
            assert await client.block() == {"retry": "1000", "id": "0"}
            told(await maria.post("/v1/ops/queues/webhooks/pause"), 200)
            told(await maria.post("/v1/ops/queues/webhooks/resume"), 200)
            events = await client.events(2)
            assert [it["type"] for it in events] == ["queue.paused", "queue.resumed"]
            assert told(await maria.get("/v1/ops/events"), 200)["data"] == events

    async def test_who_comes_back_goes_on_behind_what_he_has_seen(self, gateway: Gateway) -> None:
        async with listening(gateway, operators=KNOWN) as server:
            await happen(gateway, *[PARKED, RESUMED] * 3)
            for place in (0, 2, 6):
                again = await follow(server, "after=1", last_event_id=str(place))
                await happen(gateway, PARKED)
                first = await again.numbers(1)
                assert first == [place + 1]
            assert (await follow(server, last_event_id="99")).status == 400

    async def test_nothing_is_missed_while_many_commit_at_once(self, gateway: Gateway) -> None:
        async with listening(gateway, operators=KNOWN) as server:
            clients = [await follow(server) for _ in range(3)]
            await asyncio.gather(*(happen(gateway, PARKED, RESUMED) for _ in range(12)))
            seen = await asyncio.gather(*(client.numbers(24) for client in clients))
        assert seen == [[*range(1, 25)]] * 3

    async def test_types_are_chosen(self, memory_gateway: Gateway) -> None:
        async with listening(memory_gateway, operators=KNOWN) as server:
            client = await follow(server, "types=chain.*&types=job.dead")
            await happen(memory_gateway, PlatformEvent.HEALTH, PlatformEvent.JOB_RETRIED, PARKED)
            await happen(memory_gateway, PlatformEvent.JOB_DEAD)
            assert await client.numbers(2) == [3, 4]

    async def test_merchants_and_operators_do_not_hear_each_others(self, gateway: Gateway) -> None:
        async with listening(gateway, operators=KNOWN) as server:
            ada, ours = await server.open(), await follow(server)
            await happen(gateway, PARKED)
            await server.tell(1)
            assert [it["type"] for it in await ada.events(1)] == ["payment_intent.succeeded"]
            assert [it["type"] for it in await ours.events(1)] == ["chain.parked"]
            await happen(gateway, RESUMED)
            assert await ours.numbers(1) == [2]

    async def test_a_place_that_is_kept_no_more_is_gone(self, gateway: Gateway) -> None:
        async with listening(gateway, operators=KNOWN) as server:
            await happen(gateway, *[PARKED] * 3)
            await prune(gateway, 2)
            for place in ("0", "1"):
                client = await follow(server, last_event_id=place)
                assert client.status == 410
            assert await (await follow(server, last_event_id="2")).numbers(1) == [3]
            await prune(gateway, 1)
            assert (await follow(server, last_event_id="2")).status == 410
            assert (await follow(server, last_event_id="3")).status == 200

    async def test_it_ends_when_its_token_is_taken_out_of_the_settings(
        self, memory_gateway: Gateway
    ) -> None:
        pace = Pace(look_at_key_seconds=0.05, tick_seconds=0.02)
        settings = Settings(KNOWN)
        async with listening(memory_gateway, pace=pace, operators=settings) as server:  # type: ignore[arg-type] # it recognises all the same
            client = await follow(server)
            await happen(memory_gateway, PARKED)
            assert await client.numbers(1) == [1]
            settings.known = Operators()
            assert await client.ended()
            assert (await follow(server)).status == 401

    async def test_it_ends_properly_with_the_server(self, memory_gateway: Gateway) -> None:
        async with listening(memory_gateway, operators=KNOWN) as server:
            client = await follow(server)
            await client.block()
            server.server.should_exit = True
            assert await client.ended()

    async def test_a_token_has_so_many_streams(self, memory_gateway: Gateway) -> None:
        pace = attrs.evolve(QUIET, tick_seconds=0.02)
        async with listening(memory_gateway, pace=pace, at_once=2, operators=KNOWN) as server:
            clients = [await follow(server) for _ in range(3)]
            assert [client.status for client in clients] == [200, 200, 429]
            # Another one's are counted by themselves.
            assert (await follow(server, authorization=f"Bearer {MARIA}")).status == 200
            await clients[0].hang_up()
            for _ in range(200):
                if (await follow(server)).status == 200:
                    break
                await asyncio.sleep(0.02)
            else:
                pytest.fail("a place that is left is not free again")


class TestWhoMay:
    async def test_merchants_may_not(self, memory_gateway: Gateway) -> None:
        key = memory_gateway.ada.key
        async with listening(memory_gateway, operators=KNOWN) as server:
            for token in (f"Bearer {key}", "Bearer sy_oper_nobody", f"Basic {PAUL}", "Bearer"):
                assert (await follow(server, authorization=token)).status == 401
            # An operator has no stream of a merchant's, either.
            assert (await server.open(authorization=BEARER)).status == 401
        async with console(memory_gateway, key) as client:
            assert refusal(await client.get("/v1/ops/events")) == (401, "unauthenticated")

    async def test_who_may_only_write_may_not_read(self, memory_gateway: Gateway) -> None:
        writer = setting("wanda", WRITER, OperatorScope.WRITE)
        async with listening(memory_gateway, operators=operators([writer])) as server:
            assert (await follow(server, authorization=f"Bearer {WRITER}")).status == 403

    async def test_where_there_are_no_operators_there_is_no_stream(
        self, memory_gateway: Gateway
    ) -> None:
        async with listening(memory_gateway) as server:
            assert (await follow(server)).status == 404


class TestList:
    async def test_every_kind_is_as_the_document_says(self, gateway: Gateway) -> None:
        begin, services = gateway.storage.begin, gateway.services
        async with begin() as work:
            await work.jobs.enqueue("deliver_webhooks")
            await work.commit()
        await services.platform().look_at_queues()
        await services.platform().look_at_chain(chain=next(iter(services.adapters.places())))
        await services.jobs().pause(queue=Queue.MONEY)
        reasons = {"reason": "odd", "first_entry": None}
        asset = happened(PlatformEvent.ASSET_PARKED, "eip155:1/erc20:0x", at=NOON, **reasons)
        gap = happened(PlatformEvent.GAP_OPENED, "eip155:1", at=NOON, first_block=7)
        await given(begin, asset, gap)
        async with console(gateway) as client:
            first = told(await client.get("/v1/ops/events", params={"limit": 3}), 200)
            rest = told(await client.get("/v1/ops/events", params={"after": 3}), 200)
        assert (first["has_more"], rest["has_more"]) == (True, False)
        events = first["data"] + rest["data"]
        assert [it["sequence"] for it in events] == [*range(1, len(Queue) + 5)]
        assert {it["type"] for it in events} == {
            "queue.stats",
            "gateway.health",
            "queue.paused",
            "asset.parked",
            "chain.gap_opened",
        }

    async def test_what_is_kept_no_more_is_left_out(self, memory_gateway: Gateway) -> None:
        await happen(memory_gateway, PARKED, RESUMED, PARKED)
        await prune(memory_gateway, 2)
        async with console(memory_gateway) as client:
            found = told(await client.get("/v1/ops/events"), 200)
        assert [it["sequence"] for it in found["data"]] == [3]


async def prune(gateway: Gateway, number: int) -> None:
    async with gateway.storage.begin() as work:
        before = NOON + timedelta(days=1)
        assert await work.events.prune(owner=PLATFORM, before=before, limit=number) == number
        await work.commit()
