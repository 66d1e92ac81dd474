"""What every calendar knows."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest

from ports.calendar import NotACalendarExpression

if TYPE_CHECKING:
    from ports.calendar import Calendar


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


class CalendarContract:
    @pytest.fixture
    def calendar(self) -> Calendar:
        raise NotImplementedError

    @pytest.mark.parametrize(
        ("expression", "after", "following"),
        [
            ("* * * * *", "2026-03-01 12:00:30", "2026-03-01 12:01"),
            ("0 * * * *", "2026-03-01 12:00", "2026-03-01 13:00"),
            ("*/15 9-17 * * mon-fri", "2026-03-06 17:50", "2026-03-09 09:00"),
            ("0 0 29 2 *", "2026-03-01 00:00", "2028-02-29 00:00"),
            ("30 6 1,15 * *", "2026-03-01 06:30", "2026-03-15 06:30"),
        ],
    )
    def test_the_next_time_is_after_and_never_at(
        self, calendar: Calendar, expression: str, after: str, following: str
    ) -> None:
        assert calendar.following(expression, after=at(after)) == at(following)

    def test_times_are_told_in_utc_and_taken_in_any_zone(self, calendar: Calendar) -> None:
        tokyo = at("2026-03-01 12:30").astimezone(timezone(timedelta(hours=9)))
        following = calendar.following("0 * * * *", after=tokyo)
        assert (following, following.tzinfo) == (at("2026-03-01 13:00"), UTC)

    def test_a_zone_has_its_own_noon_in_summer_and_in_winter(self, calendar: Calendar) -> None:
        noons = [
            calendar.following("0 12 * * *", after=at(day), zone="America/New_York")
            for day in ("2026-01-10", "2026-07-10")
        ]
        assert noons == [at("2026-01-10 17:00"), at("2026-07-10 16:00")]

    @pytest.mark.parametrize(
        ("expression", "zone"),
        [
            ("", "UTC"),
            ("@hourly", "UTC"),
            ("61 * * * *", "UTC"),
            ("* * * * * *", "UTC"),
            ("0 0 31 feb *", "UTC"),
            ("* * * * *", "Mars/Olympus"),
            ("* * * * *", "../passwd"),
            ("* * * * *", ""),
        ],
    )
    def test_what_makes_no_sense_is_refused(
        self, calendar: Calendar, expression: str, zone: str
    ) -> None:
        with pytest.raises(NotACalendarExpression) as refusal:
            calendar.following(expression, after=at("2026-03-01"), zone=zone)
        assert (refusal.value.expression, refusal.value.zone) == (expression, zone)
