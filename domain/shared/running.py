"""Running jobs: the same rules whatever runs them, a test, the command line or a worker."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeAlias

import attrs

from domain.shared.jobs import JobState, retry_delay
from domain.shared.kinds import Queue
from domain.shared.pace import Cron, Pace, read_pace, write_pace
from domain.shared.platform import PlatformEvent, happened
from ports.calendar import Calendar
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from datetime import datetime

    from domain.shared.events import Event
    from domain.shared.ids import JobId
    from domain.shared.jobs import Job
    from ports.unit_of_work import UnitOfWork

Handler: TypeAlias = Callable[[Mapping[str, str]], Awaitable[None]]
"""Does the work of one kind of job. It may be run again after it was done: it must not mind."""

LEASE: Final = timedelta(seconds=20)
"""How long a job may be without a word from its runner before another takes it.

Short, because a chain is not watched until then; whoever runs a job for longer renews its lease.
"""

QUEUED_LEASE: Final = timedelta(minutes=2)
"""How long a job may be with the transport: afterwards its message is taken for lost."""

TRACEBACK_MAX: Final = 4000
"""How many characters of a traceback are kept, the last ones."""

log = logging.getLogger(__name__)


@attrs.frozen
class NoHandler(LookupError):
    """Nobody here knows how to do a job of this name."""

    name: str


@attrs.frozen
class NoCalendar(LookupError):
    """A schedule goes by the calendar, and this runner was given none."""

    pace: Cron


@attrs.frozen
class Schedule:
    """A job that comes back: one row, run again a while after it went well, or by the calendar."""

    name: str
    every: Pace
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
    calendar: Calendar | None = None
    queues: Sequence[Queue] | None = None
    """The queues whose jobs are taken; None: all."""
    name: str = ""
    """What a job's log calls this runner."""

    async def begin_schedules(self) -> None:
        """See to it that there is a job for each schedule, at its pace, and for no other.

        A new one that has a length of time as its pace is due at once.
        """
        at = self.clock.now()
        for schedule in self.schedules:
            following = self._following(schedule.every, after=at)
            # One row to a transaction, so that workers that begin at once cannot block each other.
            async with self.begin() as work:
                await work.jobs.schedule(
                    schedule.name,
                    arguments=schedule.arguments,
                    dedupe_key=schedule.dedupe_key,
                    pace=write_pace(schedule.every),
                    first_at=following if isinstance(schedule.every, Cron) else at,
                    adapted_at=following,
                )
                await work.commit()
        async with self.begin() as work:
            await work.jobs.unschedule(but=[each.dedupe_key for each in self.schedules])
            await work.commit()

    async def claim(self, *, limit: int, reaps: bool = True) -> Sequence[Job]:
        """Take jobs that are due, after giving back those of runners that have died.

        ``reaps`` False leaves the latter to a call of ``reap`` now and then, which costs less.
        """
        at = self.clock.now()
        async with self.begin() as work:
            if reaps:
                await self._reap(work, at=at)
            jobs = await work.jobs.claim(
                at=at, limit=limit, lease=LEASE, queues=self.queues, runner=self.name
            )
            await work.commit()
        return jobs

    async def reap(self) -> int:
        """Give back the jobs of runners that have died, and those whose messages were lost."""
        async with self.begin() as work:
            reaped = await self._reap(work, at=self.clock.now())
            await work.commit()
        return reaped

    async def hand_over(self, *, limit: int) -> Sequence[Job]:
        """Take jobs that are due for the transport, which is to bring them to a runner.

        ``limit`` is how many may be with it at a time.
        """
        at = self.clock.now()
        async with self.begin() as work:
            jobs = await work.jobs.hand_over(
                at=at, limit=limit, lease=QUEUED_LEASE, queues=self.queues, runner=self.name
            )
            await work.commit()
        return jobs

    async def start(self, job_id: JobId, *, claims: int) -> Job | None:
        """Begin a job that the transport has brought; None where it is not to be run (again)."""
        at = self.clock.now()
        async with self.begin() as work:
            job = await work.jobs.begin(
                job_id, claims=claims, at=at, lease=LEASE, runner=self.name
            )
            await work.commit()
        return job

    async def renew(self, jobs: Sequence[Job]) -> None:
        """Keep jobs that are being run here for another while."""
        async with self.begin() as work:
            await work.jobs.renew(jobs, lease=LEASE)
            await work.commit()

    async def put_back(self, jobs: Sequence[Job]) -> None:
        """Leave jobs that were taken and not begun to others."""
        async with self.begin() as work:
            await work.jobs.put_back(jobs)
            await work.commit()

    async def run(self, job: Job) -> bool:
        """Run a claimed job and note how it ended; return whether it went well."""
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

    async def _reap(self, work: UnitOfWork, *, at: datetime) -> int:
        reaped = await work.jobs.reap(at=at)
        dead = (_died(job, at=at) for job in reaped if job.state is JobState.DEAD)
        await work.events.record(*dead)
        return len(reaped)

    async def _went_well(self, job: Job) -> None:
        at = self.clock.now()
        async with self.begin() as work:
            if job.pace is None:
                await work.jobs.complete(job, at=at)
            else:
                run_at = self._following(read_pace(job.pace), after=at)
                await work.jobs.repeat(job, run_at=run_at)
            await work.commit()

    async def _failed(self, job: Job, error: Exception) -> None:
        told = f"{type(error).__name__}: {error}"
        where = "".join(traceback.format_exception(error))[-TRACEBACK_MAX:]
        at = self.clock.now()
        async with self.begin() as work:
            if job.pace is None and job.attempts >= job.attempts_max:
                if await work.jobs.bury(job, at=at, error=told, traceback=where):
                    await work.events.record(_died(job, at=at))
            else:
                await work.jobs.retry(
                    job, at=at, run_at=at + self._delay(job), error=told, traceback=where
                )
            await work.commit()

    def _delay(self, job: Job) -> timedelta:
        """Return how long to wait after a failure.

        A schedule is never given up, and never slower than its pace, or a minute if that is more.
        """
        jitter = self.ids.entropy(1)[0] * 100 // 255
        delay = retry_delay(attempts=job.attempts, jitter=jitter)
        if job.pace is None:
            return delay
        pace = read_pace(job.pace)
        at_most = timedelta(minutes=1)
        return min(delay, max(pace, at_most) if isinstance(pace, timedelta) else at_most)

    def _following(self, pace: Pace, *, after: datetime) -> datetime:
        if not isinstance(pace, Cron):
            return after + pace
        if self.calendar is None:
            raise NoCalendar(pace)
        return self.calendar.following(pace.expression, after=after, zone=pace.zone)


def _died(job: Job, *, at: datetime) -> Event:
    """Tell operators of a job that is given up; what went wrong is in its log."""
    return happened(
        PlatformEvent.JOB_DEAD,
        job.id,
        at=at,
        name=job.name,
        queue=job.queue.value,
        attempts=job.attempts,
    )
