from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.intents.quotes import (
    LOCK_MAX,
    NoRate,
    QuoteExpired,
    RateRules,
    quote,
)
from domain.shared.ids import MerchantId, QuoteId
from tests.builders import COIN, NOON, USD, USDT, a_quote, a_rate, usd, usdt

if TYPE_CHECKING:
    from datetime import datetime

    from domain.intents.quotes import (
        Quote,
        RateObservation,
    )

RULES = RateRules()
SOURCES = ("north", "south", "west", "east", "up")


def quote_of(*observations: RateObservation, **changes: Any) -> Quote:  # noqa: ANN401 (any argument of quote())
    options: dict[str, Any] = {
        "id": QuoteId("qt_01"),
        "merchant_id": MerchantId("mer_01"),
        "price": usd(2500),
        "currency": USD,
        "asset": USDT,
        "observations": observations,
        "rules": RULES,
        "at": NOON,
    }
    return quote(**{**options, **changes})


def rates(*texts: str, observed_at: datetime = NOON) -> list[RateObservation]:
    return [
        a_rate(source, text, observed_at=observed_at)
        for source, text in zip(SOURCES, texts, strict=False)
    ]


@pytest.mark.parametrize(
    ("texts", "rate"),
    [
        (("1", "1", "1"), "1"),
        (("0.9990", "1.0000", "1.0020"), "1.0000"),
        (("1.0020", "0.9990", "1.0000"), "1.0000"),
        (("0.9990", "1.0000", "1.0010", "1.0020"), "1.0005"),
        (("1.0000", "1.0000", "1.0000", "1.5000"), "1.0000"),
        (("1.0000", "1.0001", "1.0002", "0.5000", "0.0001"), "1.0001"),
    ],
)
def test_the_rate_is_the_median_of_those_that_agree(texts: tuple[str, ...], rate: str) -> None:
    assert quote_of(*rates(*texts)).rate == Decimal(rate)


@given(
    st.lists(st.integers(9_951, 10_050), min_size=3, max_size=5),
    st.integers(1, 10**12),
)
def test_a_quote_can_be_recomputed_from_what_it_keeps(units: list[int], cents: int) -> None:
    observations = rates(*(f"{unit / 10_000:.4f}" for unit in units))

    made = quote_of(*observations, price=usd(cents))

    assert made.rate == median(it.rate for it in made.sources)
    exact = Fraction(cents, 100) / Fraction(made.rate) * 10**18
    assert 0 <= made.due.amount - exact < 1, "rounded up, by less than a unit"
    low, high = (end(it.rate for it in made.sources) for end in (min, max))
    assert made.spread_bps == ceil(Fraction(high - low) * 10_000 / Fraction(low))
    assert quote_of(*made.sources, price=usd(cents)) == made


def test_the_amount_due_is_rounded_up() -> None:
    assert quote_of(*rates("3", "3", "3"), asset=COIN, price=usd(100)).due.amount == (
        333_333_333_333_333_334
    )


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_sources_are_no_rate(count: int) -> None:
    with pytest.raises(NoRate) as refusal:
        quote_of(*rates(*["1"] * count))
    assert (refusal.value.asset, refusal.value.currency) == (USDT.id, USD.id)


def test_stale_rates_do_not_count() -> None:
    fresh = rates("1", "1", observed_at=NOON - RULES.age_max)
    stale = a_rate("west", observed_at=NOON - RULES.age_max - timedelta(microseconds=1))

    with pytest.raises(NoRate):
        quote_of(*fresh, stale)
    assert quote_of(*fresh, a_rate("west")).sources == (*fresh, a_rate("west"))


@pytest.mark.parametrize("rate", ["0", "-1"])
def test_a_rate_that_cannot_be_does_not_count(rate: str) -> None:
    with pytest.raises(NoRate):
        quote_of(*rates("1", "1", rate))


def test_sources_that_disagree_are_no_rate() -> None:
    with pytest.raises(NoRate):
        quote_of(*rates("0.97", "1.00", "1.03"))
    assert len(quote_of(*rates("0.99", "1.00", "1.01")).sources) == 3


@pytest.mark.parametrize(("rate", "quoted"), [("0.98", True), ("1.02", True), ("0.97", False)])
def test_a_stablecoin_off_its_peg_is_not_quoted(rate: str, quoted: bool) -> None:  # noqa: FBT001 (a table's column)
    if quoted:
        assert quote_of(*rates(rate, rate, rate)).rate == Decimal(rate)
        return
    with pytest.raises(NoRate) as refusal:
        quote_of(*rates(rate, rate, rate))
    assert "peg" in refusal.value.reason


def test_only_its_own_currency_is_a_peg() -> None:
    assert quote_of(*rates("2000", "2001", "2002"), asset=COIN).rate == 2001


@given(st.timedeltas(timedelta(0), timedelta(hours=1)))
def test_a_quote_is_kept_until_it_expires_and_not_at_that_moment(age: timedelta) -> None:
    made = quote_of(*rates("1", "1", "1"))
    assert made.expires_at == NOON + LOCK_MAX
    if age < LOCK_MAX:
        made.must_be_fresh(at=NOON + age)
        return
    with pytest.raises(QuoteExpired):
        made.must_be_fresh(at=NOON + age)


def test_a_rate_is_promised_for_five_minutes_at_most() -> None:
    with pytest.raises(ValueError, match="lock"):
        RateRules(lock=LOCK_MAX + timedelta(seconds=1))


def test_a_quote_keeps_its_price() -> None:
    assert a_quote().due == usdt(25 * 10**18)
    assert quote_of(*rates("1", "1", "1")).price == usd(2500)


def test_a_source_counts_once() -> None:
    with pytest.raises(NoRate):
        quote_of(*(a_rate("north"), a_rate("north"), a_rate("north")))


@pytest.mark.parametrize("texts", [("1", "1", "1.01009"), ("0.9799005",) * 3])
def test_the_bands_are_exact(texts: tuple[str, ...]) -> None:
    with pytest.raises(NoRate):
        quote_of(*rates(*texts))


def test_a_rate_from_the_future_does_not_count() -> None:
    with pytest.raises(NoRate):
        quote_of(*rates("1", "1"), a_rate("west", observed_at=NOON + timedelta(days=1)))


@pytest.mark.parametrize("rate", ["NaN", "Infinity"])
def test_a_rate_that_is_no_number_does_not_count(rate: str) -> None:
    with pytest.raises(NoRate):
        quote_of(*rates("1", "1", rate))
