"""What is done side by side, so that one who waits for a slow answer holds up no other."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

_Result = TypeVar("_Result")


class Errands(Protocol[_Result]):
    """Errands under way. They go on while nobody waits for them."""

    capacity: int
    """How many may be under way at a time."""

    def begin(self, errand: Callable[[], Awaitable[_Result]]) -> None:
        """Send for something. An errand must not fail."""
        ...

    async def ended(self, *, wait: bool) -> Sequence[_Result]:
        """Return what has come of errands, each once.

        Who waits, waits until there is one at least, or a nudge; who does not may have none.
        """
        ...

    def nudge(self) -> None:
        """Have who waits, or comes to wait next, go on: there is something else to do."""
        ...
