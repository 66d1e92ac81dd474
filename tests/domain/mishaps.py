"""What can go wrong between a process and its ports: it dies at a step, or others go first.

Everything a service asks of a port goes through one hook, just before and just after; so a test
can let a process die between any two lines, or let another one run there.
"""

from __future__ import annotations

import asyncio
import inspect
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.domain.services import compose

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from ports.unit_of_work import UnitOfWork
    from tests.domain.services import Services, Surroundings


class Died(BaseException):
    """The process is gone. Nothing in it can catch this, as nothing can catch kill -9."""


class Between:
    """A port between whose calls something happens."""

    def __init__(self, port: Any, hook: Callable[[], Awaitable[None]]) -> None:  # noqa: ANN401 (any port)
        self._port = port
        self._hook = hook

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the port has there)
        attribute = getattr(self._port, name)
        if type(attribute).__name__.startswith("InMemory"):  # A repository of a unit of work.
            return Between(attribute, self._hook)
        if not inspect.iscoroutinefunction(attribute):
            return attribute

        async def call(*args: object, **named: object) -> object:
            await self._hook()
            answer = await attribute(*args, **named)
            await self._hook()
            return answer

        return call


def in_between(around: Surroundings, hook: Callable[[], Awaitable[None]]) -> Services:
    """Compose a process of its own, with a hook around each call of storage and chain."""

    @asynccontextmanager
    async def begin() -> AsyncIterator[UnitOfWork]:
        async with around.store.begin() as work:
            yield Between(work, hook)

    port = Between(around.chain, hook)
    return compose(around, begin=begin, reader=port, sender=port)


def yielding(around: Surroundings) -> Services:
    """Compose a process that lets others go first at every step."""
    return in_between(around, lambda: asyncio.sleep(0))


class Mortal:
    """A process that dies at a step; ``steps`` counts how far it has come."""

    def __init__(self, around: Surroundings, *, dies_at: int) -> None:
        self.steps = 0
        self._dies_at = dies_at
        self.services = in_between(around, self._step)

    async def _step(self) -> None:
        self.steps += 1
        if self.steps >= self._dies_at:
            raise Died
