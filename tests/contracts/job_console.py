"""What every job table shows to an operator, and lets him do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.jobs.model import NOTES_MAX, Happening, QueueStats
from domain.shared.jobs import JobState
from domain.shared.kinds import Queue
from ports.unit_of_work import NotFound
from tests.builders import NOON
from tests.contracts.job_claims import SCHEDULE, do, found, hand_over, start
from tests.contracts.jobs import LATE, MINUTE, OVER, claim, enqueue, reap
from tests.contracts.storage import StorageContract

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.jobs.model import Note
    from domain.shared.ids import JobId
    from domain.shared.jobs import Job
    from ports.unit_of_work import Begin


class JobConsoleContract(StorageContract):
    async def test_the_newest_come_first_page_by_page(self, begin: Begin) -> None:
        for number in range(5):
            await enqueue(begin, f"job {number}", run_at=NOON)

        first = await page(begin, limit=3)
        rest = await page(begin, limit=3, before=first[-1].id)
        assert [job.name for job in first] == ["job 4", "job 3", "job 2"]
        assert [job.name for job in rest] == ["job 1", "job 0"]

    async def test_a_page_may_be_of_a_state_and_a_queue(self, begin: Begin) -> None:
        for name in ("watch_chain", "deliver_webhook", "deliver_webhook"):
            await enqueue(begin, name, run_at=NOON)
        await die(begin, queue=Queue.WEBHOOKS, limit=1)

        assert len(await page(begin, queue=Queue.WEBHOOKS)) == 2
        assert len(await page(begin, state=JobState.READY)) == 2
        [dead] = await page(begin, state=JobState.DEAD, queue=Queue.WEBHOOKS)
        assert (dead.state, dead.last_error, dead.finished_at) == (JobState.DEAD, "gone", NOON)
        assert await page(begin, state=JobState.DEAD, queue=Queue.CHAINS) == []

    async def test_there_is_no_such_job(self, begin: Begin) -> None:
        with pytest.raises(NotFound):
            async with begin() as work:
                await work.job_console.find("job_none")  # type: ignore[arg-type]  # Of that form.

    async def test_what_became_of_a_job_is_kept_with_it(self, begin: Begin) -> None:
        await enqueue(begin, "relay", run_at=NOON)
        [job] = await claim(begin, at=NOON, runner="one")
        await do(
            begin,
            lambda work: work.jobs.retry(
                job, at=NOON + MINUTE, run_at=NOON, error="no\0pe", traceback="line 1\nline 2"
            ),
        )
        await claim(begin, at=NOON + MINUTE, lease=OVER, runner="two")
        await reap(begin, at=NOON + 3 * MINUTE)
        [job] = await claim(begin, at=NOON + 3 * MINUTE, runner="three")
        await do(begin, lambda work: work.jobs.complete(job, at=NOON + 4 * MINUTE))

        failed, lost, done = await log(begin, job.id)
        assert (failed.what, failed.at, failed.since) == (Happening.FAILED, NOON + MINUTE, NOON)
        assert (failed.attempt, failed.runner) == (1, "one")
        assert (failed.error or "").startswith("no")
        assert failed.traceback == "line 1\nline 2"
        assert (lost.what, lost.attempt, lost.runner) == (Happening.LOST, 2, "two")
        assert lost.error == "two did not come back"
        assert (done.what, done.attempt, done.runner) == (Happening.DONE, 3, "three")
        assert done.error is done.traceback is None

    async def test_a_schedule_notes_its_failures_alone_and_the_last_of_them(
        self, begin: Begin
    ) -> None:
        await do(begin, lambda work: work.jobs.schedule("watch", **SCHEDULE))
        for number in range(NOTES_MAX + 2):
            [job] = await claim(begin)
            told = str(number)
            await do(
                begin,
                lambda work, job=job, told=told: work.jobs.retry(
                    job, at=NOON, run_at=NOON, error=told
                ),
            )
        [job] = await claim(begin)
        await do(begin, lambda work: work.jobs.repeat(job, run_at=NOON))

        notes = await log(begin, job.id)
        assert [note.error for note in notes] == [str(n) for n in range(2, NOTES_MAX + 2)]

    async def test_jobs_are_counted_by_queue_and_state(self, begin: Begin) -> None:
        for minutes in (0, 1, 5):
            await enqueue(begin, "deliver_webhook", run_at=NOON + minutes * MINUTE)
        await enqueue(begin, "watch_chain", run_at=NOON)
        await claim(begin, queues=[Queue.CHAINS])
        await enqueue(begin, "expire_intents", run_at=NOON)
        await hand_over(begin, queues=[Queue.UPKEEP])

        await enqueue(begin, "run_settlements", run_at=NOON)
        [job] = await claim(begin, queues=[Queue.MONEY])
        await do(begin, lambda work: work.jobs.complete(job, at=NOON))

        stats = await do(begin, lambda work: work.job_console.stats(at=NOON + MINUTE))
        assert {each.queue: each for each in stats} == {
            Queue.CHAINS: QueueStats(Queue.CHAINS, None, running=1),
            Queue.MONEY: QueueStats(Queue.MONEY, None, done=1),
            Queue.UPKEEP: QueueStats(Queue.UPKEEP, None, queued=1),
            Queue.WEBHOOKS: QueueStats(
                Queue.WEBHOOKS, None, ready=2, scheduled=1, oldest_due=NOON
            ),
        }
        backlog = await do(
            begin, lambda work: work.job_console.stats(at=NOON + MINUTE, with_done=False)
        )
        assert backlog == [attrs.evolve(each, done=0) for each in stats]


class PauseContract(StorageContract):
    async def test_nothing_of_a_paused_queue_is_taken(self, begin: Begin) -> None:
        for name in ("deliver_webhook", "watch_chain"):
            await enqueue(begin, name, run_at=NOON)
        assert await pause(begin)
        assert not await pause(begin, minutes=5)

        assert [job.name for job in await claim(begin)] == ["watch_chain"]
        assert await hand_over(begin) == []
        stats = await do(begin, lambda work: work.job_console.stats(at=NOON))
        assert {each.queue: each.paused_since for each in stats}[Queue.WEBHOOKS] == NOON
        assert await do(begin, lambda work: work.job_console.resume(Queue.WEBHOOKS))
        assert not await do(begin, lambda work: work.job_console.resume(Queue.WEBHOOKS))
        assert [job.name for job in await claim(begin)] == ["deliver_webhook"]

    async def test_what_is_on_the_way_when_its_queue_is_paused_waits(self, begin: Begin) -> None:
        await enqueue(begin, "deliver_webhook", run_at=NOON)
        [job] = await hand_over(begin)
        await pause(begin)

        assert await start(begin, job) is None
        assert (await found(begin, job)).state is JobState.READY

    async def test_what_runs_when_its_queue_is_paused_ends(self, begin: Begin) -> None:
        await enqueue(begin, "deliver_webhook", run_at=NOON)
        [job] = await claim(begin)
        await pause(begin)
        await do(begin, lambda work: work.jobs.complete(job, at=NOON))

        assert (await found(begin, job)).state is JobState.DONE


class RetryByHandContract(StorageContract):
    async def test_a_dead_job_is_ready_again_with_all_its_attempts(self, begin: Begin) -> None:
        await enqueue(begin, "deliver_webhook", run_at=NOON)
        [job] = await die(begin)

        assert await retry(begin, job.id)
        assert not await retry(begin, job.id)
        [again] = await claim(begin, at=LATE)
        assert (again.id, again.attempts, again.run_at) == (job.id, 1, NOON + MINUTE)
        buried, retried = await log(begin, job.id)
        assert (buried.what, retried.what) == (Happening.BURIED, Happening.RETRIED)
        assert buried.traceback == "where"

    async def test_one_whose_key_another_has_stays_dead(self, begin: Begin) -> None:
        await enqueue(begin, "deliver_webhook", run_at=NOON, dedupe_key="wd/1")
        [job] = await die(begin)
        await enqueue(begin, "deliver_webhook", run_at=NOON, dedupe_key="wd/1")

        assert not await retry(begin, job.id)
        assert await retry_dead(begin) == 0

    async def test_all_dead_of_a_queue_are_retried_in_bounded_steps(self, begin: Begin) -> None:
        for number in range(4):
            await enqueue(begin, "deliver_webhook", run_at=NOON, dedupe_key=f"wd/{number}")
        await enqueue(begin, "watch_chain", run_at=NOON)
        await die(begin)
        for _ in range(2):
            # Two of one key, which must not be ready both.
            await enqueue(begin, "deliver_webhook", run_at=NOON, dedupe_key="wd/0")
            await die(begin)

        assert [await retry_dead(begin, limit=3) for _ in range(3)] == [3, 1, 0]
        assert len(await page(begin, state=JobState.DEAD, queue=Queue.WEBHOOKS)) == 2
        assert len(await page(begin, state=JobState.DEAD, queue=Queue.CHAINS)) == 1


class CleaningContract(StorageContract):
    async def test_what_ended_long_ago_is_deleted_in_bounded_steps(self, begin: Begin) -> None:
        for _ in range(5):
            await enqueue(begin, "deliver_webhook", run_at=NOON)
        await enqueue(begin, "watch_chain", run_at=NOON)
        await die(begin)
        await enqueue(begin, "deliver_webhook", run_at=NOON)

        assert await clean(begin, before=NOON) == 0
        assert await clean(begin, state=JobState.DONE) == 0
        assert await clean(begin, limit=2, queue=Queue.WEBHOOKS) == 2
        assert await clean(begin, queue=Queue.WEBHOOKS) == 3
        assert await clean(begin) == 1
        [left] = await page(begin)
        assert left.state is JobState.READY

    async def test_what_is_cleaned_takes_its_log_with_it(self, begin: Begin) -> None:
        await enqueue(begin, "watch_chain", run_at=NOON)
        [job] = await die(begin)
        assert len(await log(begin, job.id)) == 1
        await clean(begin)

        with pytest.raises(NotFound):
            await log(begin, job.id)


async def page(
    begin: Begin,
    *,
    limit: int = 99,
    state: JobState | None = None,
    queue: Queue | None = None,
    before: JobId | None = None,
) -> Sequence[Job]:
    async with begin() as work:
        return await work.job_console.page(limit=limit, state=state, queue=queue, before=before)


async def log(begin: Begin, job_id: JobId) -> Sequence[Note]:
    async with begin() as work:
        return (await work.job_console.find(job_id)).log


async def pause(begin: Begin, *, minutes: int = 0) -> bool:
    at = NOON + minutes * MINUTE
    return bool(await do(begin, lambda work: work.job_console.pause(Queue.WEBHOOKS, at=at)))


async def die(begin: Begin, *, queue: Queue | None = None, limit: int = 99) -> list[Job]:
    """Have every job that is due fail for good, or some of a queue."""
    jobs = await claim(begin, queues=None if queue is None else [queue], limit=limit)
    async with begin() as work:
        for job in jobs:
            await work.jobs.bury(job, at=NOON, error="gone", traceback="where")
        await work.commit()
    return jobs


async def retry(begin: Begin, job_id: JobId) -> bool:
    return bool(await do(begin, lambda work: work.job_console.retry(job_id, at=NOON + MINUTE)))


async def retry_dead(begin: Begin, *, limit: int = 9) -> int:
    async with begin() as work:
        retried = await work.job_console.retry_dead(Queue.WEBHOOKS, at=NOON, limit=limit)
        await work.commit()
        return retried


async def clean(
    begin: Begin,
    *,
    state: JobState = JobState.DEAD,
    before: datetime = NOON + timedelta(seconds=1),
    limit: int = 9,
    queue: Queue | None = None,
) -> int:
    async with begin() as work:
        deleted = await work.job_console.clean(
            state=state, finished_before=before, limit=limit, queue=queue
        )
        await work.commit()
        return deleted
