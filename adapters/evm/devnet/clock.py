"""The time the chain thinks it is."""

from __future__ import annotations

import time

import attrs


class TimestampInThePast(Exception):
    """A block cannot be older than the one before it."""

    def __init__(self, *, wanted: int, head: int) -> None:
        super().__init__(f"timestamp {wanted} is before the head's {head}")
        self.wanted = wanted
        self.head = head


@attrs.define(eq=False)
class ChainClock:
    """The system's clock, moved by an offset in seconds that time travel sets."""

    offset: int = 0
    _next: int | None = None

    def next_timestamp(self, *, head: int) -> int:
        """Return the Unix time of the block after one of time `head`; never before it."""
        return self._next if self._next is not None else max(self._now() + self.offset, head)

    def tick(self) -> None:
        """Forget the time asked for the next block, which was mined."""
        self._next = None

    def increase(self, seconds: int) -> int:
        """Move the clock forward and return how far it is ahead in all, in seconds."""
        self.offset += seconds
        return self.offset

    def set_next(self, timestamp: int, *, head: int) -> None:
        """Give the next block a time, from which the clock runs on.

        Raises:
            TimestampInThePast: The time is before the head's.
        """
        if timestamp < head:
            raise TimestampInThePast(wanted=timestamp, head=head)
        self._next = timestamp
        self.offset = timestamp - self._now()

    def restore(self, earlier: ChainClock) -> None:
        """Take back what was set since `earlier` was copied from this clock."""
        self.offset = earlier.offset
        self._next = earlier._next

    @staticmethod
    def _now() -> int:
        return int(time.time())
