"""What an operator does with jobs: look, pause and resume, retry, clean."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import attrs

from domain.shared.ids import JobId
from domain.shared.jobs import JobState
from domain.shared.platform import PlatformEvent, happened
from ports.clock import Clock
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.jobs.model import History, QueueStats
    from domain.shared.jobs import Job
    from domain.shared.kinds import Queue

BATCH: Final = 500
"""How many jobs one transaction changes at most."""

BATCHES_MAX: Final = 200
"""How many such transactions one use case does at most; the rest waits for the next time."""


@attrs.frozen
class JobNotRetried(Exception):
    """The job is not dead, or another one with its key is under way."""

    job_id: JobId


@attrs.frozen(kw_only=True)
class Retention:
    """How long jobs are kept after their end."""

    done: timedelta = timedelta(days=3)
    dead: timedelta = timedelta(days=90)


@attrs.frozen
class JobService:
    """The operator's side of the job table."""

    begin: Begin
    clock: Clock
    retention: Retention = attrs.field(factory=Retention)

    async def stats(self) -> Sequence[QueueStats]:
        """Return how each queue stands."""
        async with self.begin() as work:
            return await work.job_console.stats(at=self.clock.now())

    async def page(
        self,
        *,
        limit: int,
        state: JobState | None = None,
        queue: Queue | None = None,
        before: JobId | None = None,
    ) -> Sequence[Job]:
        """Return jobs, the newest first; ``before`` is the last of the page before."""
        async with self.begin() as work:
            return await work.job_console.page(
                limit=limit, state=state, queue=queue, before=before
            )

    async def show(self, *, job_id: JobId) -> History:
        """Return a job and its log.

        Raises:
            NotFound: there is no such job.
        """
        async with self.begin() as work:
            return await work.job_console.find(job_id)

    async def pause(self, *, queue: Queue) -> None:
        """Have nothing of a queue taken any more, its schedules included; what runs ends."""
        async with self.begin() as work:
            at = self.clock.now()
            if await work.job_console.pause(queue, at=at):
                await work.events.record(happened(PlatformEvent.QUEUE_PAUSED, queue.value, at=at))
            await work.commit()

    async def resume(self, *, queue: Queue) -> None:
        """Have jobs of a queue taken again."""
        async with self.begin() as work:
            if await work.job_console.resume(queue):
                at = self.clock.now()
                await work.events.record(happened(PlatformEvent.QUEUE_RESUMED, queue.value, at=at))
            await work.commit()

    async def retry(self, *, job_id: JobId) -> None:
        """Make a dead job ready again, with all its attempts.

        Raises:
            NotFound: there is no such job.
            JobNotRetried: it is not dead, or another one with its key is under way.
        """
        async with self.begin() as work:
            at, job = self.clock.now(), (await work.job_console.find(job_id)).job
            if not await work.job_console.retry(job_id, at=at):
                raise JobNotRetried(job_id)
            queue = job.queue.value
            told = happened(PlatformEvent.JOB_RETRIED, job_id, at=at, name=job.name, queue=queue)
            await work.events.record(told)
            await work.commit()

    async def retry_dead(self, *, queue: Queue, at_most: int = BATCH * BATCHES_MAX) -> int:
        """Make the dead jobs of a queue ready again, the oldest first; return how many.

        Those whose key another unfinished job has stay dead.
        """
        retried = 0
        while retried < at_most:
            batch = min(BATCH, at_most - retried)
            async with self.begin() as work:
                at = self.clock.now()
                now = await work.job_console.retry_dead(queue, at=at, limit=batch)
                if now:
                    told = happened(PlatformEvent.QUEUE_RETRIED, queue.value, at=at, jobs=now)
                    await work.events.record(told)
                work.audit.note(f"{now} dead jobs of {queue} made ready again")
                await work.commit()
            retried += now
            if not now:
                break
        return retried

    async def clean(
        self,
        *,
        state: JobState,
        older_than: timedelta,
        queue: Queue | None = None,
        at_most: int = BATCH * BATCHES_MAX,
    ) -> int:
        """Delete jobs that ended in a state that long ago, with their logs; return how many."""
        before = self.clock.now() - older_than
        deleted = 0
        while deleted < at_most:
            batch = min(BATCH, at_most - deleted)
            async with self.begin() as work:
                now = await work.job_console.clean(
                    state=state, finished_before=before, limit=batch, queue=queue
                )
                work.audit.note(f"{now} {state} jobs of {queue or 'all queues'} deleted")
                await work.commit()
            deleted += now
            if now < batch:
                break
        return deleted

    async def prune(self) -> int:
        """Delete what ended longer ago than it is kept; return how many."""
        return await self.clean(
            state=JobState.DONE, older_than=self.retention.done
        ) + await self.clean(state=JobState.DEAD, older_than=self.retention.dead)
