"""Idempotency keys where requests really run side by side and connections really end."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.builders import USDT
from tests.entrypoints.http.gateway import opened, price, refusal

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from httpx2 import Response

    from tests.entrypoints.http.gateway import Gateway

INTENTS = "/v1/payment_intents"
IN_FLIGHT = (409, "idempotency-key-in-flight")
REUSED = (422, "idempotency-key-reused")
MANY = 16
PATIENCE_SECONDS = 10.0
WAITING = """
    select pid from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock'
"""


@pytest.fixture
async def stored_gateway(postgres_dsn: str) -> AsyncIterator[Gateway]:
    async with opened(dsn=postgres_dsn) as gateway:
        yield gateway


async def create(gateway: Gateway, *, method: str = "escrow", cents: int = 2500) -> Response:
    return await gateway.ada.http.post(
        INTENTS,
        json={"method": method, "price": price(cents), "asset": USDT.id},
        headers={"Idempotency-Key": "k-1"},
    )


async def who_waits(administrator: psycopg.AsyncConnection) -> int:
    """Return the process of the one session that waits for a lock, once there is one."""
    for _ in range(2000):
        if waiting := await (await administrator.execute(WAITING)).fetchall():
            [[pid]] = waiting
            return int(pid)
        await asyncio.sleep(0.005)
    raise AssertionError("nobody waits")


@pytest.mark.parametrize("method", ["escrow", "address"])
async def test_of_many_at_once_one_has_an_effect(stored_gateway: Gateway, method: str) -> None:
    for _ in range(3):
        responses = await asyncio.gather(
            *(create(stored_gateway, method=method) for _ in range(MANY))
        )

        made = [each for each in responses if each.status_code == 201]
        others = [each for each in responses if each.status_code != 201]
        assert {each.content for each in made} == {made[0].content}
        assert {refusal(each) for each in others} <= {IN_FLIGHT}
    assert len((await stored_gateway.ada.get(INTENTS))["data"]) == 1
    assert len(await stored_gateway.ada.events()) == 1


async def test_of_many_different_ones_at_once_one_has_an_effect(stored_gateway: Gateway) -> None:
    responses = await asyncio.gather(*(create(stored_gateway, cents=n + 1) for n in range(MANY)))

    [made] = [each for each in responses if each.status_code == 201]
    others = [refusal(each) for each in responses if each is not made]
    assert set(others) <= {IN_FLIGHT, REUSED}
    [intent] = (await stored_gateway.ada.get(INTENTS))["data"]
    assert intent["id"] == made.json()["id"]


async def test_a_request_whose_connection_ends_in_the_commit_is_sent_again(
    stored_gateway: Gateway, postgres_dsn: str
) -> None:
    await stored_gateway.ada.intent()
    connect = psycopg.AsyncConnection.connect
    async with (
        asyncio.timeout(PATIENCE_SECONDS),
        await connect(postgres_dsn) as holder,
        await connect(postgres_dsn, autocommit=True) as administrator,
    ):
        # The commit numbers the event, for which it has to wait here, with the key in hand.
        await holder.execute("select from event_counter for update")
        request = asyncio.create_task(create(stored_gateway))
        waiting = await who_waits(administrator)
        assert refusal(await create(stored_gateway)) == IN_FLIGHT
        await administrator.execute("select pg_terminate_backend(%s)", [waiting])
        assert refusal(await request) == (503, "storage-unavailable")

    again = await create(stored_gateway)

    assert again.status_code == 201
    assert "idempotent-replayed" not in again.headers
    assert len((await stored_gateway.ada.get(INTENTS))["data"]) == 2
    assert [event["sequence"] for event in await stored_gateway.ada.events()] == [1, 2]
