"""The job table as an operator sees it, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.jobs import note_down
from adapters.memory.turn import Turn
from domain.jobs.model import Happening, History, QueueStats
from domain.shared.jobs import JobState
from domain.shared.kinds import Queue
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from adapters.memory.store import Tables
    from domain.shared.ids import JobId
    from domain.shared.jobs import Job


@attrs.frozen
class InMemoryJobConsole:
    """See ``ports.job_console.JobConsole``."""

    _turn: Turn

    async def page(
        self,
        *,
        limit: int,
        state: JobState | None = None,
        queue: Queue | None = None,
        before: JobId | None = None,
    ) -> Sequence[Job]:
        """Return jobs, the newest first; ``before`` is the last of the page before."""
        tables = await self._turn.tables()
        found = [
            job
            for job in tables.jobs
            if (state is None or job.state is state)
            and (queue is None or job.queue is queue)
            and (before is None or job.id < before)
        ]
        return sorted(found, key=lambda job: job.id, reverse=True)[:limit]

    async def find(self, job_id: JobId) -> History:
        """Return a job and its log."""
        tables = await self._turn.tables()
        job = tables.jobs.get(job_id)
        if job is None:
            raise NotFound("job", job_id)
        return History(job, tables.job_logs.get(job_id) or ())

    async def stats(self, *, at: datetime, with_done: bool = True) -> Sequence[QueueStats]:
        """Return how each queue stands at a time, by name."""
        tables = await self._turn.tables()
        found = [_stats(tables, queue, at) for queue in sorted(Queue)]
        return found if with_done else [attrs.evolve(each, done=0) for each in found]

    async def pause(self, queue: Queue, *, at: datetime) -> bool:
        """Have nothing of a queue taken any more; return False where it was paused already."""
        tables = await self._turn.tables()
        if queue in tables.paused_queues:
            return False
        tables.paused_queues.put(queue, at)
        return True

    async def resume(self, queue: Queue) -> bool:
        """Have jobs of a queue taken again; return False where it was not paused."""
        tables = await self._turn.tables()
        if queue not in tables.paused_queues:
            return False
        tables.paused_queues.remove(queue)
        return True

    async def retry(self, job_id: JobId, *, at: datetime) -> bool:
        """Make a dead job ready again, with all its attempts; return whether it was."""
        tables = await self._turn.tables()
        job = tables.jobs.get(job_id)
        return job is not None and _retried(tables, job, at)

    async def retry_dead(self, queue: Queue, *, at: datetime, limit: int) -> int:
        """Make dead jobs of a queue ready again, the oldest first; return how many."""
        tables = await self._turn.tables()
        dead = [job for job in tables.jobs.where(state=JobState.DEAD) if job.queue is queue]
        retried = 0
        for job in sorted(dead, key=lambda job: job.id):
            if retried < limit:
                retried += _retried(tables, job, at)
        return retried

    async def clean(
        self,
        *,
        state: JobState,
        finished_before: datetime,
        limit: int,
        queue: Queue | None = None,
    ) -> int:
        """Delete jobs that ended in a state before a time, logs and all; return how many."""
        tables = await self._turn.tables()
        old = [
            job
            for job in tables.jobs.where(state=state)
            if job.finished_at is not None
            and job.finished_at < finished_before
            and (queue is None or job.queue is queue)
        ][:limit]
        for job in old:
            tables.jobs.remove(job.id)
            if job.id in tables.job_logs:
                tables.job_logs.remove(job.id)
        return len(old)


def _retried(tables: Tables, job: Job, at: datetime) -> bool:
    taken = job.dedupe_key is not None and tables.jobs.where(open_key=job.dedupe_key)
    if job.state is not JobState.DEAD or taken:
        return False
    note_down(tables, attrs.evolve(job, runner=None, started_at=None), at, Happening.RETRIED)
    ready = attrs.evolve(
        job,
        state=JobState.READY,
        run_at=at,
        attempts=0,
        standing=job.priority,
        finished_at=None,
    )
    tables.jobs.put(job.id, ready)
    return True


def _stats(tables: Tables, queue: Queue, at: datetime) -> QueueStats:
    jobs = [job for job in tables.jobs if job.queue is queue]
    due = [job.run_at for job in jobs if job.state is JobState.READY and job.run_at <= at]
    count = {state: sum(job.state is state for job in jobs) for state in JobState}
    return QueueStats(
        queue=queue,
        paused_since=tables.paused_queues.get(queue),
        ready=len(due),
        scheduled=count[JobState.READY] - len(due),
        queued=count[JobState.QUEUED],
        running=count[JobState.RUNNING],
        done=count[JobState.DONE],
        dead=count[JobState.DEAD],
        oldest_due=min(due, default=None),
    )
