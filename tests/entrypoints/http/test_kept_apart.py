"""A gateway whose queries forget whose rows are asked for, over a database that does not."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import attrs
import pytest

from entrypoints.http.app import create_app
from ports.intents import Intents
from tests.entrypoints.http.gateway import client_of, opened, refusal, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.intents.model import PaymentIntent
    from domain.shared.ids import IntentId, MerchantId
    from ports.unit_of_work import Begin, UnitOfWork
    from tests.entrypoints.http.gateway import Gateway


@attrs.frozen
class Careless:
    """Intents as they are found by a query without its most important condition."""

    intents: Intents

    async def get(self, intent_id: IntentId, *, owner: MerchantId) -> PaymentIntent:  # noqa: ARG002 (it forgets it)
        return await self.intents.get(intent_id, owner=None)


def careless(begin: Begin) -> Begin:
    @contextlib.asynccontextmanager
    async def forgetting() -> AsyncIterator[UnitOfWork]:
        async with begin() as work:
            work.intents = Careless(work.intents)  # type: ignore[assignment] # It is a part of them.
            yield work

    return forgetting


@pytest.fixture
async def gateway(postgres_dsn: str) -> AsyncIterator[Gateway]:
    async with opened(dsn=postgres_dsn) as gateway:
        yield gateway


async def asked(gateway: Gateway, begin: Begin) -> tuple[int, int]:
    """Have Bob ask for Ada's intent and each for their own; return what Bob and Ada are told."""
    theirs, own = await gateway.ada.intent(), await gateway.bob.intent()
    service = attrs.evolve(gateway.api.intents, begin=careless(begin))
    app = create_app(attrs.evolve(gateway.api, intents=service))
    paths = [f"/v1/payment_intents/{intent['id']}" for intent in (theirs, own)]
    statuses = []
    for shop in (gateway.bob, gateway.ada):
        headers = {"Authorization": f"Bearer {shop.key}"}
        async with client_of(app, gateway.document, headers=headers) as http:
            answers = await asyncio.gather(*(http.get(path) for path in paths))
            statuses.append([answer.status_code for answer in answers])
    bob, ada = statuses
    assert bob[1] == ada[0] == 200
    return bob[0], ada[1]


async def test_a_query_that_forgets_its_owner_shows_nothing_of_another(gateway: Gateway) -> None:
    assert await asked(gateway, gateway.api_storage.begin) == (404, 404)


async def test_only_the_database_has_kept_them_apart(gateway: Gateway) -> None:
    assert await asked(gateway, gateway.storage.begin) == (200, 200)


async def test_two_shops_at_once_are_told_their_own(gateway: Gateway) -> None:
    shops = (gateway.ada, gateway.bob)
    made = await asyncio.gather(*(shop.intent() for shop in shops * 8))

    for number, shop in enumerate(shops):
        own = {intent["id"] for intent in made[number::2]}
        listed = await shop.get("/v1/payment_intents", limit=100)
        assert {intent["id"] for intent in listed["data"]} == own
        assert {event["data"]["id"] for event in await shop.events()} == own


async def test_a_stranger_is_shown_nothing(gateway: Gateway) -> None:
    intent = await gateway.ada.intent()
    async with client_of(gateway.app, gateway.document, headers={}) as stranger:
        answer = await stranger.get(f"/v1/payment_intents/{intent['id']}")
        assert refusal(answer) == (401, "unauthenticated")
        assert told(await stranger.get("/readyz"), 200) == {"status": "ok"}
