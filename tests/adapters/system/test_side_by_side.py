from __future__ import annotations

import asyncio

import pytest

from adapters.system.side_by_side import SideBySide
from domain.webhooks.in_turn import InTurn
from tests.contracts.errands import ErrandsContract


class TestSideBySide(ErrandsContract):
    @pytest.fixture
    def errands(self) -> SideBySide[int]:
        return SideBySide(capacity=4)


class TestInTurn(ErrandsContract):
    @pytest.fixture
    def errands(self) -> InTurn[int]:
        return InTurn()


async def test_one_that_waits_holds_up_no_other() -> None:
    errands: SideBySide[str] = SideBySide(capacity=2)
    open_gate = asyncio.Event()

    async def slow() -> str:
        await open_gate.wait()
        return "slow"

    async def quick() -> str:
        return "quick"

    errands.begin(slow)
    errands.begin(quick)
    assert await errands.ended(wait=True) == ["quick"]
    open_gate.set()
    assert await errands.ended(wait=True) == ["slow"]


async def test_who_does_not_wait_is_told_what_there_is() -> None:
    errands: SideBySide[int] = SideBySide(capacity=2)

    async def fetch() -> int:
        return 7

    errands.nudge()
    errands.begin(fetch)
    assert await errands.ended(wait=False) == []
    await asyncio.sleep(0)
    assert await errands.ended(wait=False) == [7]
    assert await errands.ended(wait=False) == []


async def test_what_ends_while_others_are_told_of_is_not_lost() -> None:
    """Each ends at another moment, and whoever waits is told in between."""
    errands: SideBySide[int] = SideBySide(capacity=20)

    async def wait(turns: int) -> int:
        for _ in range(turns):
            await asyncio.sleep(0)
        return turns

    for turns in range(20):
        errands.begin(lambda turns=turns: wait(turns))  # type: ignore[misc] # Bound as it is now.
    told: list[int] = []
    async with asyncio.timeout(5):
        while len(told) < 20:
            told += await errands.ended(wait=True)

    assert sorted(told) == list(range(20))


async def test_who_waits_is_nudged() -> None:
    errands: SideBySide[int] = SideBySide(capacity=1)
    waiting = asyncio.create_task(errands.ended(wait=True))
    await asyncio.sleep(0)
    assert not waiting.done()
    errands.nudge()

    assert await waiting == []
