"""The calendar by cronsim, which keeps to Debian's cron where clocks are put forward or back."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from cronsim import CronSim, CronSimError

from ports.calendar import NotACalendarExpression

if TYPE_CHECKING:
    from datetime import datetime

_FIELDS = 5
"""cronsim reads a sixth field as seconds, which a schedule of ours does not have."""


class CronCalendar:
    """See ``ports.calendar.Calendar``."""

    def following(self, expression: str, *, after: datetime, zone: str = "UTC") -> datetime:
        """Return the first time of a cron expression of five fields after a time, in UTC.

        Raises:
            NotACalendarExpression: there is none.
        """
        if len(expression.split()) != _FIELDS:
            raise NotACalendarExpression(expression, zone, "it must have five fields")
        try:
            # UTC needs no database of time zones, which a small image may lack.
            place = UTC if zone == "UTC" else ZoneInfo(zone)
            times = CronSim(expression, after.astimezone(place))
            return next(times).astimezone(UTC)
        except CronSimError as error:
            raise NotACalendarExpression(expression, zone, str(error)) from error
        except (ZoneInfoNotFoundError, ValueError) as error:
            raise NotACalendarExpression(expression, zone, "no such time zone") from error
        except StopIteration:
            raise NotACalendarExpression(expression, zone, "it never comes round") from None
