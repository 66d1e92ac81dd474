"""How often a schedule comes back: after a while, or by the calendar."""

from __future__ import annotations

from datetime import timedelta
from typing import Final, TypeAlias

import attrs

_EVERY: Final = "every"
_CRON: Final = "cron"


@attrs.frozen
class NotAPace(ValueError):
    """A text is not how a pace is written."""

    text: str


@attrs.frozen
class Cron:
    """The times of a cron expression of five fields, in a time zone."""

    expression: str
    zone: str = "UTC"


Pace: TypeAlias = timedelta | Cron
"""A length of time from one run's end to the next, or the calendar's times."""


def write_pace(pace: Pace) -> str:
    """Return a pace as text: ``every 2.5 s``, ``cron UTC 0 * * * *``."""
    if isinstance(pace, Cron):
        return f"{_CRON} {pace.zone} {pace.expression}"
    micros = pace // timedelta(microseconds=1)
    whole, rest = divmod(micros, 10**6)
    seconds = f"{whole}.{rest:06}".rstrip("0").rstrip(".")
    return f"{_EVERY} {seconds} s"


def read_pace(text: str) -> Pace:
    """Return the pace that a text tells.

    Raises:
        NotAPace: it tells none.
    """
    match text.split(" ", 2):
        case [word, zone, expression] if word == _CRON:
            return Cron(expression, zone)
        case [word, seconds, "s"] if word == _EVERY:
            whole, _, rest = seconds.partition(".")
            if (whole + rest).isdigit():
                return timedelta(seconds=int(whole), microseconds=int(rest.ljust(6, "0")))
    raise NotAPace(text)
