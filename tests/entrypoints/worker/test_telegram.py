from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

import attrs
import pytest

from entrypoints.worker.telegram import poll
from ports.stars import StarsRefused, StarsUnavailable
from tests.domain.stars.till import DUE, NET, Till, new_till

if TYPE_CHECKING:
    from collections.abc import Sequence

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
