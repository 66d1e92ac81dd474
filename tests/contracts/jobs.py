"""What every job table keeps: a promised job is run, and by one runner at a time."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.shared.jobs import JobState
from tests.builders import NOON
from tests.contracts.storage import StorageContract

if TYPE_CHECKING:
    from datetime import datetime
    from typing import Any

    from domain.shared.jobs import Job
    from ports.jobs import JobNotices
    from ports.unit_of_work import Begin

MINUTE = timedelta(minutes=1)
LATE = NOON + timedelta(days=36_500)
OVER = -MINUTE
"""A lease that is over when it begins: nobody can move the clock that leases go by."""


class JobsContract(StorageContract):
    async def test_a_job_comes_as_it_was_promised(self, begin: Begin) -> None:
        await enqueue(
            begin, "relay", arguments={"a": "1", "b": "ü"}, run_at=NOON, dedupe_key="relay/1"
        )

        [job] = await claim(begin, at=NOON + MINUTE, lease=2 * MINUTE)

        assert (job.name, dict(job.arguments)) == ("relay", {"a": "1", "b": "ü"})
        assert (job.run_at, job.dedupe_key) == (NOON, "relay/1")
        assert (job.state, job.attempts, job.last_error) == (JobState.RUNNING, 1, None)
        assert job.lease_until is not None

    async def test_a_job_without_a_time_is_due_at_once(self, begin: Begin) -> None:
        await enqueue(begin, "relay")

        [job] = await claim(begin, at=LATE)
        assert dict(job.arguments) == {}

    async def test_a_job_is_not_taken_before_its_time(self, begin: Begin) -> None:
        await enqueue(begin, "relay", run_at=NOON)

        assert await claim(begin, at=NOON - MINUTE) == []
        assert len(await claim(begin, at=NOON)) == 1

    async def test_the_longest_due_is_taken_first(self, begin: Begin) -> None:
        for minutes in (3, 1, 2):
            await enqueue(begin, f"at {minutes}", run_at=NOON + minutes * MINUTE)

        assert [job.name for job in await claim(begin, limit=2)] == ["at 1", "at 2"]
        assert [job.name for job in await claim(begin, limit=2)] == ["at 3"]

    async def test_a_job_promised_by_work_that_was_undone_never_runs(self, begin: Begin) -> None:
        async with begin() as work:
            await work.jobs.enqueue("relay", run_at=NOON)

        assert await claim(begin) == []

    async def test_a_job_whose_taking_was_undone_is_ready_again(self, begin: Begin) -> None:
        await enqueue(begin, "relay", run_at=NOON)
        async with begin() as work:
            assert len(await work.jobs.claim(at=LATE, limit=9, lease=MINUTE)) == 1

        [job] = await claim(begin)
        assert job.attempts == 1

    async def test_a_second_job_with_the_same_key_is_not_added(self, begin: Begin) -> None:
        await enqueue(begin, "scan", run_at=NOON, dedupe_key="scan/1")
        await enqueue(begin, "scan", run_at=NOON - MINUTE, dedupe_key="scan/1")
        await enqueue(begin, "scan", run_at=NOON, dedupe_key="scan/2")

        first, second = await claim(begin)
        await enqueue(begin, "scan", run_at=NOON, dedupe_key="scan/1")
        assert {first.dedupe_key, second.dedupe_key} == {"scan/1", "scan/2"}
        assert first.run_at == second.run_at == NOON
        assert await claim(begin) == [], "the key counts while the job is running, too"

    async def test_two_jobs_with_one_key_in_one_unit_of_work_are_one(self, begin: Begin) -> None:
        async with begin() as work:
            await work.jobs.enqueue("scan", run_at=NOON, dedupe_key="scan/1")
            await work.jobs.enqueue("scan", run_at=NOON, dedupe_key="scan/1")
            await work.commit()

        assert len(await claim(begin)) == 1

    async def test_two_at_once_with_one_key_are_one(self, begin: Begin) -> None:
        await asyncio.gather(
            *(enqueue(begin, "scan", run_at=NOON, dedupe_key="scan/1") for _ in range(4))
        )

        assert len(await claim(begin)) == 1

    @pytest.mark.parametrize("end", ["complete", "bury"])
    async def test_a_key_is_free_again_after_the_end(self, begin: Begin, end: str) -> None:
        await enqueue(begin, "scan", run_at=NOON, dedupe_key="scan/1")
        [job] = await claim(begin)
        async with begin() as work:
            if end == "complete":
                await work.jobs.complete(job, at=NOON)
            else:
                await work.jobs.bury(job, at=NOON, error="tried too often")
            await work.commit()

        assert await claim(begin) == []
        await enqueue(begin, "scan", run_at=NOON, dedupe_key="scan/1")
        [again] = await claim(begin)
        assert again.id != job.id

    async def test_a_job_given_back_comes_again_with_its_error(self, begin: Begin) -> None:
        await enqueue(begin, "relay", run_at=NOON, dedupe_key="relay/1")
        [job] = await claim(begin, at=NOON)
        async with begin() as work:
            await work.jobs.retry(job, at=NOON, run_at=NOON + MINUTE, error="no answer")
            await work.commit()

        assert await claim(begin, at=NOON) == []
        [again] = await claim(begin, at=NOON + MINUTE)
        assert (again.id, again.attempts, again.last_error) == (job.id, 2, "no answer")
        assert again.dedupe_key == "relay/1"

    async def test_a_job_repeated_counts_from_zero_and_forgets_its_error(
        self, begin: Begin
    ) -> None:
        await enqueue(begin, "scan", run_at=NOON, dedupe_key="scan/1")
        [job] = await claim(begin, at=NOON)
        async with begin() as work:
            await work.jobs.retry(job, at=NOON, run_at=NOON, error="no answer")
            await work.commit()
        [job] = await claim(begin, at=NOON)
        async with begin() as work:
            await work.jobs.repeat(job, run_at=NOON + MINUTE)
            await work.commit()

        assert await claim(begin, at=NOON) == []
        [again] = await claim(begin, at=NOON + MINUTE)
        assert (again.id, again.attempts, again.last_error) == (job.id, 1, None)

    async def test_a_job_whose_lease_is_over_is_given_back(self, begin: Begin) -> None:
        await enqueue(begin, "short", run_at=NOON)
        [short] = await claim(begin, at=NOON, lease=OVER)
        await enqueue(begin, "long", run_at=NOON)
        await claim(begin, at=NOON, lease=MINUTE)

        assert await claim(begin, at=NOON + 2 * MINUTE) == [], "a lease ends by being reaped"
        assert await reap(begin, at=NOON + 2 * MINUTE) == 1
        assert await reap(begin, at=NOON + 2 * MINUTE) == 0
        [again] = await claim(begin, at=NOON + 2 * MINUTE)
        assert (again.id, again.attempts) == (short.id, 2)

    async def test_what_is_done_or_buried_is_never_given_back(self, begin: Begin) -> None:
        for name in ("one", "other"):
            await enqueue(begin, name, run_at=NOON)
        one, other = await claim(begin, at=NOON, lease=OVER)
        async with begin() as work:
            await work.jobs.complete(one, at=NOON)
            assert await work.jobs.bury(other, at=NOON, error="hopeless")
            assert not await work.jobs.bury(other, at=NOON, error="hopeless")
            await work.commit()

        assert await reap(begin, at=LATE) == 0
        assert await claim(begin, at=LATE) == []

    async def test_runners_never_take_the_same_job(self, begin: Begin) -> None:
        for n in range(12):
            await enqueue(begin, f"job {n}", run_at=NOON)

        async def run() -> list[str]:
            async with begin() as work:
                jobs = await work.jobs.claim(at=NOON, limit=3, lease=MINUTE)
                await asyncio.sleep(0)
                await work.commit()
                return [job.name for job in jobs]

        taken = await asyncio.gather(*(run() for _ in range(4)))
        left = await claim(begin)

        names = [name for names in taken for name in names] + [job.name for job in left]
        assert sorted(names) == sorted(f"job {n}" for n in range(12))


class JobNoticesContract(StorageContract):
    """A suite over notices of the jobs that ``begin`` enqueues."""

    @pytest.fixture
    def notices(self) -> JobNotices:
        raise NotImplementedError

    async def test_waiting_ends_with_the_time_given(self, notices: JobNotices) -> None:
        async with asyncio.timeout(5):
            await notices.wait(seconds=0.01)

    async def test_waiting_ends_soon_after_a_job_was_enqueued(
        self, begin: Begin, notices: JobNotices
    ) -> None:
        async with asyncio.timeout(10):
            waiting = asyncio.create_task(notices.wait(seconds=60))
            while not waiting.done():
                await enqueue(begin, "relay")
                await asyncio.wait([waiting], timeout=0.05)
            await waiting


async def enqueue(begin: Begin, name: str, **options: Any) -> None:  # noqa: ANN401 (as the port has them)
    async with begin() as work:
        await work.jobs.enqueue(name, **options)
        await work.commit()


async def claim(
    begin: Begin,
    *,
    at: datetime = LATE,
    limit: int = 9,
    lease: timedelta = MINUTE,
    **options: Any,  # noqa: ANN401 (as the port has them)
) -> list[Job]:
    async with begin() as work:
        jobs = await work.jobs.claim(at=at, limit=limit, lease=lease, **options)
        await work.commit()
        return [*jobs]


async def reap(begin: Begin, *, at: datetime) -> int:
    async with begin() as work:
        reaped = await work.jobs.reap(at=at)
        await work.commit()
        return len(reaped)
