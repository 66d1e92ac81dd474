from __future__ import annotations

from typing import TYPE_CHECKING

import httpx2
import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware

from adapters.telegram.webhook import TelegramWebhook
from domain.stars import checkout
from entrypoints.http.edge import Edge
from entrypoints.http.refusals import REFUSALS
from entrypoints.http.telegram import PATH, SECRET_HEADER, UPDATE_BYTES_MAX, telegram_route
from ports.unit_of_work import StorageUnavailable
from tests.adapters.telegram.bot_api import BotApi
from tests.domain.stars.till import DUE, NET, new_till

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.domain.stars.till import Till

SECRET = "made-up-for-tests"


@pytest.fixture
async def till() -> Till:
    return await new_till()


@pytest.fixture
async def telegram(till: Till) -> AsyncIterator[httpx2.AsyncClient]:
    """Telegram, as it speaks to a gateway with this one route."""
    app = Starlette(
        routes=[telegram_route(webhook=TelegramWebhook(SECRET), stars=till.stars)],
        middleware=[Middleware(Edge, problems=REFUSALS)],
    )
    async with httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app=app),
        base_url="http://gateway.test",
        headers={SECRET_HEADER: SECRET},
    ) as client:
        yield client


def posted(api: BotApi) -> bytes:
    """Return the newest update as Telegram posts it."""
    return api.updates[-1].model_dump_json(by_alias=True, exclude_none=True).encode()


async def test_a_payment_is_posted_and_credited_once(
    till: Till, telegram: httpx2.AsyncClient
) -> None:
    intent, api = await till.intent(), BotApi(till.clock.now)
    api.charge(intent.id, DUE)

    for _ in range(3):
        response = await telegram.post(PATH, content=posted(api))
        assert (response.status_code, response.content) == (200, b"")

    assert await till.books() == {"held": DUE, "pending": NET}


async def test_a_pre_checkout_is_answered_and_an_answer_too_late_is_let_be(
    till: Till, telegram: httpx2.AsyncClient
) -> None:
    api = BotApi(till.clock.now)
    asked = till.bot.ask("pi_99", DUE)
    till.bot.updates.clear()
    api.ask("pi_99", DUE)
    body = posted(api).replace(b"query-1", asked.id.encode())

    assert (await telegram.post(PATH, content=body)).status_code == 200
    assert till.bot.answers == {asked.id: checkout.UNKNOWN}
    assert (await telegram.post(PATH, content=body)).status_code == 200


@pytest.mark.parametrize("secret", ["", "made-up"])
async def test_nobody_else_is_listened_to(
    till: Till, telegram: httpx2.AsyncClient, secret: str
) -> None:
    intent, api = await till.intent(), BotApi(till.clock.now)
    api.charge(intent.id, DUE)

    headers = {SECRET_HEADER: secret}
    response = await telegram.post(PATH, content=posted(api), headers=headers)

    assert (response.status_code, response.json()["type"]) == (403, "/problems/not-telegram")
    assert await till.books() == {}


async def test_what_cannot_be_read_is_not_asked_for_again(telegram: httpx2.AsyncClient) -> None:
    assert (await telegram.post(PATH, content=b"[]")).status_code == 200
    too_long = await telegram.post(PATH, content=b" " * (UPDATE_BYTES_MAX + 1))
    assert too_long.status_code == 413


async def test_where_nothing_was_done_telegram_tells_it_again(
    till: Till, telegram: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    intent, api = await till.intent(), BotApi(till.clock.now)
    api.charge(intent.id, DUE)

    async def away(_: object, *__: object) -> None:
        raise StorageUnavailable

    with monkeypatch.context() as patched:
        patched.setattr("domain.stars.crediting.StarCrediting.credit", away)
        assert (await telegram.post(PATH, content=posted(api))).status_code == 503
    assert (await telegram.post(PATH, content=posted(api))).status_code == 200
    assert await till.books() == {"held": DUE, "pending": NET}


async def test_it_is_a_post(telegram: httpx2.AsyncClient) -> None:
    assert (await telegram.get(PATH)).status_code == 405
