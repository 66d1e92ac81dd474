"""What the network takes, and what that is worth."""

from __future__ import annotations

import pytest

from adapters.memory.clock import FakeClock
from adapters.memory.network_fees import InMemoryFeeMarket
from adapters.memory.rates import FixedRates
from domain.intents.quotes import RateRules
from domain.network_fees.model import Kind
from domain.network_fees.service import NetworkFeeService, NoFeeMarket
from domain.shared.money import Assets
from tests.builders import CHAIN, COIN, OTHER_CHAIN, USD, coins, usd


def service(*rates: str, assets: Assets | None = None) -> NetworkFeeService:
    clock = FakeClock()
    sources = []
    for number, rate in enumerate(rates):
        source = FixedRates(name=f"source {number}", clock=clock)
        source.say(COIN, USD, rate)
        sources.append(source)
    return NetworkFeeService(
        clock=clock,
        markets={CHAIN: InMemoryFeeMarket(CHAIN, COIN.id)},
        assets=assets or Assets.of([USD, COIN]),
        rates=sources,
        rules=RateRules(),
        currency=USD.id,
    )


async def test_a_fee_is_worth_the_median_rate_rounded_up() -> None:
    # 21,000 units of 10^-18 at 2,500 million USD are 0.0000525 USD.
    valued = await service("2500000000", "2500000000", "2500000000").fees(chain=CHAIN)

    assert valued.fees.offers[0].costs[Kind.TRANSFER] == coins(21_000)
    assert valued.values[coins(21_000)] == usd(1)
    huge = "1" + "0" * 15
    valued = await service(huge, huge, huge).fees(chain=CHAIN)
    assert valued.values[coins(21_000)] == usd(2_100)


@pytest.mark.parametrize("rates", [(), ("1", "1"), ("1", "2", "3")])
async def test_without_a_rate_to_be_trusted_it_has_no_value(rates: tuple[str, ...]) -> None:
    assert (await service(*rates).fees(chain=CHAIN)).values == {}


async def test_without_a_currency_in_the_list_it_has_no_value() -> None:
    alone = service("1", "1", "1", assets=Assets.of([COIN]))

    assert (await alone.fees(chain=CHAIN)).values == {}


async def test_a_chain_without_a_market_is_told_apart() -> None:
    with pytest.raises(NoFeeMarket) as refusal:
        await service().fees(chain=OTHER_CHAIN)
    assert refusal.value.chain == OTHER_CHAIN
