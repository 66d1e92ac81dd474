"""The worker: claims jobs from PostgreSQL and has Dramatiq run them.

The row in the job table is the truth about a job; Dramatiq brings the threads, the event loop
and the orderly shutdown. Only the id of a job goes through its broker.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING

import dramatiq
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.brokers.stub import StubBroker
from dramatiq.middleware import AsyncIO

from config.jobs import handlers, schedules
from domain.shared.running import JobRunner
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from config.bootstrap import WorkerServices
    from config.settings import Worker as WorkerSettings
    from domain.shared.ids import JobId
    from domain.shared.jobs import Job

POLL_SECONDS = 0.2
"""How long the job table is left alone when nothing in it has moved."""

STORAGE_PAUSE_SECONDS = 1.0
"""How long to wait before a storage that did not answer is asked again."""

AHEAD = 2
"""How many jobs are claimed for each thread: one to run, the rest to be at hand."""

SHUTDOWN_SECONDS = 20
"""How long running jobs may take to end; what has not by then is run again by lease."""

log = logging.getLogger(__name__)


class Worker:
    """One process's share of the work. ``stop`` may be called from any thread."""

    def __init__(self, services: WorkerServices, settings: WorkerSettings) -> None:
        self._services = services
        self._settings = settings
        self._stopped = threading.Event()
        self._running: dict[str, Job] = {}
        self._freed = asyncio.Event()
        self._runner = JobRunner(
            begin=services.begin,
            clock=services.clock,
            ids=services.ids,
            handlers=handlers(services),
            schedules=schedules(settings, services.chains),
        )
        # The stub broker keeps messages in memory, which is all that one process needs.
        self._broker = StubBroker(middleware=[AsyncIO()])
        self._run_job = dramatiq.actor(actor_name="run_job", broker=self._broker)(self._run)

    def stop(self) -> None:
        """Take no more jobs, and return from ``run`` when those under way have ended."""
        self._stopped.set()

    def run(self) -> None:
        """Work until stopped."""
        threads = dramatiq.Worker(
            self._broker, worker_threads=self._settings.threads, worker_timeout=100
        )
        threads.start()
        loop = get_event_loop_thread()
        if loop is None:
            raise RuntimeError("Dramatiq has no event loop")
        resources = AsyncExitStack()
        try:
            loop.run_coroutine(self._open(resources))
            while not self._stopped.is_set():
                loop.run_coroutine(self._claim())
        finally:
            # Dramatiq ends its event loop with its threads, so what lives on the loop is closed
            # first, after the jobs that use it.
            self._wait_for_running()
            loop.run_coroutine(resources.aclose())
            threads.stop(timeout=SHUTDOWN_SECONDS * 1000)

    async def _open(self, resources: AsyncExitStack) -> None:
        for resource in self._services.resources:
            await resources.enter_async_context(resource)
        await self._runner.begin_schedules()

    async def _claim(self) -> None:
        """Keep the threads busy, a few jobs ahead; where there are none, wait for one."""
        free = self._settings.threads * AHEAD - len(self._running)
        if free <= 0:
            self._freed.clear()
            with suppress(TimeoutError):  # To see, now and then, whether it is time to stop.
                await asyncio.wait_for(self._freed.wait(), POLL_SECONDS)
            return
        try:
            jobs = await self._runner.claim(limit=free)
        except StorageUnavailable as error:
            log.warning("no jobs: %s", error)
            await asyncio.sleep(STORAGE_PAUSE_SECONDS)
            return
        for job in jobs:
            if job.id in self._running:
                continue  # It has outlived its lease and is run here already.
            self._running[job.id] = job
            self._run_job.send(job.id)
        if not jobs:
            await self._services.notices.wait(seconds=POLL_SECONDS)

    async def _run(self, job_id: JobId) -> None:
        try:
            await self._runner.run(self._running[job_id])
        finally:
            del self._running[job_id]
            self._freed.set()

    def _wait_for_running(self) -> None:
        deadline = threading.Event()
        for _ in range(SHUTDOWN_SECONDS * 20):
            if not self._running:
                return
            deadline.wait(0.05)
        log.warning("%d jobs were still running; their leases will end", len(self._running))
