from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.clock import FakeClock
from adapters.memory.exchange import InMemoryExchange
from domain.conversions.pools import Path
from domain.conversions.swaps import Cause, SwapFailed, Swapped
from domain.shared.money import AssetId, Money
from ports.exchange import ExchangeUnavailable
from tests.builders import CHAIN, COIN
from tests.contracts.exchange import (
    COINS,
    DEEP,
    PURSE,
    SHALLOW,
    ExchangeContract,
    allow,
    carry_out,
    direct,
    refused,
    swap_of,
)

if TYPE_CHECKING:
    from datetime import datetime

    from domain.conversions.swaps import SwapCall
    from tests.contracts.exchange import Market

ONE, TWO, HUB, STRANGER = (AssetId(f"{CHAIN}/erc20:0x{digit * 40}") for digit in "1234")


@attrs.define
class MemoryMarket:
    clock: FakeClock = attrs.field(factory=FakeClock)
    exchange: InMemoryExchange = attrs.field(init=False)
    owner: str = "0x" + "a" * 40
    recipient: str = "0x" + "b" * 40
    coin: AssetId = COIN.id
    one: AssetId = ONE
    two: AssetId = TWO
    hub: AssetId = HUB
    stranger: AssetId = STRANGER

    def __attrs_post_init__(self) -> None:
        self.exchange = InMemoryExchange(coin=self.coin, clock=self.clock)
        self.exchange.open_pool(Money(SHALLOW, ONE), Money(SHALLOW, TWO))
        self.exchange.open_pool(Money(DEEP, ONE), Money(DEEP, HUB))
        self.exchange.open_pool(Money(DEEP, HUB), Money(DEEP, TWO))
        self.exchange.open_pool(Money(COINS, self.coin), Money(DEEP, HUB))
        for asset in (ONE, TWO, HUB):
            self.exchange.give(self.owner, Money(PURSE, asset))
        self.exchange.give(self.owner, Money(COINS, self.coin))

    async def now(self) -> datetime:
        return self.clock.now()

    async def send(self, call: SwapCall) -> str:
        return self.exchange.include(call)

    async def trade(self, money: Money, *, path: Path) -> None:
        self.exchange.trade(money, path=path)

    async def wait(self, *, seconds: int) -> None:
        self.clock.advance(seconds=seconds)

    async def held(self, holder: str, asset: AssetId) -> int:
        return self.exchange.held(holder, asset).amount


class TestInMemoryExchange(ExchangeContract):
    @pytest.fixture
    def market(self) -> Market:
        return MemoryMarket()


async def test_it_can_be_told_not_to_answer() -> None:
    market = MemoryMarket()
    swap = await swap_of(market, Money(10**6, ONE), direct(market))
    market.exchange.fail_next(4)
    with pytest.raises(ExchangeUnavailable):
        await market.exchange.quote(Money(10**6, ONE), paths=[direct(market)])
    with pytest.raises(ExchangeUnavailable):
        await market.exchange.calls(swap)
    with pytest.raises(ExchangeUnavailable):
        await market.exchange.rehearse(swap)
    with pytest.raises(ExchangeUnavailable):
        await market.exchange.outcome(swap, transaction="0x")
    assert isinstance(await carry_out(market, swap), Swapped)


async def test_a_token_can_be_told_to_keep_some() -> None:
    market = MemoryMarket()
    market.exchange.keep(TWO, bps=100)
    there = await carry_out(market, await swap_of(market, Money(10**6, ONE), direct(market)))
    assert isinstance(there, Swapped)
    assert there.withheld.amount == there.given.amount // 100 > 0

    back = await swap_of(market, Money(10**6, TWO), Path((TWO, ONE)))
    await allow(market, back)
    assert await refused(market, back) == Cause.TRANSFER_FEE


async def test_gas_can_be_too_dear_or_lacking_or_run_out() -> None:
    market = MemoryMarket()
    swap = await swap_of(market, Money(10**6, ONE), direct(market))
    call = await allow(market, swap)
    fee = await market.exchange.rehearse(swap)
    market.exchange.ask_fee(fee.amount * 1_000)
    assert await refused(market, swap) == Cause.GAS_PRICE
    market.exchange.ask_fee(fee.amount)
    market.exchange.give(market.owner, Money(1 - COINS, market.coin))
    assert await refused(market, swap) == Cause.GAS

    market.exchange.starve_next()
    outcome = await market.exchange.outcome(swap, transaction=market.exchange.include(call))
    assert isinstance(outcome, SwapFailed)
    assert outcome.failure.cause == Cause.GAS


async def test_a_pool_can_run_dry_between_quote_and_swap() -> None:
    market = MemoryMarket()
    swap = await swap_of(
        market, Money(10**6, ONE), direct(market), deadline=await market.now() + timedelta(days=1)
    )
    await allow(market, swap)
    market.exchange.open_pool(Money(0, ONE), Money(0, TWO))
    assert await refused(market, swap) == Cause.LIQUIDITY
