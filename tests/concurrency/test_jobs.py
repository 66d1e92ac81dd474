"""One queue, and many runners: a job is one runner's at a time, a schedule runs once a period."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

import psycopg
import pytest

from domain.shared.running import JobRunner, Schedule
from tests.concurrency.gateway import at_once

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from domain.shared.jobs import Job
    from tests.concurrency.gateway import Gateways

SEEDS = range(5)
RUNNERS = 8
JOBS = 30


class _NotThisTime(Exception):
    pass


def _runner(gateways: Gateways, number: int, **options: object) -> JobRunner:
    around = gateways.around
    begin = gateways.process(number).begin
    return JobRunner(begin, around.clock, around.ids, **{"handlers": {"a": _nothing}, **options})  # type: ignore[arg-type] # Options by name.


async def test_no_two_runners_have_a_job_within_its_lease(
    gateways: Gateways, postgres_dsn: str
) -> None:
    runners = [_runner(gateways, number) for number in range(RUNNERS)]
    for seed in SEEDS:
        gateways.reseed(seed)
        await _enqueue(gateways, JOBS)
        taken: list[Job] = []

        async def claim(runner: JobRunner, taken: list[Job] = taken) -> None:
            for _ in range(JOBS):
                await gateways.hesitate()
                jobs = await runner.claim(limit=3)
                taken.extend(jobs)
                if not jobs:
                    return

        await at_once([claim(it) for it in runners], seed=seed)
        assert Counter(job.id for job in taken) == Counter({job.id: 1 for job in taken})
        assert len(taken) == JOBS
        assert {job.attempts for job in taken} == {1}

        # All of these runners have died: others have their jobs, each of them once more.
        await _end_leases(postgres_dsn)
        died, taken[:] = {job.id for job in taken}, []
        await at_once([claim(it) for it in runners], seed=seed)
        assert sorted(job.id for job in taken) == sorted(died)
        await _run(runners[0], taken)


async def test_a_key_admits_one_job_of_all_that_are_promised_at_once(gateways: Gateways) -> None:
    runner = _runner(gateways, 0)
    for seed in SEEDS:
        gateways.reseed(seed)

        async def promise(place: int) -> None:
            async with gateways.process(place).begin() as work:
                await work.jobs.enqueue("a", dedupe_key="the one")
                await work.merchants.all()  # The job is sent, and holds its key from here on.
                await gateways.hesitate()
                if place % 3:  # The others leave it undone.
                    await work.commit()

        await at_once([promise(place) for place in range(12)], seed=seed)
        taken = await runner.claim(limit=10)
        assert len(taken) == 1
        await at_once([promise(place) for place in range(6)], seed=seed)
        assert await runner.claim(limit=10) == []
        await _run(runner, taken)


@pytest.mark.parametrize("fails", [False, True])
async def test_a_schedule_runs_once_a_period_however_many_runners_there_are(
    gateways: Gateways,
    fails: bool,  # noqa: FBT001 (a parameter of a test)
) -> None:
    runs: list[str] = []

    async def work(arguments: Mapping[str, str]) -> None:
        await gateways.hesitate()
        runs.append(arguments["chain"])
        if fails:
            raise _NotThisTime

    schedules = [Schedule("watch", timedelta(minutes=2), {"chain": it}) for it in ("one", "two")]
    runners = [
        _runner(gateways, number, handlers={"watch": work}, schedules=schedules)
        for number in range(RUNNERS)
    ]

    async def turn(runner: JobRunner) -> None:
        await runner.begin_schedules()
        for _ in range(3):
            await gateways.hesitate()
            for job in await runner.claim(limit=1):
                await runner.run(job)

    for period in range(1, 5):
        gateways.reseed(period)
        await at_once([turn(it) for it in runners], seed=period)
        assert Counter(runs) == {"one": period, "two": period}
        gateways.around.clock.advance(minutes=3)


async def _end_leases(dsn: str) -> None:
    """Let each lease be over: they go by the database's clock, which no test can move."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        await connection.execute("update job set lease_until = now() where lease_until > now()")


async def _enqueue(gateways: Gateways, number: int) -> None:
    async with gateways.process(0).begin() as work:
        for place in range(number):
            await work.jobs.enqueue("a", arguments={"place": str(place)})
        await work.commit()


async def _run(runner: JobRunner, jobs: Sequence[Job]) -> None:
    for job in jobs:
        assert await runner.run(job)


async def _nothing(_: Mapping[str, str]) -> None:
    return
