"""A worker in a process of its own, which works when told to and can be made to die at a step.

It runs the product's ``JobRunner`` with the product's handlers over the product's adapters. Only
its clock is moved by the test: hours pass without anybody waiting for them.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import traceback
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from typing import TYPE_CHECKING, Any

import attrs
from dependency_injector import providers

from config.bootstrap import worker as worker_services
from config.deployments.demo import DemoAdapters
from config.jobs import handlers, schedules
from config.settings import structure
from domain.shared.idempotency import Idempotency, KeyInFlight, RequestReplayed
from domain.shared.running import JobRunner
from ports.chain import ChainUnavailable
from tests.crashes.steps import Trail, named, watched

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from config.bootstrap import WorkerServices
    from config.settings import Settings
    from domain.shared.running import Handler

REQUEST = "request"
"""Whose steps are those of a use case that somebody outside asks for."""

AT_ONCE = 8
"""How many jobs are claimed in one go, as by a worker of four threads."""

ROUNDS_MAX = 200
TRIES_MAX = 100
DEATH_SECONDS = 20

_SERVER = multiprocessing.get_context("forkserver")
# What takes a second to import is imported once, in the process that all are forked of. So is
# pytest: each process runs the script again that this one was started from.
_SERVER.set_forkserver_preload(["config.bootstrap", "config.jobs", "pytest"])


@attrs.define
class MovedClock:
    """The time, and how far the world of the test is ahead of it."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


def living_by(clock: MovedClock) -> AbstractContextManager[object]:
    """Give this clock to whatever is composed in here, down to the storage."""
    override: AbstractContextManager[object] = DemoAdapters.clock.override(
        # Composing copies providers and what they hold, but not a function.
        providers.Callable(lambda: clock)
    )
    return override


@attrs.frozen(kw_only=True)
class Request:
    """A use case that somebody asks for, and asks for again if there was no answer."""

    service: str
    verb: str
    arguments: Mapping[str, Any]
    done_before: tuple[type[Exception], ...] = (RequestReplayed,)
    """What it raises when the request before, whose answer was lost, has had its effect."""


def rendered(result: object) -> bytes:
    """Put any answer into words."""
    return repr(result).encode()


def keyed(key: str) -> Idempotency[object]:
    """Return the idempotency key of a request, as the API makes it of a header."""
    return Idempotency(key=key, fingerprint=key.encode(), render=rendered)


@attrs.frozen(kw_only=True)
class Stretch:
    """What a worker does in one go: carry requests out, then work until nothing is due."""

    ahead: timedelta
    requests: tuple[Request, ...] = ()
    again: bool = False
    """Whether a process that is gone was told the same before."""
    starts: bool = False
    """Whether it sees to the schedules first, as a worker does when it starts."""
    deadly: str | None = None


class WorkerFailed(AssertionError):
    """The worker did what it should never do; the text is its traceback."""


@attrs.define
class WorkerProcess:
    """The test's end of a worker."""

    _process: BaseProcess
    _connection: Connection

    @classmethod
    def start(cls, settings: Mapping[str, object]) -> WorkerProcess:
        """Start one; it connects to everything when it is first told to work."""
        here, there = _SERVER.Pipe()
        process = _SERVER.Process(target=_run, args=(settings, there), daemon=True)
        process.start()
        there.close()
        return cls(process, here)

    async def work(self, stretch: Stretch) -> list[str] | None:
        """Have it work; return the steps it has passed, or None if it has died at one.

        Raises:
            WorkerFailed: something was raised that no restart would mend; it is gone as well.
        """
        self._connection.send(stretch)
        try:
            answer = await asyncio.to_thread(self._connection.recv)
        except (EOFError, ConnectionResetError):
            self._process.join(DEATH_SECONDS)
            ended_by_itself = self._process.exitcode != -signal.SIGKILL
            self.kill()
            if ended_by_itself:
                raise WorkerFailed("the worker has ended; its standard error says why") from None
            return None
        if isinstance(answer, str):
            self.kill()
            raise WorkerFailed(answer)
        return list(answer)

    def kill(self) -> None:
        """End it, whatever it does."""
        self._process.kill()
        self._process.join(DEATH_SECONDS)
        self._process.close()
        self._connection.close()


def _run(settings: Mapping[str, object], connection: Connection) -> None:
    """Be a worker until killed, or until the test hangs up."""
    asyncio.run(_serve(structure(settings), connection))


async def _serve(settings: Settings, connection: Connection) -> None:
    clock, trail = MovedClock(), Trail()
    with living_by(clock):
        services = watched(worker_services(settings), trail)
    runner = JobRunner(
        begin=services.begin,
        clock=services.clock,
        ids=services.ids,
        handlers=named(_patient(handlers(services)), trail),
        schedules=schedules(settings.worker, services.chains),
    )
    async with AsyncExitStack() as stack:
        for resource in services.resources:
            await stack.enter_async_context(resource)
        while True:
            try:
                stretch: Stretch = connection.recv()
            except EOFError:
                return
            clock.ahead = stretch.ahead
            # Counts are compared by the clock: here, whenever something is carried on.
            services.sender._reconciled.clear()
            trail.begin(deadly=stretch.deadly)
            try:
                await _carry_out(services, stretch, trail)
                if stretch.starts:
                    await runner.begin_schedules()
                await _work(runner)
            except Exception:  # noqa: BLE001 (told to the test)
                connection.send(traceback.format_exc())
            else:
                connection.send(trail.steps)


async def _carry_out(services: WorkerServices, stretch: Stretch, trail: Trail) -> None:
    for request in stretch.requests:
        with trail.job(REQUEST):
            try:
                await _ask(services, request)
            except request.done_before:
                if not stretch.again:
                    raise


async def _ask(services: WorkerServices, request: Request) -> None:
    """Ask until it is answered; PostgreSQL may take a moment to see that a process is gone."""
    ask = getattr(getattr(services, request.service), request.verb)
    for _ in range(TRIES_MAX):
        try:
            await ask(**request.arguments)
        except KeyInFlight:
            await asyncio.sleep(0.02)
        else:
            return
    raise AssertionError("the key of a process that is gone stays taken")


def _patient(handlers: Mapping[str, Handler]) -> Mapping[str, Handler]:
    """Return handlers that ask the chain a second time.

    A node closes connections that are left alone, also just when one is used again. Any other
    failure is the test's.
    """

    def twice(handler: Handler) -> Handler:
        async def run(arguments: Mapping[str, str]) -> None:
            try:
                await handler(arguments)
            except ChainUnavailable:
                await handler(arguments)

        return run

    return {name: twice(handler) for name, handler in handlers.items()}


async def _work(runner: JobRunner) -> None:
    """Run jobs, the longest due first, until none is due."""
    for _ in range(ROUNDS_MAX):
        jobs = await runner.claim(limit=AT_ONCE)
        if not jobs:
            return
        for job in jobs:
            if not await runner.run(job):
                raise AssertionError(f"{job.name} failed; the log says why")
    raise AssertionError("there is no end of jobs")
