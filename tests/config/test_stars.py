"""Stars as the settings have them: all or nothing, secrets in files, updates by one way."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from adapters.memory.clock import FakeClock
from adapters.memory.stars_bot import InMemoryStarsBot
from adapters.system.secret_files import KeyFileRefused
from config import bootstrap
from config.jobs import NoStars, handlers, schedules
from config.settings import Worker, WrongSettings, structure
from domain.stars.model import STARS
from tests.config.conftest import BOT_TOKEN, WEBHOOK_SECRET

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = {"refund_stars", "reconcile_stars", "mature_stars"}


@pytest.fixture
def told(
    raw: dict[str, Any], with_stars: Callable[[dict[str, Any]], dict[str, Any]]
) -> dict[str, Any]:
    """Return settings of a deployment in memory, with Stars by webhook."""
    return with_stars(raw | {"deployment": "testing"})


def polling(told: dict[str, Any]) -> dict[str, Any]:
    stars = {**told["stars"], "mode": "polling"}
    del stars["webhook_secret_file"]
    return told | {"stars": stars}


class TestSettings:
    def test_the_asset_needs_the_table(self, told: dict[str, Any]) -> None:
        del told["stars"]
        with pytest.raises(WrongSettings, match=f"stars is needed, because {STARS} is one"):
            structure(told)

    def test_the_table_needs_the_asset(self, told: dict[str, Any]) -> None:
        with pytest.raises(WrongSettings, match=f"{STARS} is not one of the assets"):
            structure(told | {"assets": told["assets"][:-1]})

    def test_stars_are_whole(self, told: dict[str, Any]) -> None:
        told["assets"][-1] = told["assets"][-1] | {"decimals": 2}
        with pytest.raises(WrongSettings, match="no decimals"):
            structure(told)

    @pytest.mark.parametrize(
        ("changes", "why"),
        [
            ({"mode": "pigeon"}, "mode"),
            ({"mode": "polling"}, "by the mode webhook, and by it alone"),
            ({"request_timeout_seconds": 4}, "request_timeout_seconds"),
            ({"request_timeout_seconds": 0}, "request_timeout_seconds"),
            ({"api_url": "http://telegram.example"}, "api_url must use https"),
            ({"token": "1:x"}, "token"),
        ],
    )
    def test_what_makes_no_sense_is_told(
        self, told: dict[str, Any], changes: dict[str, object], why: str
    ) -> None:
        with pytest.raises(WrongSettings, match=why):
            structure(told | {"stars": told["stars"] | changes})

    def test_a_webhook_needs_a_secret(self, told: dict[str, Any]) -> None:
        del told["stars"]["webhook_secret_file"]
        with pytest.raises(WrongSettings, match="webhook_secret_file is needed"):
            structure(told)


class TestSecrets:
    def test_they_are_read_and_never_shown(self, told: dict[str, Any]) -> None:
        settings = structure(told)
        stars = settings.stars
        assert stars is not None
        assert (stars.bot_token(), stars.webhook_secret()) == (BOT_TOKEN, WEBHOOK_SECRET)
        built = bootstrap.api(structure(told | {"deployment": "demo"}))
        shown = repr(settings) + repr(built)
        assert BOT_TOKEN not in shown
        assert WEBHOOK_SECRET not in shown

    @pytest.mark.parametrize("name", ["bot_token_file", "webhook_secret_file"])
    def test_a_file_that_others_may_read_is_refused(self, told: dict[str, Any], name: str) -> None:
        Path(told["stars"][name]).chmod(0o640)
        with pytest.raises(KeyFileRefused, match="0640"):
            bootstrap.api(structure(told | {"deployment": "demo"}))

    @pytest.mark.parametrize("name", ["bot_token_file", "webhook_secret_file"])
    @pytest.mark.parametrize("content", ["", "two words", "\N{SNOWMAN}", "x" * 400])
    def test_what_is_no_secret_is_refused_and_not_shown(
        self, told: dict[str, Any], name: str, content: str
    ) -> None:
        Path(told["stars"][name]).write_text(content)
        with pytest.raises(KeyFileRefused, match="does not hold") as refusal:
            bootstrap.api(structure(told | {"deployment": "demo"}))
        assert not content or content not in str(refusal.value)

    def test_operators_need_none(self, told: dict[str, Any]) -> None:
        Path(told["stars"]["bot_token_file"]).unlink()
        assert bootstrap.operator(structure(told | {"deployment": "demo"})).chains


class TestProcesses:
    async def test_updates_come_to_the_api_by_webhook(self, told: dict[str, Any]) -> None:
        settings = structure(told)
        api, worker = bootstrap.api(settings), bootstrap.worker(settings)
        assert api.stars is not None
        assert worker.stars is not None
        assert api.stars.webhook is not None
        assert worker.stars.updates is None

    async def test_the_worker_asks_for_updates_by_polling(self, told: dict[str, Any]) -> None:
        settings = structure(polling(told))
        api, worker = bootstrap.api(settings), bootstrap.worker(settings)
        assert api.stars is not None
        assert worker.stars is not None
        assert api.stars.webhook is None
        bot: object = worker.stars.service.bot
        assert worker.stars.updates is bot

    async def test_without_the_table_there_is_nothing(self, raw: dict[str, Any]) -> None:
        settings = structure(raw | {"deployment": "testing"})
        assert bootstrap.api(settings).stars is None
        assert bootstrap.worker(settings).stars is None

    async def test_the_bot_is_opened_and_closed_with_the_process(
        self, told: dict[str, Any], key_file: Path
    ) -> None:
        told["keys"] |= {"hot_wallet_file": str(key_file)}
        worker = bootstrap.worker(structure(told | {"deployment": "demo"}))
        assert worker.stars is not None
        bot: object = worker.stars.service.bot
        assert bot in worker.resources
        assert bot is worker.stars.reconciliation.bot

    async def test_updates_in_memory_are_dropped_by_number(self, told: dict[str, Any]) -> None:
        worker = bootstrap.worker(structure(polling(told)))
        assert worker.stars is not None
        updates, bot = worker.stars.updates, worker.stars.service.bot
        assert updates is not None
        assert isinstance(bot, InMemoryStarsBot)
        first, second = bot.ask("pi_1", 1), bot.ask("pi_2", 1)
        assert await updates.after(None) == [(1, first), (2, second)]
        assert await updates.after(1) == [(2, second)]
        assert await updates.after(2) == []


class TestJobs:
    def test_they_come_back_only_where_stars_are_taken(self) -> None:
        assert not NAMES & {each.name for each in schedules(Worker(), [])}
        paces = {each.name: each.every for each in schedules(Worker(), [], with_stars=True)}
        assert {name: paces[name] for name in NAMES} == {
            "refund_stars": timedelta(minutes=1),
            "reconcile_stars": timedelta(minutes=1),
            "mature_stars": timedelta(hours=1),
        }

    @pytest.mark.parametrize("name", sorted(NAMES))
    async def test_what_is_left_of_stars_is_not_done_without_them(
        self, raw: dict[str, Any], name: str
    ) -> None:
        worker = bootstrap.worker(structure(raw | {"deployment": "testing"}))
        with pytest.raises(NoStars):
            await handlers(worker)[name]({})

    async def test_what_does_not_agree_with_the_list_is_warned_of(
        self, told: dict[str, Any], caplog: pytest.LogCaptureFixture
    ) -> None:
        worker = bootstrap.worker(structure(told))
        clock = worker.clock
        assert worker.stars is not None
        assert isinstance(clock, FakeClock)
        bot = worker.stars.service.bot
        assert isinstance(bot, InMemoryStarsBot)
        async with AsyncExitStack() as stack:
            for resource in worker.resources:
                await stack.enter_async_context(resource)
            charge = bot.charge("nobody's", 50)
            await worker.stars.service.receive(bot.updates.popleft())
            bot.lines.clear()
            moved = bot.move(-7)
            clock.advance(minutes=11)
            for name in sorted(NAMES):
                await handlers(worker)[name]({})

        warned = [record.getMessage() for record in caplog.records]
        assert len(warned) == 2
        assert charge.id in warned[0]
        assert moved.id in warned[1]
