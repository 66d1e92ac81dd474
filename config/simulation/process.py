"""A process of the gateway: strands that share a fate, a clock that may be off, and its end."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs

from config.simulation.turns import STORE, TURN, Died, Park
from ports.clock import Clock

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine
    from datetime import datetime
    from random import Random

    from config.simulation.turns import Strand, Turns

STEPS_BETWEEN_TURNS = 24
"""About how many calls of one unit of work go by before others may run in the middle of it."""


@attrs.frozen
class ConnectionLost(Exception):
    """The process did not answer: it was dead, or it died over the request."""

    process: str


@attrs.frozen
class SkewedClock:
    """A machine's clock, which is off by so much."""

    true: Clock
    skew: timedelta

    def now(self) -> datetime:
        """Return what this machine believes to be the time."""
        return self.true.now() + self.skew


class Process:
    """One life of a process. When it dies, all that runs in it dies at the same step."""

    def __init__(self, name: str, *, turns: Turns, random: Random) -> None:
        self.name = name
        self.turns = turns
        self.alive = True
        self.steps = 0
        self.dies_in: int | None = None
        """How many steps it has left to live, where that has been decided."""
        self.frozen_until: datetime | None = None
        """Until when nothing in it goes on, where its machine stands still."""
        self.on_death: Callable[[], None] | None = None
        self._random = random
        self._strands: dict[Strand, None] = {}
        self._until_turn = 1

    def start(
        self,
        name: str,
        body: Coroutine[Park, None, Any],
        *,
        on_end: Callable[[Strand], None] | None = None,
    ) -> Strand:
        """Begin a strand that lives no longer than the process."""

        def ended(strand: Strand) -> None:
            self._strands.pop(strand, None)
            if strand.dead and self.alive:
                self.die()
            if on_end is not None:
                on_end(strand)

        strand = self.turns.start(f"{self.name}/{name}", body, on_end=ended)
        self._strands[strand] = None
        return strand

    def die(self) -> None:
        """End, with everything in it, in no order that anybody could rely on."""
        if not self.alive:
            return
        self.alive = False
        strands, self._strands = list(self._strands), {}
        for strand in strands:
            strand.die()
            if strand.on_end is not None:
                strand.on_end(strand)
        if self.on_death is not None:
            self.on_death()

    def step(self) -> None:
        """Come to a line at which a process may die.

        Raises:
            Died: it does.
        """
        self.steps += 1
        if self.dies_in is not None:
            self.dies_in -= 1
            if self.dies_in <= 0:
                raise Died

    async def stop(self) -> None:
        """Come to a line at which others may go first, and at which a process may stand still."""
        self.step()
        await TURN
        await self._thaw()
        self.step()

    async def stop_inside(self) -> None:
        """Come to a line inside a unit of work; others go first now and then only."""
        self.step()
        self._until_turn -= 1
        if self._until_turn <= 0:
            self._until_turn = self._random.randrange(1, 2 * STEPS_BETWEEN_TURNS)
            await TURN

    async def want_store(self) -> None:
        """Wait for the store."""
        self.step()
        await self._thaw()
        await STORE

    async def sleep(self, length: timedelta) -> None:
        """Do nothing for so long."""
        await Park(until=self.turns.clock.now() + length)

    async def _thaw(self) -> None:
        if self.frozen_until is not None and self.turns.clock.now() < self.frozen_until:
            await Park(until=self.frozen_until)
