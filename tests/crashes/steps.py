"""Named steps: each call that a process makes of its ports, before and after, and death there.

A step is named after the job it belongs to, the side of the call and the call itself, such as
``send_transactions: after sender.broadcast``; the second call of that name in one stretch of work
is ``… #2``. A stretch of work that is repeated under the same circumstances passes the same steps.
"""

from __future__ import annotations

import inspect
import os
import signal
from collections import Counter
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

from ports.unit_of_work import UnitOfWork

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator, Mapping

    from domain.shared.running import Handler
    from ports.unit_of_work import Begin

_Services = TypeVar("_Services")

RUNNER = "runner"
"""Whose steps are the claiming of jobs and the noting of how they ended."""

REPOSITORIES = frozenset(UnitOfWork.__annotations__)


@attrs.define
class Trail:
    """The steps a process has passed since it was last told to begin, and the one it dies at."""

    steps: list[str] = attrs.field(factory=list)
    _passed: Counter[str] = attrs.field(factory=Counter)
    _job: str = RUNNER
    _deadly: str | None = None

    def begin(self, *, deadly: str | None) -> None:
        """Forget what was passed; the process will be gone when it comes to ``deadly``."""
        self.steps.clear()
        self._passed.clear()
        self._deadly = deadly

    def passed(self, what: str) -> None:
        """Note a step, or die at it."""
        name = f"{self._job}: {what}"
        self._passed[name] += 1
        if self._passed[name] > 1:
            name = f"{name} #{self._passed[name]}"
        self.steps.append(name)
        if name == self._deadly:
            self.die()

    def die(self) -> None:
        """Be gone, as by ``kill -9``: nothing is closed, nothing is told."""
        os.kill(os.getpid(), signal.SIGKILL)

    @contextmanager
    def job(self, name: str) -> Iterator[None]:
        """Name the steps that follow after a job."""
        outer, self._job = self._job, name
        try:
            yield
        finally:
            self._job = outer


class Watched:
    """A port, each of whose calls is two steps."""

    def __init__(self, port: Any, name: str, trail: Trail) -> None:  # noqa: ANN401 (any port)
        self._port = port
        self._name = name
        self._trail = trail

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the port has there)
        attribute = getattr(self._port, name)
        if name in REPOSITORIES:
            return Watched(attribute, name, self._trail)
        if not inspect.iscoroutinefunction(attribute):
            return attribute
        step = f"{self._name}.{name}" if self._name else name

        async def call(*args: object, **named: object) -> object:
            self._trail.passed(f"before {step}")
            answer = await attribute(*args, **named)
            self._trail.passed(f"after {step}")
            return answer

        return call


def watched(services: _Services, trail: Trail) -> _Services:
    """Return services with steps around each call of storage, chain and publisher.

    Whatever field of a service is named ``begin``, ``readers``, ``senders`` or ``publisher`` is
    taken for the port of that name, so a new service needs nothing here.
    """
    changes: dict[str, object] = {}
    for field in attrs.fields(type(services)):  # type: ignore[arg-type] # Every service is one.
        value = getattr(services, field.name)
        if field.name == "begin":
            changes["begin"] = _watched_begin(value, trail)
        elif field.name in {"readers", "senders"}:
            port = field.name.removesuffix("s")
            changes[field.name] = {at: Watched(each, port, trail) for at, each in value.items()}
        elif field.name == "publisher":
            changes["publisher"] = Watched(value, "publisher", trail)
        elif attrs.has(type(value)) and hasattr(value, "begin"):
            changes[field.name] = watched(value, trail)
    return attrs.evolve(services, **changes)  # type: ignore[misc] # As above.


def named(handlers: Mapping[str, Handler], trail: Trail) -> Mapping[str, Handler]:
    """Return handlers whose steps bear their names."""

    def within(name: str, handler: Handler) -> Handler:
        async def run(arguments: Mapping[str, str]) -> None:
            with trail.job(name):
                await handler(arguments)

        return run

    return {name: within(name, handler) for name, handler in handlers.items()}


def _watched_begin(begin: Begin, trail: Trail) -> Begin:
    @asynccontextmanager
    async def opened() -> AsyncIterator[UnitOfWork]:
        async with begin() as work:
            yield Watched(work, "", trail)

    return opened
