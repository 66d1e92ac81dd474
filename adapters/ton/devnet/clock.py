"""The chain's time, which can be moved forward."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Callable


class ChainClock:
    """A clock that runs with another and ahead of it.

    Args:
        source: Unix time, seconds; the machine's clock, or one that stands still.
        ahead_seconds: How far it is ahead.

    Attributes:
        ahead_seconds: How far it is ahead.
    """

    def __init__(self, source: Callable[[], float] = time.time, *, ahead_seconds: int = 0) -> None:
        self._source: Final = source
        self.ahead_seconds = ahead_seconds

    def now(self) -> int:
        """Return the Unix time, whole seconds."""
        return int(self._source()) + self.ahead_seconds

    def advance(self, *, seconds: int) -> None:
        """Move the time forward.

        Raises:
            ValueError: That would be backward.
        """
        if seconds < 0:
            raise ValueError(f"time does not go back {-seconds} s")
        self.ahead_seconds += seconds
