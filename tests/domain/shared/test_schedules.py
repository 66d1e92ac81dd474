"""Schedules: one row each, at the pace that the settings say, by the clock or by the calendar."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from adapters.system.calendar import CronCalendar
from domain.shared.jobs import JobState
from domain.shared.pace import Cron, NotAPace, read_pace, write_pace
from domain.shared.running import JobRunner, NoCalendar, Schedule

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.shared.jobs import Job
    from domain.shared.pace import Pace
    from tests.domain.world import World

HOUR = timedelta(hours=1)


class Runs:
    def __init__(self) -> None:
        self.at: list[datetime] = []
        self.fails = False


@pytest.fixture
def runs() -> Runs:
    return Runs()


def runner(world: World, runs: Runs, *paces: Pace, calendar: bool = True) -> JobRunner:
    async def settle(_: Mapping[str, str]) -> None:
        runs.at.append(world.clock.now())
        if runs.fails:
            raise RuntimeError("not now")

    return JobRunner(
        world.around.store.begin,
        world.clock,
        world.around.ids,
        {"settle": settle},
        [Schedule("settle", pace) for pace in paces],
        calendar=CronCalendar() if calendar else None,
    )


def the_job(world: World) -> Job:
    [job] = world.around.store.tables.jobs
    return job


async def run_due(running: JobRunner) -> None:
    for job in await running.claim(limit=9):
        await running.run(job)


@pytest.mark.parametrize(
    ("pace", "text"),
    [
        (timedelta(seconds=60), "every 60 s"),
        (timedelta(milliseconds=250), "every 0.25 s"),
        (timedelta(days=1), "every 86400 s"),
        (Cron("0 * * * *"), "cron UTC 0 * * * *"),
        (Cron("*/5 1-3 * * mon", "Europe/Berlin"), "cron Europe/Berlin */5 1-3 * * mon"),
    ],
)
def test_a_pace_is_read_as_it_was_written(pace: Pace, text: str) -> None:
    assert write_pace(pace) == text
    assert read_pace(text) == pace


@pytest.mark.parametrize("text", ["", "every", "every x s", "cron UTC", "at noon o clock"])
def test_what_is_no_pace_is_refused(text: str) -> None:
    with pytest.raises(NotAPace):
        read_pace(text)


async def test_the_calendar_says_when_it_runs_the_first_time_and_every_time(
    world: World, runs: Runs
) -> None:
    world.clock.move_to(datetime(2026, 3, 28, 12, 20, tzinfo=UTC))
    running = runner(world, runs, Cron("30 2 * * *", "Europe/Berlin"))
    await running.begin_schedules()
    await run_due(running)
    assert runs.at == []

    for _ in range(3):
        world.clock.move_to(the_job(world).run_at)
        await run_due(running)

    # In the night to the 29th there is no half past two in Berlin: it runs when the clock jumps.
    assert [at.strftime("%d %H:%M") for at in runs.at] == ["29 01:00", "30 00:30", "31 00:30"]


async def test_runs_that_were_missed_are_not_made_up_for(world: World, runs: Runs) -> None:
    running = runner(world, runs, Cron("0 * * * *"))
    await running.begin_schedules()
    world.clock.advance(hours=7, minutes=20)
    await run_due(running)
    await run_due(running)

    assert len(runs.at) == 1
    assert the_job(world).run_at == world.clock.now() + timedelta(minutes=40)


async def test_a_failure_by_the_calendar_is_tried_again_within_the_minute(
    world: World, runs: Runs
) -> None:
    running = runner(world, runs, Cron("0 0 1 * *"))
    await running.begin_schedules()
    world.clock.move_to(the_job(world).run_at)
    runs.fails = True
    for _ in range(25):
        await run_due(running)
        assert the_job(world).run_at - world.clock.now() <= timedelta(minutes=1)
        world.clock.move_to(the_job(world).run_at)
    runs.fails = False
    await run_due(running)

    job = the_job(world)
    assert (job.state, job.attempts) == (JobState.READY, 0)
    assert job.run_at > world.clock.now() + timedelta(days=20)


@pytest.mark.parametrize("before", [HOUR, Cron("0 0 * * *")])
@pytest.mark.parametrize("after", [timedelta(minutes=1), Cron("*/15 * * * *")])
async def test_a_changed_pace_holds_from_the_next_start(
    world: World, runs: Runs, before: Pace, after: Pace
) -> None:
    old = runner(world, runs, before)
    await old.begin_schedules()
    await run_due(old)
    ran = len(runs.at)
    world.clock.advance(seconds=30)
    await runner(world, runs, after).begin_schedules()

    due = the_job(world).run_at
    assert due - world.clock.now() <= timedelta(minutes=15)
    world.clock.move_to(due)
    # Whoever runs it, the row says how it goes on.
    await run_due(old)
    assert len(runs.at) == ran + 1
    assert the_job(world).run_at - due == (
        after if isinstance(after, timedelta) else timedelta(minutes=15)
    )


async def test_the_same_pace_leaves_it_when_it_is_due(world: World, runs: Runs) -> None:
    running = runner(world, runs, HOUR)
    await running.begin_schedules()
    await run_due(running)
    due = the_job(world).run_at
    world.clock.advance(minutes=5)
    await running.begin_schedules()

    assert the_job(world).run_at == due


async def test_a_schedule_that_is_no_more_is_removed(world: World, runs: Runs) -> None:
    await runner(world, runs, HOUR).begin_schedules()
    async with world.around.store.begin() as work:
        await work.jobs.enqueue("settle", dedupe_key="by hand")
        await work.commit()
    await runner(world, runs).begin_schedules()

    assert the_job(world).dedupe_key == "by hand"


async def test_one_that_is_removed_while_it_runs_does_not_come_back(
    world: World, runs: Runs
) -> None:
    running = runner(world, runs, HOUR)
    await running.begin_schedules()
    [job] = await running.claim(limit=1)
    await runner(world, runs).begin_schedules()
    await running.run(job)

    assert list(world.around.store.tables.jobs) == []


async def test_a_runner_that_knows_no_calendar_says_so(world: World, runs: Runs) -> None:
    with pytest.raises(NoCalendar):
        await runner(world, runs, Cron("0 * * * *"), calendar=False).begin_schedules()
