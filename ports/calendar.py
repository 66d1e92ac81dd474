"""The calendar: when a cron expression comes round again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime


class NotACalendarExpression(ValueError):
    """A cron expression or the name of a time zone makes no sense, or never comes round."""

    def __init__(self, expression: str, zone: str, why: str) -> None:
        super().__init__(f"{expression!r} in {zone}: {why}")
        self.expression = expression
        self.zone = zone


class Calendar(Protocol):
    """Knows days, months and time zones."""

    def following(self, expression: str, *, after: datetime, zone: str = "UTC") -> datetime:
        """Return the first time of a cron expression of five fields after a time, in UTC.

        Raises:
            NotACalendarExpression: there is none.
        """
        ...
