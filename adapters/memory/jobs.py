"""The job table, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.turn import Turn
from domain.shared.ids import JobId
from domain.shared.jobs import Job, JobState

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime, timedelta


@attrs.frozen
class InMemoryJobs:
    """The job table. Ends of jobs that are not running are passed over, as after a lost lease."""

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
        tables = await self._turn.tables()
        if dedupe_key is not None and tables.jobs.where(open_key=dedupe_key):
            return
        job = Job(
            id=JobId(self._turn.store.ids.new("job")),
            name=name,
            arguments=dict(arguments or {}),
            run_at=run_at or self._turn.store.clock.now(),
            dedupe_key=dedupe_key,
        )
        tables.jobs.put(job.id, job)

    async def claim(
        self, *, at: datetime, limit: int, lease: timedelta, wanted: Sequence[str] | None = None
    ) -> Sequence[Job]:
        """Take due jobs, the longest due first, none that another has taken."""
        tables = await self._turn.tables()
        due = [
            job
            for job in tables.jobs.where(state=JobState.READY)
            if job.run_at <= at and (wanted is None or job.name in wanted)
        ]
        taken = [
            attrs.evolve(
                job, state=JobState.RUNNING, attempts=job.attempts + 1, lease_until=at + lease
            )
            for job in sorted(due, key=lambda job: (job.run_at, job.id))[:limit]
        ]
        for job in taken:
            tables.jobs.put(job.id, job)
        return taken

    async def complete(self, job_id: JobId) -> None:
        """Mark a running job as done."""
        if job := await self._stopped(job_id):
            await self._put(attrs.evolve(job, state=JobState.DONE))

    async def retry(self, job_id: JobId, *, run_at: datetime, error: str) -> None:
        """Give a running job back, to be run again later."""
        if job := await self._stopped(job_id):
            await self._put(
                attrs.evolve(job, state=JobState.READY, run_at=run_at, last_error=error)
            )

    async def repeat(self, job_id: JobId, *, run_at: datetime) -> None:
        """Give a running job back after it went well, to be run again."""
        if job := await self._stopped(job_id):
            await self._put(
                attrs.evolve(job, state=JobState.READY, run_at=run_at, attempts=0, last_error=None)
            )

    async def bury(self, job_id: JobId, *, error: str) -> None:
        """Give a running job up; it is kept, with its error, for a person."""
        if job := await self._stopped(job_id):
            await self._put(attrs.evolve(job, state=JobState.DEAD, last_error=error))

    async def reap(self, *, at: datetime) -> int:
        """Give back every running job whose lease is over; return how many there were."""
        tables = await self._turn.tables()
        over = [
            job
            for job in tables.jobs.where(state=JobState.RUNNING)
            if job.lease_until is not None and job.lease_until <= at
        ]
        for job in over:
            tables.jobs.put(job.id, attrs.evolve(job, state=JobState.READY, lease_until=None))
        return len(over)

    async def _stopped(self, job_id: JobId) -> Job | None:
        """Return a running job without its lease, or None where its lease was lost before."""
        job = (await self._turn.tables()).jobs.get(job_id)
        if job is None or job.state is not JobState.RUNNING:
            return None
        return attrs.evolve(job, lease_until=None)

    async def _put(self, job: Job) -> None:
        (await self._turn.tables()).jobs.put(job.id, job)
