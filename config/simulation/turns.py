"""Whose turn it is: everything that runs in a simulation, one step at a time, in one thread.

There is no event loop. A strand of work is a coroutine that stops where it asks a port for
something; the seeded order of turns decides which one goes on. Nothing waits: when nobody can go
on, the clock moves to what is due next. The store runs units of work one after another, so a
strand that wants it is not given a turn while another holds it.
"""

from __future__ import annotations

import heapq
import itertools
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Generator
    from datetime import datetime
    from random import Random

    from adapters.memory.clock import FakeClock


class Died(BaseException):
    """The process is gone. Nothing in it can catch this, as nothing can catch kill -9."""


class Stuck(Exception):
    """Somebody waits for the store, and nobody who could give it back ever will."""


class Park:
    """What a strand waits for: a turn, the store, a time, or to be woken."""

    def __init__(self, *, store: bool = False, until: datetime | None = None) -> None:
        self.store = store
        self.until = until

    def __await__(self) -> Generator[Park, None, None]:
        yield self


TURN = Park()
"""Let others go first."""
STORE = Park(store=True)
"""Wait until nobody holds the store."""
WAKE = Park()
"""Sleep until woken."""


class Strand:
    """One coroutine on its way, and how it ended."""

    __slots__ = ("_body", "awake_at", "dead", "error", "name", "on_end", "over", "result")

    def __init__(self, name: str, body: Coroutine[Park, None, Any]) -> None:
        self.name = name
        self._body = body
        self.over = False
        self.dead = False
        self.awake_at = 0
        """Which of its sleeps it is in; an alarm of an earlier one wakes nobody."""
        self.result: Any = None
        self.error: Exception | None = None
        self.on_end: Callable[[Strand], None] | None = None

    def go_on(self) -> Park | None:
        """Run up to the next stop; return what it waits for, or None where it has ended."""
        self.over = True
        try:
            park = self._body.send(None)
        except StopIteration as end:
            self.result = end.value
        except Died:
            self.dead = True
        except Exception as error:  # noqa: BLE001 (who started it decides what that means)
            self.error = error
        else:
            self.over = False
            return park
        return None

    def die(self) -> None:
        """End it where it stands. What it holds is given back, as by a lost connection."""
        if self.over:
            return
        self.over = self.dead = True
        try:
            self._body.throw(Died())
        except (Died, StopIteration):
            return
        raise RuntimeError(f"{self.name} has outlived its death")


class Turns:
    """Gives turns, and moves the clock when nobody can use one."""

    def __init__(
        self,
        *,
        clock: FakeClock,
        random: Random,
        store_is_free: Callable[[], bool],
        next_job_at: Callable[[], datetime | None],
    ) -> None:
        self.clock = clock
        self.given = 0
        self._random = random
        self.next_job_at = next_job_at
        self._store_is_free = store_is_free
        self._current: Strand | None = None
        self._strands: dict[Strand, None] = {}
        self._ready: list[Strand] = []
        self._want_store: list[Strand] = []
        self._alarms: list[tuple[datetime, int, Strand, int]] = []
        self._numbers = itertools.count()
        self.idle: list[Strand] = []
        """Workers that wait for a job to become due."""
        self.on_turn: Callable[[Strand], None] | None = None

    @property
    def current(self) -> Strand:
        """The strand whose turn it is.

        Raises:
            RuntimeError: it is nobody's.
        """
        if self._current is None:
            raise RuntimeError("nobody's turn")
        return self._current

    def start(
        self,
        name: str,
        body: Coroutine[Park, None, Any],
        *,
        on_end: Callable[[Strand], None] | None = None,
    ) -> Strand:
        """Begin a strand of work; it has its first turn some time later."""
        strand = Strand(name, body)
        strand.on_end = on_end
        self._strands[strand] = None
        self._ready.append(strand)
        return strand

    def close(self) -> None:
        """End every strand where it stands; nothing goes on after this."""
        strands, self._strands = list(self._strands), {}
        for strand in strands:
            strand.die()

    def wake(self, strand: Strand) -> None:
        """Let a sleeping strand go on."""
        if not strand.over:
            strand.awake_at += 1
            self._ready.append(strand)

    def at(self, time: datetime, strand: Strand) -> None:
        """Have a strand go on at a time."""
        alarm = (time, next(self._numbers), strand, strand.awake_at)
        heapq.heappush(self._alarms, alarm)

    def run(self, *, until: datetime) -> None:
        """Give turns until the clock has come to a time and nobody can go on any more.

        Raises:
            Stuck: the store is held for ever.
        """
        while True:
            strand = self._pick()
            if strand is not None:
                self._turn(strand)
            elif not self._move_clock(until):
                return

    def _pick(self) -> Strand | None:
        ready, want = self._ready, self._want_store
        count = len(ready)
        total = count + len(want) if want and self._store_is_free() else count
        if not total:
            return None
        place = self._random.randrange(total) if total > 1 else 0
        chosen = ready if place < count else want
        place -= 0 if place < count else count
        strand = chosen[place]
        last = chosen.pop()
        if last is not strand:
            chosen[place] = last
        return strand

    def _turn(self, strand: Strand) -> None:
        if strand.over:
            self._strands.pop(strand, None)
            return
        self.given += 1
        if self.on_turn is not None:
            self.on_turn(strand)
        self._current = strand
        park = strand.go_on()
        if park is None:
            self._strands.pop(strand, None)
            if strand.on_end is not None:
                strand.on_end(strand)
        elif park is TURN:
            self._ready.append(strand)
        elif park.store:
            self._want_store.append(strand)
        elif park.until is not None:
            self.at(park.until, strand)

    def _move_clock(self, until: datetime) -> bool:
        """Move to what is due next; return False where that is later than asked for."""
        if any(not strand.over for strand in self._want_store):
            raise Stuck
        while self._alarms and self._is_off(self._alarms[0]):
            heapq.heappop(self._alarms)
        job_at = self.next_job_at() if self.idle else None
        alarm_at = self._alarms[0][0] if self._alarms else None
        times = [time for time in (job_at, alarm_at) if time is not None]
        if not times or min(times) > until:
            self.clock.move_to(max(until, self.clock.now()))
            return False
        now = max(min(times), self.clock.now())
        self.clock.move_to(now)
        if job_at is not None and job_at <= now:
            idle, self.idle = self.idle, []
            for strand in idle:
                self.wake(strand)
        while self._alarms and self._alarms[0][0] <= now:
            alarm = heapq.heappop(self._alarms)
            if not self._is_off(alarm):
                self.wake(alarm[2])
        return True

    @staticmethod
    def _is_off(alarm: tuple[datetime, int, Strand, int]) -> bool:
        _, _, strand, awake_at = alarm
        return strand.over or strand.awake_at != awake_at
