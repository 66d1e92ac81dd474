from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.conversions.swaps import Swap, UnboundedSwap
from domain.shared.money import AssetMismatch, Money
from tests.builders import NOON
from tests.domain.conversions.builders import ONE, TWO, a_quote, a_swap, swapped


@given(st.integers(min_value=1, max_value=2**255), st.integers(min_value=0, max_value=9_999))
def test_the_least_is_rounded_up_and_never_nothing(amount: int, slippage_bps: int) -> None:
    quote = a_quote(money_out=Money(amount, TWO))
    least = quote.minimum_out(slippage_bps=slippage_bps)
    assert 1 <= least.amount <= amount
    assert least.amount * 10_000 >= amount * (10_000 - slippage_bps)
    assert (least.amount - 1) * 10_000 < amount * (10_000 - slippage_bps)


@pytest.mark.parametrize("slippage_bps", [-1, 10_000])
def test_a_slippage_limit_is_a_part_of_a_whole(slippage_bps: int) -> None:
    with pytest.raises(ValueError, match="slippage"):
        a_quote().minimum_out(slippage_bps=slippage_bps)


def test_a_quote_of_an_old_block_is_not_fresh() -> None:
    quote = a_quote()
    minute = timedelta(minutes=1)
    assert quote.is_fresh(at=NOON + timedelta(seconds=55), age_max=minute)
    assert not quote.is_fresh(at=NOON + timedelta(seconds=56), age_max=minute)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"money_in": Money(0, ONE)}, "money_in"),
        ({"minimum_out": Money(0, TWO)}, "minimum_out"),
        ({"deadline": datetime(2026, 3, 1)}, "deadline"),  # noqa: DTZ001 - what is refused
    ],
)
def test_a_swap_has_limits(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(UnboundedSwap) as caught:
        a_swap(**changes)
    assert caught.value.field == field


def test_a_swap_is_of_its_paths_assets() -> None:
    for changes in ({"money_in": Money(1, TWO)}, {"minimum_out": Money(1, ONE)}):
        with pytest.raises(AssetMismatch):
            a_swap(**changes)
    assert isinstance(a_swap(), Swap)


def test_what_a_token_keeps_is_told() -> None:
    given = swapped()
    assert given.withheld == Money(0, TWO)
    assert swapped(received=given.given - Money(3, TWO)).withheld == Money(3, TWO)
