"""What an operator does with jobs."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.jobs.model import Happening
from domain.jobs.service import BATCH, JobNotRetried, JobService, Retention
from domain.shared.jobs import JobState
from domain.shared.kinds import Queue
from domain.shared.running import TRACEBACK_MAX, JobRunner
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.shared.ids import JobId
    from domain.shared.jobs import Job
    from tests.domain.world import World


@pytest.fixture
def service(world: World) -> JobService:
    return JobService(
        world.around.store.begin,
        world.clock,
        Retention(done=timedelta(days=1), dead=timedelta(days=9)),
    )


@pytest.fixture
def runner(world: World) -> JobRunner:
    async def deliver_webhook(arguments: Mapping[str, str]) -> None:
        if "fails" in arguments:
            raise RuntimeError(arguments["fails"])

    return JobRunner(
        world.around.store.begin,
        world.clock,
        world.around.ids,
        {"deliver_webhook": deliver_webhook},
        name="here",
    )


async def promise(world: World, number: int = 1, **arguments: str) -> JobId:
    async with world.around.store.begin() as work:
        for _ in range(number):
            await work.jobs.enqueue("deliver_webhook", arguments=arguments)
        await work.commit()
    return jobs(world)[-1].id


def jobs(world: World) -> list[Job]:
    return list(world.around.store.tables.jobs)


async def run_out(world: World, runner: JobRunner) -> None:
    """Run jobs until none is left to be tried."""
    for _ in range(25):
        for job in await runner.claim(limit=BATCH * 2):
            await runner.run(job)
        world.clock.advance(minutes=20)


async def test_a_dead_job_tells_all_that_became_of_it(
    world: World, service: JobService, runner: JobRunner
) -> None:
    job_id = await promise(world, fails="x" * TRACEBACK_MAX)
    await run_out(world, runner)

    history = await service.show(job_id=job_id)
    assert history.job.state is JobState.DEAD
    assert [note.what for note in history.log] == [Happening.FAILED] * 19 + [Happening.BURIED]
    assert [note.attempt for note in history.log] == [*range(1, 21)]
    last = history.log[-1]
    assert last.runner == "here"
    assert (last.error or "").startswith("RuntimeError: xxx")
    assert len(last.traceback or "") == TRACEBACK_MAX


async def test_what_was_retried_by_hand_may_fail_as_often_again(
    world: World, service: JobService, runner: JobRunner
) -> None:
    job_id = await promise(world, fails="no")
    await run_out(world, runner)
    await service.retry(job_id=job_id)
    await run_out(world, runner)

    history = await service.show(job_id=job_id)
    assert history.job.attempts == 20
    assert [note.what for note in history.log].count(Happening.BURIED) == 2
    with pytest.raises(NotFound):
        await service.retry(job_id=job_id[:-1])  # type: ignore[arg-type]  # Of that form.


async def test_what_is_not_dead_is_not_retried(world: World, service: JobService) -> None:
    with pytest.raises(JobNotRetried):
        await service.retry(job_id=await promise(world))


async def test_all_dead_are_retried_batch_by_batch(
    world: World, service: JobService, runner: JobRunner
) -> None:
    await promise(world, BATCH + 1, fails="no")
    await run_out(world, runner)

    assert await service.retry_dead(queue=Queue.MONEY) == 0
    assert await service.retry_dead(queue=Queue.WEBHOOKS) == BATCH + 1
    assert {job.state for job in jobs(world)} == {JobState.READY}


async def test_a_paused_queue_stands_still_until_it_is_resumed(
    world: World, service: JobService, runner: JobRunner
) -> None:
    await promise(world)
    await service.pause(queue=Queue.WEBHOOKS)
    await run_out(world, runner)
    stats = {each.queue: each for each in await service.stats()}
    assert (stats[Queue.WEBHOOKS].ready, stats[Queue.WEBHOOKS].done) == (1, 0)
    assert stats[Queue.WEBHOOKS].paused_since

    await service.resume(queue=Queue.WEBHOOKS)
    await run_out(world, runner)
    assert {each.queue: each.done for each in await service.stats()}[Queue.WEBHOOKS] == 1


async def test_what_ended_long_ago_is_pruned_the_dead_later(
    world: World, service: JobService, runner: JobRunner
) -> None:
    await promise(world, BATCH + 1)
    await promise(world, fails="no")
    await run_out(world, runner)
    await promise(world)

    assert await service.prune() == 0
    world.clock.advance(days=1)
    assert await service.prune() == BATCH + 1
    assert [job.state for job in await service.page(limit=9)] == [JobState.READY, JobState.DEAD]
    world.clock.advance(days=9)
    assert await service.prune() == 1
    assert [job.state for job in await service.page(limit=9)] == [JobState.READY]
