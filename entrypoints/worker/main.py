"""The worker: takes jobs from PostgreSQL and has Dramatiq run them.

The row in the job table is the truth about a job; Dramatiq brings the threads, the event loop
and the orderly shutdown. Only the id of a job goes through its broker.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import threading
from contextlib import AsyncExitStack, suppress
from datetime import timedelta
from typing import TYPE_CHECKING

import dramatiq
import uvloop
from dramatiq.asyncio import get_event_loop_thread
from dramatiq.middleware import AsyncIO, Middleware

from config.jobs import handlers, schedules
from config.settings import WrongSettings
from domain.shared.running import JobRunner
from entrypoints.garbage import collecting_seldom
from entrypoints.worker.in_hand import InHand, limited
from entrypoints.worker.telegram import poll
from entrypoints.worker.transport import MemoryTransport
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from datetime import datetime

    from dramatiq.asyncio import EventLoopThread

    from config.bootstrap import WorkerServices
    from config.settings import Worker as WorkerSettings
    from entrypoints.worker.transport import Transport

REAP_EVERY = timedelta(seconds=1)
"""How often it is looked for jobs whose runners have died."""

STORAGE_PAUSE_SECONDS = 1.0
"""How long to wait before a storage that did not answer is asked again."""

SHUTDOWN_SECONDS = 20
"""How long running jobs may take to end; what has not by then is run again by lease."""

log = logging.getLogger(__name__)


class Worker:
    """One process's share of the work. ``stop`` may be called from any thread."""

    def __init__(self, services: WorkerServices, settings: WorkerSettings) -> None:
        self._services = services
        self._settings = settings
        self._stopped = threading.Event()
        self._reaped_at: datetime = services.clock.now()
        self._resources = AsyncExitStack()
        self._runner = JobRunner(
            begin=services.begin,
            clock=services.clock,
            ids=services.ids,
            handlers=limited(handlers(services)),
            schedules=schedules(settings, services.chains, with_stars=services.stars is not None),
            calendar=services.calendar,
            queues=settings.queues or None,
            name=f"{socket.gethostname()}:{os.getpid()}",
        )
        self._in_hand = InHand(self._runner, services.clock)
        self._transport = self._made_transport()

    def stop(self) -> None:
        """Take no more jobs, and return from ``run`` when those under way have ended."""
        self._stopped.set()

    def run(self) -> None:
        """Work until stopped."""
        threads = dramatiq.Worker(
            self._transport.broker, worker_threads=self._settings.threads, worker_timeout=100
        )
        threads.start()
        try:
            loop = _loop()
            loop.run_coroutine(self._open())
            self._transport.listen()
            while not self._stopped.is_set():
                loop.run_coroutine(self._feed())
        finally:
            threads.stop(timeout=SHUTDOWN_SECONDS * 1000)
            self._transport.close()

    async def close(self) -> None:
        """Put back what was not begun, and close what jobs stand on."""
        await self._in_hand.leave()
        await self._resources.aclose()

    async def _open(self) -> None:
        for resource in self._services.resources:
            await self._resources.enter_async_context(resource)
        self._resources.enter_context(collecting_seldom())
        await self._runner.begin_schedules()
        keeping = asyncio.create_task(self._in_hand.keep())
        self._resources.push_async_callback(_end, keeping)
        stars = self._services.stars
        if stars is not None and stars.updates is not None:
            # A second worker is refused the updates by Telegram, and waits to take over.
            polling = asyncio.create_task(
                poll(stars.updates, stars.service, stopped=asyncio.Event())
            )
            self._resources.push_async_callback(_end, polling)

    async def _feed(self) -> None:
        try:
            await self._in_hand.renew()
            await self._reap()
            await self._transport.feed()
        except StorageUnavailable as error:
            log.warning("no jobs: %s", error)
            await asyncio.sleep(STORAGE_PAUSE_SECONDS)

    async def _reap(self) -> None:
        at = self._services.clock.now()
        if at - self._reaped_at >= REAP_EVERY:
            await self._runner.reap()
            self._reaped_at = at

    def _made_transport(self) -> Transport:
        settings, notices = self._settings, self._services.notices
        middleware: list[Middleware] = [_OnUvloop(), _Closing(self)]
        if settings.rabbitmq_url is None:
            return MemoryTransport(
                self._runner,
                self._in_hand,
                notices,
                threads=settings.threads,
                middleware=middleware,
            )
        try:
            from entrypoints.worker.rabbitmq import RabbitTransport  # noqa: PLC0415 (an extra)
        except ImportError as error:
            told = "settings.worker.transport: pip install switchyard-gateway[rabbitmq]"
            raise WrongSettings((told,)) from error
        return RabbitTransport(
            self._runner,
            self._in_hand,
            notices,
            url=settings.rabbitmq_url,
            threads=settings.threads,
            relay=settings.relay,
            middleware=middleware,
        )


class _OnUvloop(AsyncIO):
    """Runs jobs on uvloop, as the API runs its requests; Dramatiq takes the policy's loop."""

    def before_worker_boot(self, *arguments: object) -> None:
        """Start the thread of the event loop."""
        policy = asyncio.get_event_loop_policy()
        asyncio.set_event_loop_policy(uvloop.EventLoopPolicy())
        try:
            super().before_worker_boot(*arguments)  # type: ignore[no-untyped-call]  # Dramatiq.
        finally:
            asyncio.set_event_loop_policy(policy)


class _Closing(Middleware):
    """Closes what lives on Dramatiq's event loop after the threads and before the loop."""

    def __init__(self, worker: Worker) -> None:
        self._worker = worker

    def after_worker_shutdown(self, *_: object) -> None:
        """Close it. Dramatiq calls this in the opposite order of its list of middleware."""
        _loop().run_coroutine(self._worker.close())


async def _end(task: asyncio.Task[None]) -> None:
    task.cancel()
    with suppress(asyncio.CancelledError):
        await task


def _loop() -> EventLoopThread:
    loop = get_event_loop_thread()
    if loop is None:
        raise RuntimeError("Dramatiq has no event loop")
    return loop
