"""Whose a job is: what is taken first, by whom, for how long, and whose word about it counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from domain.shared.jobs import JobState
from domain.shared.kinds import Priority, Queue
from tests.builders import NOON
from tests.contracts.jobs import LATE, MINUTE, OVER, claim, enqueue, reap
from tests.contracts.storage import StorageContract

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence
    from datetime import timedelta

    from domain.shared.jobs import Job
    from ports.unit_of_work import Begin, UnitOfWork

URGENT, NORMAL, PATIENT = "send_transactions", "run_settlements", "prune_jobs"
"""Kinds of job, named after their priority."""
SCHEDULE = {
    "arguments": {"chain": "one"},
    "dedupe_key": "schedule:watch",
    "pace": "every 60 s",
    "first_at": NOON,
    "adapted_at": NOON + MINUTE,
}

ENDS: dict[str, Callable[[UnitOfWork, Job], Awaitable[object]]] = {
    "complete": lambda work, job: work.jobs.complete(job, at=LATE),
    "retry": lambda work, job: work.jobs.retry(job, at=LATE, run_at=LATE, error="no"),
    "repeat": lambda work, job: work.jobs.repeat(job, run_at=LATE),
    "bury": lambda work, job: work.jobs.bury(job, at=LATE, error="no"),
    "renew": lambda work, job: work.jobs.renew([job], lease=MINUTE),
    "put_back": lambda work, job: work.jobs.put_back([job]),
}
"""What may be said about a running job."""


class JobOrderContract(StorageContract):
    async def test_the_kind_settles_queue_and_priority(self, begin: Begin) -> None:
        for name in (URGENT, "anything"):
            await enqueue(begin, name)

        urgent, any_ = await claim(begin)
        assert (urgent.queue, urgent.priority) == (Queue.MONEY, Priority.URGENT)
        assert (any_.queue, any_.priority) == (Queue.UPKEEP, Priority.NORMAL)

    async def test_the_urgent_goes_before_the_longer_due(self, begin: Begin) -> None:
        await enqueue(begin, PATIENT, run_at=NOON - 2 * MINUTE)
        await enqueue(begin, NORMAL, run_at=NOON - MINUTE)
        await enqueue(begin, URGENT, run_at=NOON)

        assert [job.name for job in await claim(begin, limit=2)] == [URGENT, NORMAL]
        assert [job.name for job in await claim(begin)] == [PATIENT]

    async def test_what_was_put_off_does_not_hold_up_what_is_in_time(self, begin: Begin) -> None:
        for _ in range(3):
            await enqueue(begin, NORMAL, run_at=LATE - 2 * MINUTE)
        await enqueue(begin, NORMAL)

        [first, *rest] = await claim(begin)
        assert first.run_at < LATE - 2 * MINUTE
        assert [job.standing for job in rest] == [Priority.NORMAL.behind] * 3

    async def test_what_failed_waits_behind_what_did_not(self, begin: Begin) -> None:
        await enqueue(begin, NORMAL, run_at=NOON)
        [failed] = await claim(begin)
        await do(
            begin,
            lambda work: work.jobs.retry(failed, at=NOON, run_at=NOON - MINUTE, error="no"),
        )
        await enqueue(begin, NORMAL, run_at=NOON)

        fresh, again = await claim(begin)
        assert (fresh.attempts, again.id) == (1, failed.id)

    async def test_a_schedule_is_never_behind(self, begin: Begin) -> None:
        await do(begin, lambda work: work.jobs.schedule(URGENT, **SCHEDULE))
        [job] = await claim(begin)
        await do(begin, lambda work: work.jobs.repeat(job, run_at=NOON))

        [again] = await claim(begin)
        assert again.standing == Priority.URGENT

    async def test_a_runner_takes_of_its_queues_alone(self, begin: Begin) -> None:
        for name in (URGENT, "watch_chain", "deliver_webhook"):
            await enqueue(begin, name, run_at=NOON)

        assert await claim(begin, queues=[]) == []
        taken = await claim(begin, queues=[Queue.CHAINS, Queue.WEBHOOKS])
        assert {job.name for job in taken} == {"watch_chain", "deliver_webhook"}
        assert [job.name for job in await claim(begin)] == [URGENT]


class LeasesContract(StorageContract):
    @pytest.mark.parametrize("end", ENDS)
    async def test_whoever_has_lost_a_job_changes_nothing(self, begin: Begin, end: str) -> None:
        await enqueue(begin, "relay", run_at=NOON)
        [lost] = await claim(begin, at=NOON, lease=OVER)
        await reap(begin, at=NOON + MINUTE)
        [present] = await claim(begin, at=NOON + MINUTE)
        await do(begin, lambda work: ENDS[end](work, lost))

        assert await found(begin, lost) == present

    @pytest.mark.parametrize("end", ["complete", "retry", "bury"])
    async def test_nor_where_it_was_begun_anew_meanwhile(self, begin: Begin, end: str) -> None:
        """A schedule counts its attempts from zero again, so they name no run of it."""
        await do(begin, lambda work: work.jobs.schedule("watch", **SCHEDULE))
        [lost] = await claim(begin, at=NOON, lease=OVER)
        await reap(begin, at=NOON + MINUTE)
        [second] = await claim(begin, at=NOON + MINUTE)
        await do(begin, lambda work: work.jobs.repeat(second, run_at=NOON))
        [present] = await claim(begin, at=NOON + MINUTE)
        assert present.attempts == lost.attempts
        await do(begin, lambda work: ENDS[end](work, lost))

        assert await found(begin, lost) == present

    async def test_a_lease_that_is_renewed_lasts(self, begin: Begin) -> None:
        for name in ("one", "other", "third"):
            await enqueue(begin, name, run_at=NOON)
        kept = await claim(begin, at=NOON, limit=2, lease=OVER)
        await claim(begin, at=NOON, lease=OVER)
        await do(begin, lambda work: work.jobs.renew(kept, lease=MINUTE))

        assert await reap(begin, at=NOON) == 1
        await do(begin, lambda work: work.jobs.renew(kept, lease=OVER))
        assert await reap(begin, at=NOON) == 2

    @pytest.mark.parametrize("ahead", [MINUTE, -MINUTE], ids=["fast", "slow"])
    async def test_runners_whose_clocks_differ_take_no_job_from_each_other(
        self, begin: Begin, ahead: timedelta
    ) -> None:
        await enqueue(begin, "relay", run_at=NOON - MINUTE)
        [job] = await claim(begin, at=NOON + ahead, lease=MINUTE / 3)

        for minutes in (-60, -1, 0, 1, 60):
            assert await reap(begin, at=NOON + minutes * MINUTE) == 0
        await do(begin, lambda work: work.jobs.renew([job], lease=MINUTE / 3))
        assert await reap(begin, at=LATE) == 0
        await do(begin, lambda work: work.jobs.complete(job, at=NOON + ahead))
        assert (await found(begin, job)).state is JobState.DONE

    async def test_what_was_not_begun_is_put_back_as_it_was(self, begin: Begin) -> None:
        await enqueue(begin, "relay", run_at=NOON)
        jobs = await claim(begin, at=NOON)
        await do(begin, lambda work: work.jobs.put_back(jobs))

        [job] = await claim(begin, at=NOON)
        assert (job.attempts, job.standing, job.claims) == (1, Priority.NORMAL, 2)

    async def test_a_job_that_ends_its_runners_is_buried(self, begin: Begin) -> None:
        await enqueue(begin, "relay", run_at=NOON)
        [job] = await claim(begin, lease=OVER)
        for _ in range(1, job.attempts_max):
            await reap(begin, at=LATE)
            [job] = await claim(begin, lease=OVER, runner="doomed")

        reaped = await do(begin, lambda work: work.jobs.reap(at=LATE))
        buried = await found(begin, job)
        assert reaped == [buried]
        assert (buried.state, buried.finished_at) == (JobState.DEAD, LATE)
        assert buried.last_error == "doomed did not come back"

    async def test_a_schedule_that_ends_its_runners_comes_back(self, begin: Begin) -> None:
        await do(begin, lambda work: work.jobs.schedule("watch", **SCHEDULE))
        for _ in range(25):
            assert len(await claim(begin, lease=OVER)) == 1
            await reap(begin, at=LATE)

        assert len(await claim(begin)) == 1


class RunnersClocksContract(StorageContract):
    """What runners with other clocks leave behind does no lasting harm."""

    async def test_a_schedule_that_waits_for_longer_than_its_pace_is_drawn_back(
        self, begin: Begin
    ) -> None:
        await do(begin, lambda work: work.jobs.schedule("watch", **SCHEDULE))
        [job] = await claim(begin, at=NOON + 60 * MINUTE)
        await do(begin, lambda work: work.jobs.repeat(job, run_at=NOON + 61 * MINUTE))
        await do(begin, lambda work: work.jobs.schedule("watch", **SCHEDULE))

        assert await claim(begin, at=NOON + MINUTE / 2) == []
        [again] = await claim(begin, at=NOON + MINUTE)
        assert (again.id, again.run_at) == (job.id, NOON + MINUTE)

    async def test_a_schedule_that_runs_is_left_to_its_runner(self, begin: Begin) -> None:
        await do(begin, lambda work: work.jobs.schedule("watch", **SCHEDULE))
        [job] = await claim(begin)
        early = {**SCHEDULE, "adapted_at": NOON - MINUTE}
        await do(begin, lambda work: work.jobs.schedule("watch", **early))

        assert await found(begin, job) == job


class HandingOverContract(StorageContract):
    async def test_what_is_handed_over_is_begun_once(self, begin: Begin) -> None:
        await enqueue(begin, "relay", run_at=NOON)
        [job] = await hand_over(begin)
        assert (job.state, job.attempts) == (JobState.QUEUED, 0)
        assert job.lease_until is not None
        assert await claim(begin) == await hand_over(begin) == []

        begun = await start(begin, job, runner="me")
        assert begun is not None
        assert (begun.state, begun.attempts, begun.runner) == (JobState.RUNNING, 1, "me")
        assert await start(begin, job) is None
        assert await found(begin, job) == begun

    async def test_a_message_of_a_claim_that_is_over_begins_nothing(self, begin: Begin) -> None:
        await enqueue(begin, "relay", run_at=NOON)
        [old] = await hand_over(begin, lease=OVER)
        assert await reap(begin, at=NOON + MINUTE) == 1
        assert await start(begin, old) is None
        [new] = await hand_over(begin)

        assert await start(begin, old) is None
        begun = await start(begin, new)
        assert begun is not None
        await do(begin, lambda work: work.jobs.complete(begun, at=NOON))
        assert await start(begin, new) is None
        # A message that was lost is nobody's fault.
        assert (begun.attempts, begun.standing) == (1, Priority.NORMAL)

    async def test_a_key_is_taken_while_its_job_is_on_the_way(self, begin: Begin) -> None:
        await enqueue(begin, "relay", run_at=NOON, dedupe_key="relay/1")
        await hand_over(begin)
        await enqueue(begin, "relay", run_at=NOON, dedupe_key="relay/1")

        assert await claim(begin) == []

    async def test_a_runner_hands_over_so_many_at_a_time(self, begin: Begin) -> None:
        for _ in range(6):
            await enqueue(begin, "relay", run_at=NOON)

        first = await hand_over(begin, limit=2)
        assert len(first) == 2
        assert await hand_over(begin, limit=2) == []
        assert len(await hand_over(begin, limit=3)) == 1
        assert len(await hand_over(begin, limit=2, runner="other")) == 2
        assert await start(begin, first[0], runner="other") is not None
        assert len(await hand_over(begin, limit=3)) == 1

    async def test_what_the_broker_did_not_take_is_ready_again(self, begin: Begin) -> None:
        for _ in range(2):
            await enqueue(begin, "relay", run_at=NOON)
        jobs = await hand_over(begin)
        begun = await start(begin, jobs[0])
        assert begun is not None
        await do(begin, lambda work: work.jobs.put_back(jobs))

        assert await found(begin, begun) == begun
        [again] = await hand_over(begin)
        assert (again.id, again.claims) == (jobs[1].id, 2)


async def do(begin: Begin, act: Any) -> Any:  # noqa: ANN401 (whatever a test does)
    async with begin() as work:
        answer = await act(work)
        await work.commit()
        return answer


async def found(begin: Begin, job: Job) -> Job:
    async with begin() as work:
        return (await work.job_console.find(job.id)).job


async def hand_over(
    begin: Begin,
    *,
    limit: int = 9,
    lease: timedelta = MINUTE,
    runner: str = "relay",
    queues: Sequence[Queue] | None = None,
) -> Sequence[Job]:
    answer: Sequence[Job] = await do(
        begin,
        lambda work: work.jobs.hand_over(
            at=NOON, limit=limit, lease=lease, queues=queues, runner=runner
        ),
    )
    return answer


async def start(begin: Begin, job: Job, *, runner: str = "") -> Job | None:
    answer: Job | None = await do(
        begin,
        lambda work: work.jobs.begin(
            job.id, claims=job.claims, at=NOON, lease=MINUTE, runner=runner
        ),
    )
    return answer
