"""What is drawn for one day, before it has its place in the whole."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from random import Random

MINUTE = 60_000
"""A minute, in the milliseconds that times of day are drawn in."""
HOUR = 60 * MINUTE
DAY = 24 * HOUR


@attrs.frozen
class Drawn:
    """One thing that somebody will do."""

    at: int
    """Milliseconds from the beginning of its day."""
    verb: str
    kind: str = ""
    detail: Mapping[str, int | str] = attrs.field(factory=dict)
    of: int | None = None
    """The place in the day's list of the act that created what this one is about."""


def between(random: Random, first: int, last: int) -> int:
    """Return a length of time between two, given in minutes, in milliseconds."""
    return random.randrange(first * MINUTE, last * MINUTE)


def chance(random: Random, percent: int) -> bool:
    """Tell whether something happens that happens so often in a hundred."""
    return random.randrange(100) < percent
