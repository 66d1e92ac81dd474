from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import TYPE_CHECKING

import pytest

from domain.merchants.scopes import Scope
from entrypoints.http.stream import Pace
from ports.unit_of_work import StorageUnavailable
from tests.builders import an_event
from tests.contracts.storage import given
from tests.entrypoints.http.gateway import told
from tests.entrypoints.http.listening import QUIET, listening
from tests.support.postgres import end_sessions

if TYPE_CHECKING:
    from tests.entrypoints.http.gateway import Gateway
    from tests.entrypoints.http.listening import Client


async def test_an_event_is_told_as_the_feed_tells_it(gateway: Gateway) -> None:
    async with listening(gateway) as server:
        client = await server.open(accept="text/event-stream")
        assert client.status == 200
        assert client.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert client.headers["cache-control"] == "no-store"
        assert await client.block() == {"retry": "1000", "id": "0"}
        await gateway.ada.intent(metadata={"é": "🚲\n\n"})
        assert await client.events(1) == await gateway.ada.events()


async def test_a_client_goes_on_wherever_he_stopped(gateway: Gateway) -> None:
    async with listening(gateway) as server:
        await server.tell(5)
        for place in range(6):
            again = await server.open(query="after=1", last_event_id=str(place))
            asked = await server.open(query=f"after={place}")
            await server.tell(1)
            expected = list(range(place + 1, 7 + place))
            assert await again.numbers(len(expected)) == expected
            assert await asked.numbers(len(expected)) == expected


async def test_without_a_place_it_begins_with_what_comes(memory_gateway: Gateway) -> None:
    async with listening(memory_gateway) as server:
        await server.tell(3)
        client = await server.open()
        assert await client.block() == {"retry": "1000", "id": "3"}
        await server.tell(1)
        assert await client.numbers(1) == [4]


async def test_whoever_is_far_behind_is_told_everything(memory_gateway: Gateway) -> None:
    async with listening(memory_gateway) as server:
        await server.tell(250)
        client = await server.open(query="after=0")
        await server.tell(1)
        assert await client.numbers(251) == list(range(1, 252))


async def test_nothing_is_missed_or_doubled_while_many_commit_at_once(gateway: Gateway) -> None:
    rng, number = random.Random(7), 60  # noqa: S311 (no secret: when commits come)
    owners = [gateway.ada.merchant.id, gateway.bob.merchant.id]

    async def commit(n: int) -> None:
        await asyncio.sleep(rng.random() / 2)
        mine = [an_event(f"pi_{n}", merchant_id=owner) for owner in owners]
        async with gateway.storage.begin() as work:
            await work.events.record(*mine)
            await asyncio.sleep(rng.random() / 50)
            if n % 5:
                await work.commit()

    async def listen(client: Client) -> list[int]:
        return await client.numbers(number * 4 // 5)

    async def come_and_go() -> list[int]:
        seen: list[int] = []
        while len(seen) < number * 4 // 5:
            client = await server.open(last_event_id=str(len(seen)))
            seen += await client.numbers(min(rng.randint(1, 9), number * 4 // 5 - len(seen)))
            await client.hang_up()
        return seen

    async with listening(gateway) as server:
        clients = [await server.open(shop) for shop in (gateway.ada, gateway.ada, gateway.bob)]
        seen, *_ = await asyncio.gather(
            asyncio.gather(*map(listen, clients), come_and_go(), come_and_go()),
            *map(commit, range(number)),
        )
    assert seen == [list(range(1, number * 4 // 5 + 1))] * 5


async def test_types_are_chosen_and_the_place_moves_on(memory_gateway: Gateway) -> None:
    pace = Pace(heartbeat_seconds=0.05, tick_seconds=0.02)
    async with listening(memory_gateway, pace=pace) as server:
        client = await server.open(query="types=payment.*&types=escrow.held")
        every = await server.open(query="types=*")
        for kind in ("payment.received", "payment_intent.created", "escrow.held", "payments.x"):
            await server.tell(1, type=kind)
        assert [event["type"] for event in await client.events(2)] == [
            "payment.received",
            "escrow.held",
        ]
        # What was not for him is behind him all the same, when he comes back.
        while (block := await client.block()) != {":": "", "id": "4"}:
            assert block == {":": ""}
        assert await client.block() == {":": ""}
        assert await every.numbers(4) == [1, 2, 3, 4]


@pytest.mark.parametrize("gateway", ["postgres"], indirect=True)
async def test_streams_go_on_when_the_storage_is_back(
    gateway: Gateway, postgres_dsn: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("entrypoints.http.fan_out.PAUSE_SECONDS", 0.05)
    async with listening(gateway) as server:
        client = await server.open()
        await server.tell(1)
        assert await client.numbers(1) == [1]
        for n in range(2, 5):
            await end_sessions(postgres_dsn)
            while True:
                with suppress(StorageUnavailable):
                    await server.tell(1)
                    break
            assert await client.numbers(1) == [n]


async def test_a_slow_client_misses_nothing(
    memory_gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("entrypoints.http.fan_out.WAITING_MAX", 16)
    filling = {"filling": "x" * 20_000}
    async with listening(memory_gateway) as server:
        slow, quick = await server.open(), await server.open()
        reading = asyncio.create_task(quick.numbers(650))
        # More than the buffers on the way hold, and far more events than wait for a client.
        await server.tell(600, data=filling)
        later = asyncio.create_task(slow.numbers(650))
        # These come while he is told of the others from the storage.
        await server.tell(50, data=filling)
        assert await reading == list(range(1, 651))
        assert await later == list(range(1, 651))


async def test_a_client_that_takes_nothing_is_given_up_and_goes_on_later(
    memory_gateway: Gateway,
) -> None:
    pace = Pace(heartbeat_seconds=0.1, stall_seconds=0.3, tick_seconds=0.02)
    async with listening(memory_gateway, pace=pace, at_once=1) as server:
        client = await server.open()
        await server.tell(500, data={"filling": "x" * 20_000})
        await (await server.open_when_there_is_room()).hang_up()
        seen = await client.numbers_to_the_end()
        assert seen == list(range(1, len(seen) + 1))
        assert len(seen) < 500
        again = await server.open_when_there_is_room(query=f"after={len(seen)}")
        assert await again.numbers(500 - len(seen)) == list(range(len(seen) + 1, 501))


async def test_nobody_is_told_of_another_merchants_events(gateway: Gateway) -> None:
    async with listening(gateway) as server:
        ada, bob = await server.open(gateway.ada), await server.open(gateway.bob)
        await gateway.ada.intent()
        await gateway.bob.intent()
        await gateway.ada.intent()
        assert await ada.events(2) == await gateway.ada.events()
        assert await bob.events(1) == await gateway.bob.events()
        begin = gateway.storage.begin
        await given(begin, an_event(merchant_id=gateway.bob.merchant.id))
        assert await bob.numbers(1) == [2]


async def test_a_stream_ends_when_its_key_is_revoked(memory_gateway: Gateway) -> None:
    pace = Pace(look_at_key_seconds=0.05, tick_seconds=0.02)
    async with listening(memory_gateway, pace=pace) as server:
        ada, bob = await server.open(memory_gateway.ada), await server.open(memory_gateway.bob)
        merchants = memory_gateway.services.merchants()
        [key] = await merchants.keys(owner=memory_gateway.ada.merchant.id)
        await merchants.revoke_key(key_id=key.id, owner=None)
        memory_gateway.clock.advance(seconds=6)
        assert await ada.ended()
        assert (await server.open(memory_gateway.ada)).status == 401
        await server.tell(1, memory_gateway.bob)
        assert await bob.numbers(1) == [1]


async def test_all_streams_end_properly_when_the_server_stops(memory_gateway: Gateway) -> None:
    async with listening(memory_gateway) as server:
        clients = [await server.open() for _ in range(3)]
        server.server.should_exit = True
        assert await asyncio.gather(*(client.ended() for client in clients)) == [True] * 3


async def test_a_key_has_so_many_streams(memory_gateway: Gateway) -> None:
    async with listening(memory_gateway, at_once=2) as server:
        first, _ = await server.open(), await server.open()
        refused = await server.open()
        assert (refused.status, refused.headers["retry-after"]) == (429, "5")
        assert (await server.open(memory_gateway.bob)).status == 200
        await first.hang_up()
        again = await server.open_when_there_is_room()
        await server.tell(1)
        assert await again.numbers(1) == [1]


async def test_streams_are_not_requests_under_way(memory_gateway: Gateway) -> None:
    async with listening(memory_gateway, at_once=200) as server:
        for _ in range(150):
            assert (await server.open()).status == 200


@pytest.mark.parametrize(
    ("query", "headers", "status"),
    [
        ("after=4", {}, 400),
        ("", {"last_event_id": "4"}, 400),
        ("", {"last_event_id": "x"}, 400),
        ("", {"last_event_id": ""}, 400),
        ("", {"last_event_id": str(2**63)}, 400),
        ("after=-1", {}, 422),
        ("types=payment*", {}, 422),
        ("types=", {}, 422),
        ("since=1", {}, 422),
        ("", {"authorization": "Bearer nothing"}, 401),
    ],
)
async def test_what_is_no_place_is_refused(
    memory_gateway: Gateway, query: str, headers: dict[str, str], status: int
) -> None:
    async with listening(memory_gateway) as server:
        await server.tell(3)
        assert (await server.open(None, query, **headers)).status == status


async def test_a_key_must_be_for_events(memory_gateway: Gateway) -> None:
    made = {"name": "till", "scopes": [Scope.BALANCES_READ]}
    key = told(await memory_gateway.ada.http.post("/v1/api_keys", json=made), 201)
    async with listening(memory_gateway) as server:
        client = await server.open(authorization=f"Bearer {key['key']}")
        assert client.status == 403


async def test_a_head_request_has_no_stream(memory_gateway: Gateway) -> None:
    async with listening(memory_gateway, pace=QUIET) as server:
        client = await server.open(verb="HEAD")
        assert client.status == 200
        assert client.headers["content-type"].startswith("text/event-stream")
