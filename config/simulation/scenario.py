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

from config.simulation import congestion, memo_shopping, mischief, saving, shopping, star_shopping
from config.simulation.rails import RAILS

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from config.simulation.drawn import Drawn

FAULTS = ("crash", "rpc", "reorg", "queue", "webhooks", "storage", "telegram", "fees")
"""The kinds of faults, as the command line names them."""

FIRST_NUMBERS = {
    "evm": 0,
    "ton": 10_000_000,
    "stars": 20_000_000,
    "customers": 30_000_000,
    "congestion": 40_000_000,
}
"""The first number of each concern's acts: what is drawn for one renumbers no other's."""


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
    rails: tuple[str, ...] = RAILS
    """What money comes in by. The first chain is there in any case."""

    def acts(self) -> list[Act]:
        """Return the acts in the order of their time.

        Their numbers depend on the seed and on how many merchants there are; more days, other
        rails and more kinds of faults change none of them.
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
        if set(self.rails) != set(RAILS):
            words.append(f"--rails {','.join(self.rails) or 'none'}")
        if self.only is not None:
            words.append(f"--only {','.join(map(str, self.only)) or 'none'}")
        return " ".join(words)

    def _draw(self) -> list[Act]:
        return [
            act for rail, draw in _DRAWN_FOR.items() if rail in self.rails for act in draw(self)
        ]

    def _draw_first(self) -> list[Act]:
        """Draw what is about the first chain, and what befalls the gateway itself.

        Pinned scenarios play this alone, so that it stays as it is.
        """
        drawn: list[Act] = []
        for day in range(self.days):
            for merchant in range(self.merchants):
                add(drawn, shopping.draw(self._random("shopping", day, merchant), merchant), day)
            add(drawn, mischief.draw(self._random("mischief", day), self.merchants), day)
        return drawn

    def _draw_evm(self) -> list[Act]:
        """Draw what is about the first chain; its fees came later, under numbers of their own."""
        drawn: list[Act] = []
        for day in range(self.days):
            fees = congestion.draw(self._random("congestion", day), self.merchants)
            add(drawn, fees, day, first=FIRST_NUMBERS["congestion"])
        return [*self._draw_first(), *drawn]

    def _draw_ton(self) -> list[Act]:
        return self._draw_more("ton", memo_shopping.draw, memo_shopping.draw_mischief)

    def _draw_stars(self) -> list[Act]:
        return self._draw_more("stars", star_shopping.draw, star_shopping.draw_mischief)

    def _draw_customers(self) -> list[Act]:
        return self._draw_more("customers", saving.draw, saving.draw_mischief)

    def _draw_more(
        self,
        rail: str,
        draw: Callable[[Random, int], list[Drawn]],
        draw_mischief: Callable[[Random, int], list[Drawn]],
    ) -> list[Act]:
        """Draw what is about one of the other rails, under numbers of its own."""
        drawn: list[Act] = []
        first = FIRST_NUMBERS[rail]
        for day in range(self.days):
            for merchant in range(self.merchants):
                some = draw(self._random(rail, day, merchant), merchant)
                add(drawn, some, day, first=first)
            wrong = draw_mischief(self._random(rail, "mischief", day), self.merchants)
            add(drawn, wrong, day, first=first)
        return drawn

    def _random(self, *concern: object) -> Random:
        return Random("/".join(map(str, (self.seed, *concern))))  # noqa: S311 (to be repeated)


def add(drawn: list[Act], more: Sequence[Drawn], day: int, *, first: int = 0) -> None:
    """Number what was drawn for a day; acts name others by their place in the day's list."""
    first += len(drawn)
    for place, it in enumerate(more):
        of = None if it.of is None else first + it.of
        at = timedelta(days=day, milliseconds=it.at)
        drawn.append(Act(first + place, at, it.verb, it.kind, it.detail, of))


_DRAWN_FOR: Mapping[str, Callable[[Scenario], list[Act]]] = {
    "evm": Scenario._draw_evm,
    "ton": Scenario._draw_ton,
    "stars": Scenario._draw_stars,
    "customers": Scenario._draw_customers,
}


def chosen_faults(text: str) -> tuple[str, ...]:
    """Read the kinds of faults from a list with commas, ``all`` or ``none``.

    Raises:
        ValueError: there is no such kind.
    """
    return _chosen(text, FAULTS, "faults of kind")


def chosen_rails(text: str) -> tuple[str, ...]:
    """Read the rails from a list with commas, ``all`` or ``none``.

    Raises:
        ValueError: there is no such rail.
    """
    return _chosen(text, RAILS, "rail")


def _chosen(text: str, known: Sequence[str], what: str) -> tuple[str, ...]:
    if text == "all":
        return tuple(known)
    if text == "none":
        return ()
    wanted = [word.strip() for word in text.split(",")]
    for word in wanted:
        if word not in known:
            raise ValueError(f"no {what} {word!r}; there are {', '.join(known)}")
    return tuple(name for name in known if name in wanted)
