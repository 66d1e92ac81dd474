from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs
import pytest
from aiohttp.test_utils import TestServer

from adapters.telegram.bot import AiogramStarsBot
from adapters.telegram.readings import update_of
from tests.adapters.telegram.bot_api import TOKEN, BotApi

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

    from domain.stars.model import StarUpdate


@attrs.frozen
class ServedTelegram:
    """The bot under test, and the Bot API that it speaks to."""

    api: BotApi
    bot: AiogramStarsBot
    url: str

    def ask(self, payload: str, amount: int, *, payer: int = 1) -> str:
        return self.api.ask(payload, amount, payer=payer)

    def charge(
        self, payload: str, amount: int, *, payer: int = 1, subscribed: bool = False
    ) -> str:
        return self.api.charge(payload, amount, payer=payer, subscribed=subscribed)

    def take_back(self, charge_id: str) -> None:
        self.api.take_back(charge_id)

    def move(self, amount: int) -> None:
        self.api.move(amount)

    def refuse_refund(self, charge_id: str, why: str) -> None:
        self.api.refusals[charge_id] = why

    @property
    def answers(self) -> Mapping[str, str | None]:
        return self.api.answers

    @property
    def links(self) -> set[str]:
        return set(self.api.invoices)

    async def told(self) -> list[StarUpdate]:
        read = [update_of(it) for it in self.api.updates]
        return [it for it in read if it is not None]

    def fail_next(self) -> None:
        self.api.fail_next()

    def lose_next_answer(self) -> None:
        self.api.lose_next_answer()


@pytest.fixture
async def telegram() -> AsyncIterator[ServedTelegram]:
    """Serve the Bot API on this machine for one test."""
    api = BotApi(lambda: datetime.now(UTC).replace(microsecond=0))
    async with TestServer(api.app) as server:
        url = str(server.make_url("/"))
        async with AiogramStarsBot(token=TOKEN, timeout_seconds=1, api_url=url) as bot:
            yield ServedTelegram(api, bot, url)
