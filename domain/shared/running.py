"""Running jobs: the same rules whatever runs them, a test, the command line or a worker."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, TypeAlias

import attrs

from domain.shared.jobs import retry_delay
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from domain.shared.jobs import Job

Handler: TypeAlias = Callable[[Mapping[str, str]], Awaitable[None]]
"""Does the work of one kind of job. It may be run again after it was done: it must not mind."""

LEASE = timedelta(seconds=20)
"""How long a job may run before it is taken from a runner that seems to be dead.

Short, because a chain is not watched until then; a job that runs longer is run twice, which jobs
must not mind.
"""

log = logging.getLogger(__name__)


@attrs.frozen
class NoHandler(LookupError):
    """Nobody here knows how to do a job of this name."""

    name: str


@attrs.frozen
class Schedule:
    """A job that comes back: one row, run again a while after each time it went well."""

    name: str
    every: timedelta
    arguments: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def dedupe_key(self) -> str:
        """The key under which there is one such job, however many workers there are."""
        return ":".join(("schedule", self.name, *self.arguments.values()))


@attrs.frozen
class JobRunner:
    """Claims jobs and runs them: done, to be tried again later, or given up and kept."""

    begin: Begin
    clock: Clock
    ids: Ids
    handlers: Mapping[str, Handler]
    schedules: Sequence[Schedule] = ()

    async def begin_schedules(self) -> None:
        """See to it that there is a job for each schedule."""
        async with self.begin() as work:
            for schedule in self.schedules:
                await work.jobs.enqueue(
                    schedule.name,
                    arguments=schedule.arguments,
                    dedupe_key=schedule.dedupe_key,
                )
            await work.commit()

    async def claim(self, *, limit: int) -> Sequence[Job]:
        """Take jobs that are due, after giving back those of runners that have died."""
        at = self.clock.now()
        async with self.begin() as work:
            await work.jobs.reap(at=at)
            jobs = await work.jobs.claim(at=at, limit=limit, lease=LEASE)
            await work.commit()
        return jobs

    async def run(self, job: Job) -> bool:
        """Run a claimed job and note how it ended; return whether it went well."""
        if job.attempts > job.attempts_max and self._schedule_of(job) is None:
            # It has never come back to say how it ended: what it does may kill its runner.
            async with self.begin() as work:
                await work.jobs.bury(job.id, error=job.last_error or "never came to an end")
                await work.commit()
            return False
        try:
            handler = self.handlers.get(job.name)
            if handler is None:
                raise NoHandler(job.name)  # noqa: TRY301 (kept like any other failure)
            await handler(job.arguments)
        except Exception as error:
            log.warning("job %s %s failed: %r", job.name, job.id, error, exc_info=error)
            await self._failed(job, error)
            return False
        await self._went_well(job)
        return True

    async def _went_well(self, job: Job) -> None:
        schedule = self._schedule_of(job)
        async with self.begin() as work:
            if schedule is None:
                await work.jobs.complete(job.id)
            else:
                run_at = self.clock.now() + schedule.every
                await work.jobs.repeat(job.id, run_at=run_at)
            await work.commit()

    async def _failed(self, job: Job, error: Exception) -> None:
        schedule = self._schedule_of(job)
        told = f"{type(error).__name__}: {error}"
        async with self.begin() as work:
            if schedule is None and job.attempts >= job.attempts_max:
                await work.jobs.bury(job.id, error=told)
            else:
                jitter = self.ids.entropy(1)[0] * 100 // 255
                delay = retry_delay(attempts=job.attempts, jitter=jitter)
                if schedule is not None:
                    # A schedule is never given up, and never slower than a minute or its pace.
                    delay = min(delay, max(schedule.every, timedelta(minutes=1)))
                run_at = self.clock.now() + delay
                await work.jobs.retry(job.id, run_at=run_at, error=told)
            await work.commit()

    def _schedule_of(self, job: Job) -> Schedule | None:
        keys = {schedule.dedupe_key: schedule for schedule in self.schedules}
        return keys.get(job.dedupe_key) if job.dedupe_key else None
