"""The trace: one line for each step, the same for the same seed, to the last byte."""

from __future__ import annotations

import hashlib
from collections import Counter
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from adapters.memory.clock import FakeClock

TAIL = 40
"""How many lines are kept to show what led to a failure."""


class Trace:
    """Writes down what happens: when, who, what, and how it came out."""

    def __init__(self, clock: FakeClock, *, file: IO[str] | None = None) -> None:
        self.counts: Counter[str] = Counter()
        self.tail: list[str] = []
        self._clock = clock
        self._begin: datetime = clock.now()
        self._hash = hashlib.sha256()
        self._file = file

    @property
    def digest(self) -> str:
        """The SHA-256 of all lines so far, as hex digits."""
        return self._hash.hexdigest()

    def note(self, who: str, what: str, outcome: str = "") -> None:
        """Write a line: ``day hh:mm:ss.mmm  who  what  outcome``."""
        line = f"{self.time()}  {who}  {what}  {outcome}".rstrip() + "\n"
        self._hash.update(line.encode())
        if self._file is not None:
            self._file.write(line)
        self.tail.append(line)
        if len(self.tail) > 2 * TAIL:
            del self.tail[:TAIL]

    def turn(self, name: str) -> None:
        """Let whose turn it is count for the hash, without a line of its own."""
        self._hash.update(name.encode())

    def time(self) -> str:
        """Return the virtual time since the beginning."""
        since = self._clock.now() - self._begin
        minutes, seconds = divmod(since.seconds, 60)
        hours, minutes = divmod(minutes, 60)
        return (
            f"d{since.days:<3d} {hours:02d}:{minutes:02d}:{seconds:02d}"
            f".{since.microseconds // 1000:03d}"
        )
