from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.merchants.model import PaymentPolicy, PayoutTerms
from tests.builders import COIN, USDT, coins, usdt


@given(st.integers(0, 2**100), st.integers(1, 2**100), st.integers(0, 500))
def test_enough_is_the_amount_due_less_the_tolerance(got: int, due: int, bps: int) -> None:
    policy = PaymentPolicy(underpaid_tolerance_bps=bps)

    assert policy.enough(got=got, due=due) == (got >= due * Fraction(10_000 - bps, 10_000))


@pytest.mark.parametrize("bps", [-1, 501])
def test_the_tolerance_is_five_per_cent_at_most(bps: int) -> None:
    with pytest.raises(ValueError, match="underpaid_tolerance_bps"):
        PaymentPolicy(underpaid_tolerance_bps=bps)


def test_the_smallest_payout_is_one_unit_where_none_is_set() -> None:
    terms = PayoutTerms(minimums={USDT.id: 10**18})

    assert terms.minimum(USDT.id) == usdt(10**18)
    assert terms.minimum(COIN.id) == coins(1)


def test_a_person_approves_what_is_above_the_limit() -> None:
    terms = PayoutTerms(approval_above={USDT.id: 100})

    assert not terms.needs_approval(usdt(100))
    assert terms.needs_approval(usdt(101))
    assert not terms.needs_approval(coins(10**30))
