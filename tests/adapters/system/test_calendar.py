from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.system.calendar import CronCalendar
from tests.contracts.calendar import CalendarContract

if TYPE_CHECKING:
    from ports.calendar import Calendar


class TestCalendar(CalendarContract):
    @pytest.fixture
    def calendar(self) -> Calendar:
        return CronCalendar()
