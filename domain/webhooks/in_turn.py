"""Errands done one after the other, by whoever waits for what comes of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

_Result = TypeVar("_Result")


class InTurn(Generic[_Result]):
    """See ``ports.errands.Errands``. Where time is not the machine's, nothing is side by side."""

    capacity = 1

    def __init__(self) -> None:
        self._errands: list[Callable[[], Awaitable[_Result]]] = []

    def begin(self, errand: Callable[[], Awaitable[_Result]]) -> None:
        """Let an errand wait to be done."""
        self._errands.append(errand)

    async def ended(self, *, wait: bool) -> Sequence[_Result]:
        """Do what waits to be done, all of it either way."""
        del wait
        errands, self._errands = self._errands, []
        return [await errand() for errand in errands]

    def nudge(self) -> None:
        """Do nothing: nobody waits who does not work."""
