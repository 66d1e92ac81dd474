"""Errands as tasks of the event loop that runs."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

_Result = TypeVar("_Result")


class SideBySide(Generic[_Result]):
    """See ``ports.errands.Errands``. All of it lives on one event loop."""

    def __init__(self, *, capacity: int) -> None:
        self.capacity = capacity
        self._under_way: set[asyncio.Task[None]] = set()
        self._ended: list[_Result] = []
        self._news = asyncio.Event()

    def begin(self, errand: Callable[[], Awaitable[_Result]]) -> None:
        """Begin an errand at once."""
        task = asyncio.create_task(self._do(errand))
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)

    async def ended(self, *, wait: bool) -> Sequence[_Result]:
        """Return what has come of errands since it was asked last."""
        if wait:
            await self._news.wait()
        self._news.clear()
        ended, self._ended = self._ended, []
        return ended

    def nudge(self) -> None:
        """Have who waits, or comes to wait next, go on."""
        self._news.set()

    async def _do(self, errand: Callable[[], Awaitable[_Result]]) -> None:
        result = await errand()
        self._ended.append(result)
        self._news.set()
