"""What will happen in a simulation: a numbered list of acts, drawn from the seed before it runs.

An act is one thing that somebody does at a time. It says all that it needs, so that leaving others
out does not change it: that is how a failing scenario is shrunk.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from random import Random
from typing import TYPE_CHECKING

import attrs

from config.simulation import mischief, shopping

if TYPE_CHECKING:
    from collections.abc import Sequence

    from config.simulation.drawn import Drawn

FAULTS = ("crash", "rpc", "reorg", "queue", "webhooks", "storage")
"""The kinds of faults, as the command line names them."""


@attrs.frozen
class Act:
    """One thing that somebody does."""

    number: int
    at: timedelta
    """Since the beginning."""
    verb: str
    kind: str
    """The kind of fault that it is, or ``""`` for what people do."""
    detail: Mapping[str, int | str]
    of: int | None = None
    """The act that created what this one is about."""

    def __str__(self) -> str:
        hours, minutes = divmod(self.at.seconds // 60, 60)
        detail = " ".join(f"{name}={value}" for name, value in self.detail.items())
        about = "" if self.of is None else f" of #{self.of}"
        when = f"d{self.at.days} {hours:02d}:{minutes:02d}"
        return f"#{self.number:<5d} {when}  {self.verb}{about}  {detail}".rstrip()


@attrs.frozen
class Scenario:
    """A seed and what it is asked to show."""

    seed: int
    days: int
    merchants: int = 10
    faults: tuple[str, ...] = FAULTS
    only: tuple[int, ...] | None = None
    """The acts to play; None plays all."""

    def acts(self) -> list[Act]:
        """Return the acts in the order of their time.

        Their numbers depend on the seed and on how many merchants there are; more days and more
        kinds of faults change none of them.
        """
        only = None if self.only is None else frozenset(self.only)
        chosen = [
            act
            for act in self._draw()
            if (only is None or act.number in only) and (not act.kind or act.kind in self.faults)
        ]
        return sorted(chosen, key=lambda act: (act.at, act.number))

    def command(self) -> str:
        """Return the command line that plays this scenario again."""
        words = [f"switchyard simulate --seed {self.seed} --days {self.days}"]
        if self.merchants != Scenario(0, 0).merchants:
            words.append(f"--merchants {self.merchants}")
        if set(self.faults) != set(FAULTS):
            words.append(f"--faults {','.join(self.faults) or 'none'}")
        if self.only is not None:
            words.append(f"--only {','.join(map(str, self.only)) or 'none'}")
        return " ".join(words)

    def _draw(self) -> list[Act]:
        drawn: list[Act] = []
        for day in range(self.days):
            for merchant in range(self.merchants):
                add(drawn, shopping.draw(self._random("shopping", day, merchant), merchant), day)
            add(drawn, mischief.draw(self._random("mischief", day), self.merchants), day)
        return drawn

    def _random(self, *concern: object) -> Random:
        return Random("/".join(map(str, (self.seed, *concern))))  # noqa: S311 (to be repeated)


def add(drawn: list[Act], more: Sequence[Drawn], day: int) -> None:
    """Number what was drawn for a day; acts name others by their place in the day's list."""
    first = len(drawn)
    for it in more:
        of = None if it.of is None else first + it.of
        at = timedelta(days=day, milliseconds=it.at)
        drawn.append(Act(len(drawn), at, it.verb, it.kind, it.detail, of))


def chosen_faults(text: str) -> tuple[str, ...]:
    """Read the kinds of faults from a list with commas, ``all`` or ``none``.

    Raises:
        ValueError: there is no such kind.
    """
    if text == "all":
        return FAULTS
    if text == "none":
        return ()
    wanted = [word.strip() for word in text.split(",")]
    for word in wanted:
        if word not in FAULTS:
            raise ValueError(f"no faults of kind {word!r}; there are {', '.join(FAULTS)}")
    return tuple(kind for kind in FAULTS if kind in wanted)
