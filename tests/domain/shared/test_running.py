"""Running jobs: done once, tried again later, given up in the end; a schedule never."""

from __future__ import annotations

import asyncio
from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.shared.jobs import JobState, retry_delay
from domain.shared.running import LEASE, JobRunner, Schedule
from ports.unit_of_work import StorageUnavailable
from tests.domain.mishaps import Died, Mortal, yielding

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.shared.jobs import Job
    from domain.shared.running import Handler
    from ports.unit_of_work import Begin
    from tests.domain.world import World

HOURLY = Schedule("watch", timedelta(hours=1), {"chain": "one"})


@attrs.define
class Work:
    """Handlers that keep what they were asked to do, and fail as often as they are told to."""

    done: list[str] = attrs.field(factory=list)
    failures: int = 0

    async def greet(self, arguments: Mapping[str, str]) -> None:
        if self.failures:
            self.failures -= 1
            raise RuntimeError("not now")
        self.done.append(arguments.get("name", ""))

    async def watch(self, arguments: Mapping[str, str]) -> None:
        await self.greet({"name": arguments["chain"]})

    @property
    def handlers(self) -> dict[str, Handler]:
        return {"greet": self.greet, "watch": self.watch}


@pytest.fixture
def work() -> Work:
    return Work()


def runner(
    world: World, work: Work, *schedules: Schedule, begin: Begin | None = None
) -> JobRunner:
    around = world.around
    return JobRunner(
        begin or around.store.begin, around.clock, around.ids, work.handlers, schedules
    )


async def promise(world: World, name: str = "greet", /, **arguments: str) -> Job:
    async with world.around.store.begin() as unit:
        await unit.jobs.enqueue(name, arguments=arguments)
        await unit.commit()
    return jobs(world)[-1]


def jobs(world: World) -> list[Job]:
    return list(world.around.store.tables.jobs)


async def run_due(running: JobRunner) -> list[bool]:
    return [await running.run(job) for job in await running.claim(limit=10)]


async def test_a_job_is_done_once(world: World, work: Work) -> None:
    await promise(world, name="Ada")
    running = runner(world, work)

    assert await run_due(running) == [True]
    assert await run_due(running) == []

    assert work.done == ["Ada"]
    assert [job.state for job in jobs(world)] == [JobState.DONE]


async def test_a_failure_is_tried_again_later_and_later(world: World, work: Work) -> None:
    work.failures = 4
    await promise(world, name="Ada")
    running = runner(world, work)

    for attempt in range(1, 5):
        assert await run_due(running) == [False]
        [job] = jobs(world)
        assert (job.state, job.attempts) == (JobState.READY, attempt)
        assert job.last_error == "RuntimeError: not now"
        wait = job.run_at - world.clock.now()
        least = retry_delay(attempts=attempt)
        assert least <= wait <= least * 5 / 4
        assert await run_due(running) == []
        world.clock.move_to(job.run_at)

    assert await run_due(running) == [True]
    assert work.done == ["Ada"]


async def test_a_job_that_never_goes_well_is_kept_for_a_person(world: World, work: Work) -> None:
    work.failures = 1000
    attempts_max = (await promise(world)).attempts_max
    running = runner(world, work)
    for _ in range(attempts_max):
        assert await run_due(running) == [False]
        world.clock.advance(days=1)

    assert await run_due(running) == []
    [job] = jobs(world)
    assert (job.state, job.attempts) == (JobState.DEAD, attempts_max)
    assert job.last_error == "RuntimeError: not now"


async def test_a_name_that_nobody_knows_is_a_failure_like_any_other(
    world: World, work: Work
) -> None:
    await promise(world, "sweep")
    assert await run_due(runner(world, work)) == [False]

    [job] = jobs(world)
    assert job.state is JobState.READY
    assert job.last_error is not None
    assert "sweep" in job.last_error
    assert job.last_error.startswith("NoHandler")


async def test_a_job_for_later_is_not_run_before(world: World, work: Work) -> None:
    at = world.clock.now() + timedelta(minutes=5)
    async with world.around.store.begin() as unit:
        await unit.jobs.enqueue("greet", run_at=at)
        await unit.commit()
    running = runner(world, work)

    world.clock.move_to(at - timedelta(seconds=1))
    assert await run_due(running) == []
    world.clock.move_to(at)
    assert await run_due(running) == [True]


async def test_a_job_of_a_change_that_was_rolled_back_was_never_there(
    world: World, work: Work
) -> None:
    async with world.around.store.begin() as unit:
        await unit.jobs.enqueue("greet")
    assert await run_due(runner(world, work)) == []


async def test_two_runners_do_each_job_once(world: World, work: Work) -> None:
    for number in range(12):
        await promise(world, name=str(number))

    async def work_through(begin: Begin) -> None:
        running = runner(world, work, begin=begin)
        while claimed := await running.claim(limit=2):
            for job in claimed:
                await running.run(job)

    await asyncio.gather(*(work_through(yielding(world.around).begin) for _ in range(3)))

    assert Counter(work.done) == Counter(str(number) for number in range(12))
    assert {job.state for job in jobs(world)} == {JobState.DONE}


class TestSchedules:
    async def test_there_is_one_job_for_each_however_many_workers_begin(
        self, world: World, work: Work
    ) -> None:
        other = Schedule("watch", timedelta(hours=1), {"chain": "two"})
        for _ in range(3):
            await runner(world, work, HOURLY, other).begin_schedules()

        assert [job.dedupe_key for job in jobs(world)] == [
            "schedule:watch:one",
            "schedule:watch:two",
        ]

    async def test_it_comes_back_at_its_pace(self, world: World, work: Work) -> None:
        running = runner(world, work, HOURLY)
        await running.begin_schedules()
        for _ in range(3):
            assert await run_due(running) == [True]
            assert await run_due(running) == []
            world.clock.advance(hours=1)

        assert work.done == ["one"] * 3
        assert len(jobs(world)) == 1

    async def test_it_is_never_given_up(self, world: World, work: Work) -> None:
        work.failures = 50
        running = runner(world, work, HOURLY)
        await running.begin_schedules()
        for _ in range(50):
            assert await run_due(running) == [False]
            world.clock.advance(hours=1)

        assert await run_due(running) == [True]
        [job] = jobs(world)
        assert (job.state, job.attempts, job.last_error) == (JobState.READY, 0, None)

    async def test_it_fails_no_slower_than_a_minute_or_its_pace(
        self, world: World, work: Work
    ) -> None:
        quick = Schedule("watch", timedelta(seconds=1), {"chain": "one"})
        work.failures = 20
        running = runner(world, work, quick)
        await running.begin_schedules()
        for _ in range(20):
            assert await run_due(running) == [False]
            [job] = jobs(world)
            assert job.run_at <= world.clock.now() + timedelta(minutes=1)
            world.clock.move_to(job.run_at)

    async def test_the_same_job_by_hand_ends(self, world: World, work: Work) -> None:
        await promise(world, "watch", chain="one")
        await run_due(runner(world, work, HOURLY))
        assert [job.state for job in jobs(world)] == [JobState.DONE]


class TestDeath:
    async def test_a_job_whose_runner_died_is_run_again_after_its_lease(
        self, world: World, work: Work
    ) -> None:
        await promise(world, name="Ada")
        dead = runner(world, work)
        assert len(await dead.claim(limit=1)) == 1

        running = runner(world, work)
        world.clock.advance(seconds=LEASE.seconds - 1)
        assert await run_due(running) == []
        world.clock.advance(seconds=1)
        assert await run_due(running) == [True]

        assert work.done == ["Ada"]
        assert jobs(world)[0].attempts == 2

    async def test_a_job_that_kills_its_runner_is_given_up_in_the_end(
        self, world: World, work: Work
    ) -> None:
        attempts_max = (await promise(world)).attempts_max
        running = runner(world, work)
        for _ in range(attempts_max):
            assert len(await running.claim(limit=1)) == 1
            world.clock.advance(seconds=LEASE.seconds)

        assert await run_due(running) == []
        assert work.done == []
        assert jobs(world)[0].state is JobState.DEAD
        world.clock.advance(days=1)
        assert await run_due(running) == []

    async def test_who_dies_anywhere_loses_no_job(self, work: Work, world: World) -> None:
        for step in range(1, 100):
            await promise(world, name=str(step))
            mortal = Mortal(world.around, dies_at=step).services
            try:
                await run_due(runner(world, work, begin=mortal.begin))
            except Died:
                world.clock.advance(seconds=LEASE.seconds)
                await run_due(runner(world, work))
            else:
                assert step > 10, "the runner was hardly looked at"
                break
        assert set(work.done) == {str(number) for number in range(1, step + 1)}
        assert {job.state for job in jobs(world)} == {JobState.DONE}

    async def test_a_storage_that_does_not_answer_costs_no_job(
        self, world: World, work: Work
    ) -> None:
        await promise(world, name="Ada")
        running = runner(world, work)
        [job] = await running.claim(limit=1)
        world.around.store.fail_next_commit()
        with pytest.raises(StorageUnavailable):
            await running.run(job)

        world.clock.advance(seconds=LEASE.seconds)
        assert await run_due(running) == [True]
        assert work.done == ["Ada", "Ada"]
