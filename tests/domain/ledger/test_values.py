"""Values: exact to the last digit, and rounded once, half to even."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.ledger.values import RATE_DIGITS, BookRate, book_rate
from domain.shared.money import Asset, AssetId
from tests.builders import NOON, USD, USDT, usd, usdt

BTC = Asset(AssetId("bip122:000000000019d6689c085ae165831e93/slip44:0"), "BTC", decimals=8)


def at_rate(per_unit: str) -> BookRate:
    return BookRate(USDT.id, USD.id, Decimal(per_unit), NOON)


@pytest.mark.parametrize(
    ("amount", "cents"), [(1, 0), (3, 2), (5, 2), (7, 4), (-1, 0), (-3, -2), (-5, -2)]
)
def test_halves_go_to_the_even_cent(amount: int, cents: int) -> None:
    assert at_rate("0.5").value(usdt(amount)) == usd(cents)


def test_a_long_product_is_rounded_once() -> None:
    assert at_rate("1E-30").value(usdt(1_499_999_999_999_999_999_999_999_999_999)) == usd(1)


@given(
    st.integers(-(2**200), 2**200),
    st.decimals(min_value="1e-30", max_value="1e10", places=RATE_DIGITS),
)
def test_a_value_is_exact_to_half_a_unit(amount: int, per_unit: Decimal) -> None:
    value = BookRate(USDT.id, USD.id, per_unit, NOON).value(usdt(amount))

    assert abs(value.amount - amount * Fraction(per_unit)) <= Fraction(1, 2)


@pytest.mark.parametrize(
    ("asset", "rate", "amount", "cents"),
    [(BTC, "60000", 10**8, 6_000_000), (USDT, "0.9998", 10**18, 100), (USDT, "1", 10**34, 10**18)],
)
def test_a_price_of_whole_units_values_smallest_ones(
    asset: Asset, rate: str, amount: int, cents: int
) -> None:
    kept = book_rate(asset, USD, Decimal(rate), at=NOON)

    assert kept.value(asset.round_up(asset.units(amount))) == usd(cents)
