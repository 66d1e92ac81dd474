from __future__ import annotations

import asyncio
import threading
from collections import deque
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.stars_bot import InMemoryStarsBot
from config.bootstrap import worker
from config.settings import Worker as WorkerSettings
from config.settings import structure
from domain.stars import checkout
from entrypoints.worker.main import Worker
from entrypoints.worker.telegram import poll
from ports.stars import StarsRefused, StarsUnavailable
from tests.domain.stars.till import DUE, NET, Till, new_till
from tests.entrypoints.worker.conftest import PATIENCE_SECONDS, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from domain.stars.model import StarUpdate

WITHIN_SECONDS = 10


@pytest.fixture
async def till() -> Till:
    return await new_till()


@attrs.define
class Updates:
    """Tells what a till's bot was told, a script of failures between."""

    till: Till
    stopped: asyncio.Event
    failures: deque[Exception | None] = attrs.field(factory=deque)
    asked: list[int | None] = attrs.field(factory=list)
    was_asked: asyncio.Event = attrs.field(factory=asyncio.Event)

    async def after(self, last: int | None) -> Sequence[tuple[int, StarUpdate | None]]:
        self.asked.append(last)
        self.was_asked.set()
        failure = self.failures.popleft() if self.failures else None
        if failure is not None:
            raise failure
        told = [*enumerate([None, *self.till.bot.updates])]
        left = [each for each in told if last is None or each[0] > last]
        if not left:
            self.stopped.set()
        return left


async def test_updates_are_taken_in_until_there_are_none(till: Till) -> None:
    stopped = asyncio.Event()
    updates = Updates(till, stopped)
    intent = await till.intent()
    asked = till.bot.ask(intent.id, DUE)
    till.bot.charge(intent.id, DUE)
    updates.failures.extend([StarsUnavailable("away", retry_after_seconds=0)])

    async with asyncio.timeout(WITHIN_SECONDS):
        await poll(updates, till.stars, stopped=stopped)

    assert updates.asked == [None, None, 2]
    assert till.bot.answers == {asked.id: None}
    assert await till.books() == {"held": DUE, "pending": NET}


async def test_what_could_not_be_dealt_with_is_asked_for_again(till: Till) -> None:
    stopped = asyncio.Event()
    updates = Updates(till, stopped)
    intent = await till.intent()
    first, second = till.bot.ask(intent.id, DUE), till.bot.ask(intent.id, DUE)
    await till.bot.answer_pre_checkout(first.id, refusal=None)  # Somebody was quicker.
    till.bot.fail_next(after=1)

    async with asyncio.timeout(WITHIN_SECONDS):
        await poll(updates, till.stars, stopped=stopped)

    assert updates.asked == [None, 1, 2]
    assert till.bot.answers == {first.id: None, second.id: None}


async def test_it_stops_while_it_waits(till: Till) -> None:
    stopped = asyncio.Event()
    updates = Updates(till, stopped, deque([StarsRefused("a webhook is set")]))
    polling = asyncio.create_task(poll(updates, till.stars, stopped=stopped))
    async with asyncio.timeout(WITHIN_SECONDS):
        await updates.was_asked.wait()
        stopped.set()
        await polling

    assert updates.asked == [None]


async def test_a_failure_that_nobody_foresaw_does_not_end_it(
    till: Till, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    stopped = asyncio.Event()
    intent = await till.intent()
    till.bot.charge(intent.id, DUE)
    updates = Updates(till, stopped, deque([LookupError("of ours")]))
    monkeypatch.setattr("entrypoints.worker.telegram.WAIT_MAX_SECONDS", 0)

    async with asyncio.timeout(WITHIN_SECONDS):
        await poll(updates, till.stars, stopped=stopped)

    assert await till.books() == {"held": DUE, "pending": NET}
    assert "of ours" in caplog.text


def test_a_worker_asks_for_updates_as_long_as_it_runs(tmp_path: Path) -> None:
    asset = {"id": "telegram/stars", "symbol": "XTR", "decimals": 0}
    stars = {"bot_token_file": str(tmp_path / "unused"), "mode": "polling"}
    settings = structure({**SETTINGS, "assets": [*SETTINGS["assets"], asset], "stars": stars})
    services = worker(settings)
    assert services.stars is not None
    bot = services.stars.service.bot
    assert isinstance(bot, InMemoryStarsBot)
    asked = bot.ask("pi_99", DUE)
    made = Worker(services, WorkerSettings(threads=1))
    thread = threading.Thread(target=made.run, name="worker")
    thread.start()
    try:
        waited = threading.Event()
        for _ in range(PATIENCE_SECONDS * 100):
            if bot.answers:
                break
            waited.wait(0.01)
    finally:
        made.stop()
        thread.join(PATIENCE_SECONDS)

    assert not thread.is_alive()
    assert bot.answers == {asked.id: checkout.UNKNOWN}
