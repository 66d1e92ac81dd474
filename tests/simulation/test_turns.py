"""Whose turn it is, when time moves, and what dies with a process."""

from __future__ import annotations

from datetime import timedelta
from random import Random

import pytest

from adapters.memory.clock import FakeClock
from config.simulation.process import Process
from config.simulation.turns import STORE, TURN, WAKE, Died, Park, Stuck, Turns


class Room:
    """A clock, turns, and a store that is somebody's or free."""

    def __init__(self, seed: int = 1) -> None:
        self.clock = FakeClock()
        self.free = True
        self.turns = Turns(
            clock=self.clock,
            random=Random(seed),  # noqa: S311 (to be repeated)
            store_is_free=lambda: self.free,
            next_job_at=lambda: None,
        )

    def process(self) -> Process:
        return Process("worker", turns=self.turns, random=Random(1))  # noqa: S311 (to be repeated)

    def run(self, minutes: int = 0) -> None:
        self.turns.run(until=self.clock.now() + timedelta(minutes=minutes))


@pytest.fixture
def room() -> Room:
    return Room()


def test_the_clock_moves_when_nobody_can_go_on(room: Room) -> None:
    begun = room.clock.now()
    seen: list[tuple[int, timedelta]] = []

    async def sleeper(minutes: int) -> None:
        await Park(until=begun + timedelta(minutes=minutes))
        seen.append((minutes, room.clock.now() - begun))

    for minutes in (30, 10, 20):
        room.turns.start(f"{minutes}", sleeper(minutes))
    room.run(25)
    assert seen == [(10, timedelta(minutes=10)), (20, timedelta(minutes=20))]
    assert room.clock.now() == begun + timedelta(minutes=25)
    room.turns.close()


def test_the_order_of_turns_is_the_seeds() -> None:
    def order(seed: int) -> list[str]:
        room, seen = Room(seed), list[str]()

        async def strand(name: str) -> None:
            for _ in range(3):
                seen.append(name)
                await TURN

        for name in "abcd":
            room.turns.start(name, strand(name))
        room.run()
        return seen

    assert order(1) == order(1)
    assert order(1) != order(2)


def test_who_wants_the_store_waits_for_it(room: Room) -> None:
    seen: list[str] = []

    async def holder() -> None:
        room.free = False
        for _ in range(5):
            seen.append("holder")
            await TURN
        room.free = True

    async def waiter() -> None:
        while room.free:
            await TURN
        await STORE
        seen.append("waiter")

    room.turns.start("waiter", waiter())
    room.turns.start("holder", holder())
    room.run()
    assert seen == ["holder"] * 5 + ["waiter"]


def test_waiting_for_a_store_that_nobody_gives_back_is_found(room: Room) -> None:
    async def waiter() -> None:
        room.free = False
        await STORE

    room.turns.start("waiter", waiter())
    with pytest.raises(Stuck):
        room.run(60)
    room.turns.close()


def test_a_process_dies_as_one_and_gives_back_what_it_holds(room: Room) -> None:
    process = room.process()
    left: list[str] = []
    told: list[bool] = []

    async def strand(name: str) -> None:
        try:
            while True:
                await process.stop()
        finally:
            left.append(name)

    for name in "ab":
        process.start(name, strand(name), on_end=lambda it: told.append(it.dead))
    process.dies_in = 9
    room.run()
    assert not process.alive
    assert sorted(left) == ["a", "b"]
    assert told == [True, True]
    assert process.steps == 9


def test_a_frozen_process_goes_on_later(room: Room) -> None:
    process = room.process()
    begun = room.clock.now()
    process.frozen_until = begun + timedelta(minutes=5)
    seen: list[timedelta] = []

    async def strand() -> None:
        await process.stop()
        seen.append(room.clock.now() - begun)

    process.start("job", strand())
    room.run(60)
    assert seen == [timedelta(minutes=5)]


def test_nothing_outlives_its_death(room: Room) -> None:
    process = room.process()
    stubborn = True

    async def strand() -> None:
        while stubborn:
            try:
                await WAKE
            except Died:
                continue

    begun = process.start("stubborn", strand())
    room.run()
    with pytest.raises(RuntimeError, match="outlived"):
        process.die()
    stubborn = False
    room.turns.wake(begun)
    begun._body.close()
