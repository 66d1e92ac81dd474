"""A clock that stands still until it is told otherwise."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

EPOCH = datetime(2026, 3, 1, 12, tzinfo=UTC)
"""Where the clock stands at first."""


class FakeClock:
    """The time of day, moved by hand: ``clock.advance(hours=1)``."""

    def __init__(self, current: datetime = EPOCH) -> None:
        if current.tzinfo is None:
            raise ValueError("the time needs a zone")
        self._current = current.astimezone(UTC)

    def now(self) -> datetime:
        """Return the present time, aware, in UTC."""
        return self._current

    def advance(
        self, *, days: int = 0, hours: int = 0, minutes: int = 0, seconds: float = 0
    ) -> datetime:
        """Move on by so much and return the new time; a clock never goes back."""
        step = timedelta(days=days, hours=hours, minutes=minutes, seconds=seconds)
        if step < timedelta(0):
            raise ValueError("a clock never goes back")
        self._current += step
        return self._current

    def move_to(self, at: datetime) -> None:
        """Move on to a time."""
        self.advance(seconds=(at - self._current).total_seconds())
