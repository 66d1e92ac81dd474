"""The jobs that this process has taken: renewed while they are here, and left to others."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from domain.shared.kinds import kind_of
from domain.shared.running import LEASE
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from domain.shared.ids import JobId
    from domain.shared.jobs import Job
    from domain.shared.running import Handler, JobRunner
    from ports.clock import Clock

RENEW_EVERY = LEASE / 4
"""How old a lease grows before it is renewed: three times may fail before it is lost."""

LOOK_SECONDS = 1.0
"""How often it is looked whether leases have grown old."""

log = logging.getLogger(__name__)


class InHand:
    """What one process has taken. All of it lives on the event loop that jobs run on."""

    def __init__(self, runner: JobRunner, clock: Clock) -> None:
        self._runner = runner
        self._clock = clock
        self._jobs: dict[JobId, Job] = {}
        self._begun: set[JobId] = set()
        self._waited: list[Job] = []
        """What had not been begun when leases were renewed last."""
        self._renewed_at: datetime = clock.now()
        self._freed = asyncio.Event()

    def __len__(self) -> int:
        """Return how many jobs there are, begun or not."""
        return len(self._jobs)

    def take(self, job: Job) -> bool:
        """Note that a job was taken; return whether it is to be begun.

        It is not where it is being run here already and its lease was lost meanwhile: two runs at
        a time are spared, and it is run again at the end of the first, of which nobody knows.
        """
        known = job.id in self._jobs
        self._jobs[job.id] = job
        return not known

    async def run(self, job_id: JobId) -> None:
        """Run a job that was taken, unless it was put back or is being run."""
        if job_id not in self._jobs or job_id in self._begun:
            return
        self._begun.add(job_id)
        try:
            while True:
                job = self._jobs[job_id]
                await self._runner.run(job)
                if self._jobs[job_id] is job:
                    return
        finally:
            del self._jobs[job_id]
            self._begun.discard(job_id)
            self._freed.set()

    async def wait(self, *, seconds: float) -> bool:
        """Return when a job has ended, or after the time given; say whether one has."""
        self._freed.clear()
        try:
            async with asyncio.timeout(seconds):
                return await self._freed.wait()
        except TimeoutError:
            return False

    async def renew(self, *, every: timedelta = RENEW_EVERY) -> None:
        """Renew the leases, in one statement, where they have grown old enough.

        What has waited here from one time to the next is put back: a lease that is lost counts
        as an attempt, and what was never begun has made none.

        Raises:
            StorageUnavailable: the storage did not answer.
        """
        at = self._clock.now()
        if not self._jobs:
            self._renewed_at = at
        # Also where this machine's clock was set back.
        if timedelta() <= at - self._renewed_at < every:
            return
        waiting = [job for job in self._jobs.values() if job.id not in self._begun]
        stale = [job for job in waiting if job in self._waited]
        for job in stale:
            del self._jobs[job.id]
        if stale:
            await self._runner.put_back(stale)
            self._freed.set()
        await self._runner.renew([*self._jobs.values()])
        self._waited = waiting
        self._renewed_at = at

    async def keep(self) -> None:
        """Renew leases until cancelled, whatever else the process waits for."""
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            try:
                await self.renew()
            except StorageUnavailable as error:
                log.warning("leases were not renewed: %s", error)

    async def leave(self) -> None:
        """Put back what was not begun; what is still running is left to its lease."""
        left = [job for job in self._jobs.values() if job.id not in self._begun]
        if left:
            try:
                await self._runner.put_back(left)
            except StorageUnavailable as error:
                log.warning("%d jobs were not put back: %s", len(left), error)
        if self._begun:
            log.warning("%d jobs were still running; their leases will end", len(self._begun))


def limited(handlers: Mapping[str, Handler]) -> dict[str, Handler]:
    """Return handlers that are cancelled at their kind's time limit, which is a failure."""
    return {name: _limited(name, handler) for name, handler in handlers.items()}


def _limited(name: str, handler: Handler) -> Handler:
    async def run(arguments: Mapping[str, str]) -> None:
        async with asyncio.timeout(kind_of(name).time_limit.total_seconds()):
            await handler(arguments)

    return run
