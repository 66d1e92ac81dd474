"""What whoever does errands keeps: each is done once, and what came of it is told once."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from ports.errands import Errands


class ErrandsContract:
    @pytest.fixture
    def errands(self) -> Errands[int]:
        raise NotImplementedError

    async def test_what_came_of_each_is_told_once(self, errands: Errands[int]) -> None:
        done: list[int] = []

        async def fetch(number: int) -> int:
            done.append(number)
            return number

        for number in range(5):
            errands.begin(partial(fetch, number))
        told: list[int] = []
        for _ in range(5):
            if len(told) < 5:
                told += await errands.ended(wait=True)

        assert sorted(told) == sorted(done) == [0, 1, 2, 3, 4]

    async def test_there_is_room_for_one_at_least(self, errands: Errands[int]) -> None:
        assert errands.capacity >= 1

    async def test_a_nudge_does_no_harm(self, errands: Errands[int]) -> None:
        async def fetch() -> int:
            return 7

        errands.nudge()
        errands.begin(fetch)
        told = [*await errands.ended(wait=True)]
        while not told:
            told += await errands.ended(wait=True)

        assert told == [7]
