from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.shared.jobs import retry_delay


@pytest.mark.parametrize(
    ("attempts", "seconds"), [(0, 1), (1, 1), (2, 2), (3, 4), (10, 512), (11, 900), (500, 900)]
)
def test_waits_double_up_to_a_quarter_of_an_hour(attempts: int, seconds: int) -> None:
    assert retry_delay(attempts=attempts) == timedelta(seconds=seconds)


@given(st.integers(0, 60), st.integers(0, 100))
def test_jitter_adds_up_to_a_quarter(attempts: int, jitter: int) -> None:
    without = retry_delay(attempts=attempts)

    assert without <= retry_delay(attempts=attempts, jitter=jitter) <= without * 5 / 4
