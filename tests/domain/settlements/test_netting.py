from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from domain.merchants.model import PayoutTerms
from domain.settlements.netting import payable
from tests.builders import CHAIN, OTHER_CHAIN, USDT, address_of, usd, usdt

TERMS = PayoutTerms(destinations={CHAIN: address_of("cold")}, minimums={USDT.id: 100})


@given(st.integers(-1_000, 1_000))
def test_all_of_a_balance_is_paid_from_the_minimum_on(amount: int) -> None:
    assert payable(usdt(amount), TERMS) == (usdt(amount) if amount >= 100 else None)


@given(st.integers(-3, 3))
def test_nothing_is_no_payout_even_without_a_minimum(amount: int) -> None:
    terms = PayoutTerms(destinations={CHAIN: address_of("cold")}, minimums={USDT.id: 0})

    assert payable(usdt(amount), terms) == (usdt(amount) if amount > 0 else None)


def test_money_with_nowhere_to_go_stays() -> None:
    elsewhere = PayoutTerms(destinations={OTHER_CHAIN: address_of("cold")})

    assert payable(usdt(10**30), elsewhere) is None
    assert payable(usd(10**30), TERMS) is None
