from __future__ import annotations

from fractions import Fraction
from operator import add, ge, gt, le, lt, sub
from typing import TYPE_CHECKING

import attrs
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.shared.money import (
    AMOUNT_MAX,
    AmountOutOfRange,
    Asset,
    AssetMismatch,
    Assets,
    MalformedAssetId,
    Money,
    UnknownAsset,
    asset_id,
    chain_of,
    zero,
)
from tests.builders import CHAIN, COIN, USD, USDT, coins, usdt

if TYPE_CHECKING:
    from collections.abc import Callable

amounts = st.integers(-(2**250), 2**250)


@given(amounts, amounts)
def test_money_adds_and_subtracts_as_integers_do(one: int, other: int) -> None:
    assert usdt(one) + usdt(other) == usdt(one + other)
    assert usdt(one) - usdt(other) == usdt(one - other)
    assert usdt(one) + -usdt(one) == zero(USDT.id)
    assert (usdt(one) + usdt(other)) - usdt(other) == usdt(one)


@given(amounts, amounts)
def test_money_is_ordered_as_integers_are(one: int, other: int) -> None:
    for compare in (lt, le, gt, ge):
        assert compare(usdt(one), usdt(other)) == compare(one, other)
    assert bool(usdt(one)) == (one != 0)


@pytest.mark.parametrize("combine", [add, sub, lt, le, gt, ge])
def test_assets_never_mix(combine: Callable[[Money, Money], object]) -> None:
    with pytest.raises(AssetMismatch) as refusal:
        combine(usdt(0), coins(0))
    assert (refusal.value.expected, refusal.value.got) == (USDT.id, COIN.id)


def test_equal_amounts_of_different_assets_are_different() -> None:
    assert usdt(5) != coins(5)


@pytest.mark.parametrize("amount", [1.0, True, "1", None, AMOUNT_MAX + 1, -AMOUNT_MAX - 1])
def test_only_whole_numbers_in_range_are_amounts(amount: object) -> None:
    with pytest.raises(AmountOutOfRange):
        Money(amount, USDT.id)  # type: ignore[arg-type]  # the mistake under test


def test_a_sum_out_of_range_is_refused() -> None:
    with pytest.raises(AmountOutOfRange):
        usdt(AMOUNT_MAX) + usdt(1)


@pytest.mark.parametrize(
    "text",
    [
        "iso4217:USD",
        "telegram/stars",
        "eip155:1/slip44:60",
        USDT.id,
        "ton:mainnet/jetton:EQCxE6mUtQJKFnGfaROTKOt1lZbDiiX1kCixRv7Nw2Id_sDs",
    ],
)
def test_names_of_assets_are_read(text: str) -> None:
    assert asset_id(text) == text


@pytest.mark.parametrize(
    "text",
    ["", "USD", "usdt", "iso4217:usd", "iso4217:USDT", "eip155:1", "a b/c", "iso4217:USD\n"],
)
def test_other_names_are_not(text: str) -> None:
    with pytest.raises(MalformedAssetId):
        asset_id(text)


def test_an_asset_lives_on_a_chain_or_on_none() -> None:
    assert chain_of(USDT.id) == CHAIN
    assert chain_of(USD.id) is None
    assert chain_of(asset_id("telegram/stars")) is None


@pytest.mark.parametrize(
    ("decimals", "amount", "text"),
    [
        (6, 25_000_000, "25.000000"),
        (6, 1, "0.000001"),
        (6, -1, "-0.000001"),
        (0, 7, "7"),
        (0, -7, "-7"),
        (2, 0, "0.00"),
        (18, 10**18 + 1, "1.000000000000000001"),
    ],
)
def test_amounts_are_rendered_with_all_decimals(decimals: int, amount: int, text: str) -> None:
    assert Asset(USDT.id, "USDT", decimals).render(amount) == text


@given(st.integers(0, 36), st.integers(-(10**60), 10**60))
def test_a_rendered_amount_is_the_amount(decimals: int, amount: int) -> None:
    asset = Asset(USDT.id, "USDT", decimals)

    assert Fraction(asset.render(amount)) == asset.units(amount)


@given(st.fractions(0, 10**20))
def test_rounding_up_adds_less_than_one_smallest_unit(units: Fraction) -> None:
    rounded = USD.units(USD.round_up(units).amount)

    assert 0 <= rounded - units < Fraction(1, 100)


@pytest.mark.parametrize("decimals", [-1, 37])
def test_decimals_have_a_range(decimals: int) -> None:
    with pytest.raises(ValueError, match="decimals"):
        attrs.evolve(USDT, decimals=decimals)


def test_only_listed_assets_are_found() -> None:
    assets = Assets.of([USDT, USD])

    assert assets.find(USDT.id) is USDT
    with pytest.raises(UnknownAsset):
        assets.find(COIN.id)
