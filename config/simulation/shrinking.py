"""Shrinking a scenario that fails to few acts that still fail in the same way.

Delta debugging: leave out ever smaller parts of the acts, and keep what still breaks the same
invariant. Each try is a whole simulation, so the number of tries is bounded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from config.simulation.run import simulate

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from config.simulation.run import Outcome
    from config.simulation.scenario import Scenario

TRIES = 400
"""How many simulations are run at most."""


def shrink(
    failed: Outcome,
    *,
    tries: int = TRIES,
    play: Callable[[Scenario], Outcome] = simulate,
    told: Callable[[int, int], None] | None = None,
) -> Outcome:
    """Return the outcome of the smallest scenario found that breaks the same invariant.

    ``told`` is called with how many acts are left and how many tries, each time some were left
    out. The days after the failure are left out first.
    """
    best = _shorter(failed, play)
    left = tries
    parts = 2
    while left > 0 and len(_numbers(best)) > 1:
        numbers = _numbers(best)
        parts = min(parts, len(numbers))
        for rest in _without_a_part(numbers, parts):
            left -= 1
            tried = play(attrs.evolve(best.scenario, only=rest))
            if tried.broken == failed.broken:
                best = tried
                parts = max(parts - 1, 2)
                if told is not None:
                    told(len(rest), tries - left)
                break
            if left <= 0:
                break
        else:
            if parts >= len(numbers):
                break
            parts = min(parts * 2, len(numbers))
    return best


def _shorter(failed: Outcome, play: Callable[[Scenario], Outcome]) -> Outcome:
    """Leave out all that would have happened after the failure."""
    numbers = tuple(act.number for act in failed.scenario.acts() if act.at <= failed.after)
    days = min(failed.scenario.days, failed.after.days + 1)
    shorter = attrs.evolve(failed.scenario, only=numbers, days=days)
    tried = play(shorter)
    return tried if tried.broken == failed.broken else failed


def _numbers(outcome: Outcome) -> tuple[int, ...]:
    return tuple(act.number for act in outcome.scenario.acts())


def _without_a_part(numbers: tuple[int, ...], parts: int) -> Iterator[tuple[int, ...]]:
    """Return the numbers without each of so many parts of about one length, the last first."""
    for part in reversed(range(parts)):
        first, last = len(numbers) * part // parts, len(numbers) * (part + 1) // parts
        yield numbers[:first] + numbers[last:]
