from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.fees.model import PLATFORM_BPS_MAX, FeeSchedule
from tests.builders import usdt

schedules = st.integers(0, PLATFORM_BPS_MAX)
grosses = st.integers(0, 2**200)


@given(schedules, grosses)
def test_fee_and_net_are_the_gross(bps: int, gross: int) -> None:
    line = FeeSchedule(bps).on(usdt(gross))

    assert line.net + line.fee == line.gross == usdt(gross)
    assert line.bps == bps


@given(schedules, grosses)
def test_a_fee_is_rounded_down_by_less_than_a_unit(bps: int, gross: int) -> None:
    exact = Fraction(gross * bps, 10_000)

    assert 0 <= exact - FeeSchedule(bps).on(usdt(gross)).fee.amount < 1


@given(schedules, grosses)
def test_a_fee_is_a_tenth_at_most(bps: int, gross: int) -> None:
    assert 0 <= FeeSchedule(bps).on(usdt(gross)).fee.amount * 10 <= gross


@pytest.mark.parametrize(
    ("bps", "gross", "fee"),
    [(100, 99, 0), (100, 100, 1), (100, 199, 1), (37, 10**18, 37 * 10**14)],
)
def test_the_contract_computes_the_same(bps: int, gross: int, fee: int) -> None:
    assert FeeSchedule(bps).on(usdt(gross)).fee == usdt(fee)


@pytest.mark.parametrize("bps", [-1, PLATFORM_BPS_MAX + 1])
def test_a_schedule_the_contract_would_refuse_is_refused(bps: int) -> None:
    with pytest.raises(ValueError, match="bps"):
        FeeSchedule(bps)
