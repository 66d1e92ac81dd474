"""The job table, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from adapters.memory.turn import Turn
from domain.jobs.model import NOTES_MAX, Happening, Note
from domain.shared.ids import JobId
from domain.shared.jobs import LEASED, Job, JobState
from domain.shared.kinds import Queue, kind_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta

    from adapters.memory.store import Tables


@attrs.frozen
class InMemoryJobs:
    """The job table. Ends of claims that are over are passed over, as after a lost lease."""

    _turn: Turn

    async def enqueue(
        self,
        name: str,
        *,
        arguments: Mapping[str, str] | None = None,
        run_at: datetime | None = None,
        dedupe_key: str | None = None,
    ) -> None:
        """Promise a job, to run not before a time (None: at once)."""
        now = self._now()
        job = self._new(name, arguments or {}, run_at or now, dedupe_key)
        if run_at is not None and run_at > now:
            job = attrs.evolve(job, standing=job.priority.behind)
        await self._add(job)

    async def schedule(
        self,
        name: str,
        *,
        arguments: Mapping[str, str],
        dedupe_key: str,
        pace: str,
        first_at: datetime,
        adapted_at: datetime,
    ) -> None:
        """See to it that there is one job that comes back, under this key and at this pace."""
        tables = await self._turn.tables()
        known = tables.jobs.where(open_key=dedupe_key)
        if not known:
            job = self._new(name, arguments, first_at, dedupe_key)
            await self._add(attrs.evolve(job, pace=pace))
        elif known[0].pace != pace or _waits_beyond(known[0], adapted_at):
            adapted = attrs.evolve(known[0], pace=pace, run_at=adapted_at)
            tables.jobs.put(adapted.id, adapted)

    async def unschedule(self, *, but: Sequence[str]) -> int:
        """Remove the jobs that come back, but for those with these keys; return how many."""
        tables = await self._turn.tables()
        gone = [job for job in tables.jobs if job.pace is not None and job.dedupe_key not in but]
        for job in gone:
            tables.jobs.remove(job.id)
        return len(gone)

    async def claim(
        self,
        *,
        at: datetime,
        limit: int,
        lease: timedelta,
        queues: Sequence[Queue] | None = None,
        runner: str = "",
    ) -> Sequence[Job]:
        """Take due jobs of queues that are not paused, none that another has taken."""
        tables = await self._turn.tables()
        taken = [
            attrs.evolve(job, state=JobState.RUNNING, attempts=job.attempts + 1, started_at=at)
            for job in self._taken(tables, at, limit, lease, queues, runner)
        ]
        for job in taken:
            tables.jobs.put(job.id, job)
        return taken

    async def hand_over(
        self,
        *,
        at: datetime,
        limit: int,
        lease: timedelta,
        queues: Sequence[Queue] | None = None,
        runner: str = "",
    ) -> Sequence[Job]:
        """Take due jobs as ``claim`` does, to be begun by whoever the transport brings them to."""
        tables = await self._turn.tables()
        queued = sum(job.runner == runner for job in tables.jobs.where(state=JobState.QUEUED))
        taken = [
            attrs.evolve(job, state=JobState.QUEUED)
            for job in self._taken(tables, at, max(limit - queued, 0), lease, queues, runner)
        ]
        for job in taken:
            tables.jobs.put(job.id, job)
        return taken

    async def begin(
        self, job_id: JobId, *, claims: int, at: datetime, lease: timedelta, runner: str = ""
    ) -> Job | None:
        """Begin a queued job; None where the claim is over, or is being run already."""
        tables = await self._turn.tables()
        job = tables.jobs.get(job_id)
        if job is None or (job.state, job.claims) != (JobState.QUEUED, claims):
            return None
        if job.queue in tables.paused_queues:
            tables.jobs.put(job_id, attrs.evolve(job, state=JobState.READY, lease_until=None))
            return None
        begun = attrs.evolve(
            job,
            state=JobState.RUNNING,
            attempts=job.attempts + 1,
            started_at=at,
            lease_until=self._now() + lease,
            runner=runner,
        )
        tables.jobs.put(job_id, begun)
        return begun

    async def renew(self, jobs: Sequence[Job], *, lease: timedelta) -> None:
        """Let the leases of running jobs begin anew, as one who still has them."""
        tables = await self._turn.tables()
        for job in jobs:
            if mine := _claimed(tables, job, JobState.RUNNING):
                tables.jobs.put(mine.id, attrs.evolve(mine, lease_until=self._now() + lease))

    async def put_back(self, jobs: Sequence[Job]) -> None:
        """Make claimed jobs that were not begun ready again, as if they had not been taken."""
        tables = await self._turn.tables()
        for job in jobs:
            if mine := _claimed(tables, job, job.state):
                begun = mine.state is JobState.RUNNING
                back = attrs.evolve(
                    mine, state=JobState.READY, lease_until=None, attempts=mine.attempts - begun
                )
                tables.jobs.put(mine.id, back)

    async def complete(self, job: Job, *, at: datetime) -> None:
        """Mark a running job as done."""
        await self._end(job, at, Happening.DONE, state=JobState.DONE, finished_at=at)

    async def retry(
        self, job: Job, *, at: datetime, run_at: datetime, error: str, traceback: str | None = None
    ) -> None:
        """Give a running job back, to be run again later, behind those that never failed."""
        await self._end(
            job,
            at,
            Happening.FAILED,
            error=error,
            traceback=traceback,
            state=JobState.READY,
            run_at=run_at,
            standing=job.priority.behind,
        )

    async def repeat(self, job: Job, *, run_at: datetime) -> None:
        """Give a running job back after it went well, to be run again."""
        await self._end(
            job,
            None,
            None,
            state=JobState.READY,
            run_at=run_at,
            attempts=0,
            last_error=None,
            standing=job.priority,
        )

    async def bury(
        self, job: Job, *, at: datetime, error: str, traceback: str | None = None
    ) -> bool:
        """Give a running job up; return False where the claim is over."""
        return await self._end(
            job,
            at,
            Happening.BURIED,
            error=error,
            traceback=traceback,
            state=JobState.DEAD,
            finished_at=at,
        )

    async def reap(self, *, at: datetime) -> Sequence[Job]:
        """Give back every job whose lease is over; return them as they are now."""
        tables = await self._turn.tables()
        now = self._now()
        over = [
            job
            for state in sorted(LEASED)
            for job in tables.jobs.where(state=state)
            if job.lease_until is not None and job.lease_until <= now
        ]
        reaped = []
        for job in over:
            changes: dict[str, Any] = {"state": JobState.READY, "lease_until": None}
            if job.state is JobState.RUNNING:
                error = lost(job)
                note_down(tables, job, at, Happening.LOST, error=error)
                changes |= {"standing": job.priority.behind, "last_error": error}
                if job.pace is None and job.attempts >= job.attempts_max:
                    changes |= {"state": JobState.DEAD, "finished_at": at}
            back = attrs.evolve(job, **changes)
            tables.jobs.put(job.id, back)
            reaped.append(back)
        return reaped

    def _now(self) -> datetime:
        """Return the time by the store's clock, which is nobody's own."""
        return self._turn.store.clock.now()

    def _new(
        self, name: str, arguments: Mapping[str, str], run_at: datetime, dedupe_key: str | None
    ) -> Job:
        kind = kind_of(name)
        return Job(
            id=JobId(self._turn.store.ids.new("job")),
            name=name,
            arguments=dict(arguments),
            run_at=run_at,
            attempts_max=kind.attempts_max,
            dedupe_key=dedupe_key,
            queue=kind.queue,
            priority=kind.priority,
            standing=kind.priority,
        )

    async def _add(self, job: Job) -> None:
        tables = await self._turn.tables()
        if job.dedupe_key is None or not tables.jobs.where(open_key=job.dedupe_key):
            tables.jobs.put(job.id, job)

    def _taken(
        self,
        tables: Tables,
        at: datetime,
        limit: int,
        lease: timedelta,
        queues: Sequence[Queue] | None,
        runner: str,
    ) -> list[Job]:
        served = set(Queue if queues is None else queues)
        served -= {queue for queue, _ in tables.paused_queues.items()}
        due = [
            job
            for job in tables.jobs.where(state=JobState.READY)
            if job.run_at <= at and job.queue in served
        ]
        first = sorted(due, key=lambda job: (job.standing, job.run_at, job.id))[:limit]
        return [
            attrs.evolve(
                job, claims=job.claims + 1, lease_until=self._now() + lease, runner=runner
            )
            for job in first
        ]

    async def _end(
        self,
        job: Job,
        at: datetime | None,
        what: Happening | None,
        *,
        error: str | None = None,
        traceback: str | None = None,
        **changes: Any,  # noqa: ANN401 (of any field)
    ) -> bool:
        """End a claim, where it is not over; note it down where something is to be noted."""
        tables = await self._turn.tables()
        if mine := _claimed(tables, job, JobState.RUNNING):
            if at is not None and what is not None:
                note_down(tables, mine, at, what, error=error, traceback=traceback)
            if error is not None:
                changes["last_error"] = error
            tables.jobs.put(mine.id, attrs.evolve(mine, lease_until=None, **changes))
        return mine is not None


def _waits_beyond(job: Job, at: datetime) -> bool:
    return job.state is JobState.READY and job.run_at > at


def lost(job: Job) -> str:
    """Return what is told of a job whose runner did not come back."""
    return f"{job.runner or 'its runner'} did not come back"


def note_down(
    tables: Tables,
    job: Job,
    at: datetime,
    what: Happening,
    *,
    error: str | None = None,
    traceback: str | None = None,
) -> None:
    """Add a note to a job's log, and keep the newest ones."""
    attempt = job.attempts
    note = Note(at, what, attempt, job.runner, job.started_at, error, traceback)
    tables.job_logs.put(job.id, (*(tables.job_logs.get(job.id) or ()), note)[-NOTES_MAX:])


def _claimed(tables: Tables, job: Job, *states: JobState) -> Job | None:
    """Return a job as it is now, where it is still in the claim that was given."""
    now = tables.jobs.get(job.id)
    return now if now and now.state in states and now.claims == job.claims else None
