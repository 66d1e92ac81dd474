"""What only Uniswap's own contracts can say: that our sums are theirs, and how they refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest
from eth_typing import HexStr

from adapters.evm.names import token_asset
from adapters.uniswap_v2.exchange import WrongContracts
from domain.conversions.pools import Path, paths_between
from domain.conversions.swaps import Cause, Purpose, SwapFailed, Swapped
from domain.shared.money import Money
from ports.chain import InstructionRefused
from ports.exchange import InsufficientLiquidity, NoRoute
from tests.contracts.exchange import (
    COINS,
    SHALLOW,
    allow,
    carry_out,
    direct,
    refused,
    swap_of,
)
from tests.uniswap.market import CHAIN, address

if TYPE_CHECKING:
    from adapters.evm.web3_account import Web3Account
    from tests.uniswap.market import GenuineMarket

AMOUNTS = (2, 3, 999, 1_000, 1_001, 123_457, 10**6, SHALLOW // 3, SHALLOW - 1, 7 * SHALLOW)


async def test_a_quote_is_what_the_router_says(uniswap: GenuineMarket) -> None:
    market = uniswap
    asked = 0
    paths = [
        *paths_between(market.one, market.two, hubs=[market.hub]),
        *paths_between(market.two, market.one, hubs=[market.hub]),
        Path((market.hub, market.coin)),
        Path((market.coin, market.hub, market.one, market.two)),
    ]
    for path in paths:
        for amount in AMOUNTS:
            try:
                quote = await market.exchange.quote(Money(amount, path.source), paths=[path])
            except InsufficientLiquidity:
                assert not any((await market.amounts("getAmountsOut", amount, path))[-1:])
                continue
            answers = await market.amounts("getAmountsOut", amount, path)
            assert (quote.money_in.amount, quote.money_out.amount) == (answers[0], answers[-1])
            asked += 1
    assert asked > len(paths) * len(AMOUNTS) // 2


async def test_an_exact_output_costs_what_the_router_says(uniswap: GenuineMarket) -> None:
    market = uniswap
    for path in paths_between(market.two, market.one, hubs=[market.hub]):
        for amount in (1, 2, 1_000, 123_457, SHALLOW // 2, SHALLOW - 1):
            money = Money(amount, path.target)
            quote = await market.exchange.quote_for(money, paths=[path])
            answers = await market.amounts("getAmountsIn", amount, path)
            assert quote.money_in.amount == answers[0]


async def test_a_token_that_keeps_some_of_what_is_paid_in(uniswap: GenuineMarket) -> None:
    market = uniswap
    swap = await swap_of(market, Money(10**6, market.leaky), Path((market.leaky, market.two)))
    call = await allow(market, swap)
    assert await refused(market, swap) == Cause.TRANSFER_FEE
    outcome = await market.exchange.outcome(swap, transaction=await market.send(call))
    assert isinstance(outcome, SwapFailed)
    assert outcome.failure.cause == Cause.TRANSFER_FEE
    assert outcome.failure.reason == "UniswapV2: K"


async def test_a_token_that_keeps_some_of_what_comes_out(uniswap: GenuineMarket) -> None:
    """The router compares the least with what the pool sends, so it does not notice."""
    market = uniswap
    money = Money(10**6, market.two)
    swap = await swap_of(market, money, Path((market.two, market.leaky)))
    outcome = await carry_out(market, swap)
    assert isinstance(outcome, Swapped)
    assert outcome.given >= swap.minimum_out > outcome.received
    assert outcome.withheld.amount == outcome.given.amount // 100
    assert await market.held(market.recipient, market.leaky) == outcome.received.amount


async def test_a_token_whose_allowance_goes_by_way_of_zero(uniswap: GenuineMarket) -> None:
    market = uniswap
    first = await swap_of(market, Money(5_000, market.one), direct(market))
    await allow(market, first)
    other = attrs.evolve(first, money_in=Money(6_000, market.one))
    reset, approve, _ = await market.exchange.calls(other)

    assert (reset.purpose, approve.purpose) == (Purpose.RESET, Purpose.APPROVE)
    with pytest.raises(InstructionRefused, match="AllowanceMustPassThroughZero"):
        await _tried_out(market.account, target=approve.target, data=approve.data)
    assert isinstance(await carry_out(market, other), Swapped)


async def test_a_pool_without_liquidity_is_a_pool(uniswap: GenuineMarket) -> None:
    market = uniswap
    path = Path((market.one, market.stranger))
    with pytest.raises(NoRoute):
        await market.exchange.quote(Money(10**6, market.one), paths=[path])
    await market.create_pair(market.one, market.stranger)

    with pytest.raises(InsufficientLiquidity):
        await market.exchange.quote(Money(10**6, market.one), paths=[path])
    swap = market.usual(Money(10**6, market.one), path, await market.now())
    call = await allow(market, swap)
    assert await refused(market, swap) == Cause.LIQUIDITY
    outcome = await market.exchange.outcome(swap, transaction=await market.send(call))
    assert isinstance(outcome, SwapFailed)
    assert outcome.failure.cause == Cause.LIQUIDITY


@pytest.mark.parametrize("part", [25, 60, 90, 97])
async def test_a_transaction_without_enough_gas(uniswap: GenuineMarket, part: int) -> None:
    """Wherever the gas runs out: in the router, in a token, in a pair."""
    market = uniswap
    path = Path((market.one, market.hub, market.two))
    swap = await swap_of(market, Money(10**6, market.one), path)
    call = await allow(market, swap)
    request = {"from": call.sender, "to": call.target, "data": "0x" + call.data.hex()}
    needed = int(await market.control("eth_estimateGas", request), 16)
    transaction = await market.send(call, gas=needed * part // 100)
    outcome = await market.exchange.outcome(swap, transaction=transaction)
    assert isinstance(outcome, SwapFailed)
    assert outcome.failure.cause == Cause.GAS, outcome.failure


async def test_gas_that_is_too_dear_or_cannot_be_paid(uniswap: GenuineMarket) -> None:
    market = uniswap
    held = await market.held(market.owner, market.coin)
    path = Path((market.coin, market.hub))
    usual = await swap_of(market, Money(COINS // 100, market.coin), path)
    fee = await market.exchange.rehearse(usual)
    assert 0 < fee.amount < 10**16

    market.exchange = market.seen_as(fee_limit_wei=fee.amount // 2)
    assert await refused(market, usual) == Cause.GAS_PRICE
    market.exchange = market.seen_as()
    everything = attrs.evolve(
        usual,
        money_in=Money(held - fee.amount // 2, market.coin),
        minimum_out=Money(1, path.target),
    )
    assert await refused(market, everything) == Cause.GAS
    too_much = attrs.evolve(everything, money_in=Money(held + 1, market.coin))
    assert await refused(market, too_much) == Cause.FUNDS


async def test_the_reason_is_looked_for_where_it_failed(uniswap: GenuineMarket) -> None:
    """Later blocks have another price and another time; they are not asked."""
    market = uniswap
    path = direct(market)
    swap = await swap_of(market, Money(10**6, market.one), path)
    call = await allow(market, swap)
    await market.trade(Money(SHALLOW // 10, market.one), path=path)
    transaction = await market.send(call)
    back = await market.held(address(0), market.two)
    await market.trade(Money(min(back, SHALLOW // 5), market.two), path=Path(path.assets[::-1]))
    await market.wait(seconds=3_600)

    outcome = await market.exchange.outcome(swap, transaction=transaction)
    assert isinstance(outcome, SwapFailed)
    assert outcome.failure.cause == Cause.SLIPPAGE
    assert outcome.failure.reason == "UniswapV2Router: INSUFFICIENT_OUTPUT_AMOUNT"


async def test_other_contracts_than_configured_are_not_used(uniswap: GenuineMarket) -> None:
    nobody = "0x" + "1" * 40
    for changes in ({"wrapped": nobody}, {"factory": nobody}, {"router": nobody}):
        exchange = uniswap.seen_as(**changes)
        with pytest.raises(WrongContracts):
            await exchange.quote(Money(1_000, uniswap.one), paths=[direct(uniswap)])


async def test_the_coin_and_its_token_are_no_path(uniswap: GenuineMarket) -> None:
    path = Path((uniswap.coin, uniswap.hub, token_asset(CHAIN, uniswap.wrapped)))
    with pytest.raises(NoRoute):
        await uniswap.exchange.quote(Money(1_000, uniswap.coin), paths=[path])


async def _tried_out(account: Web3Account, *, target: str, data: bytes) -> None:
    checksum = account.web3.to_checksum_address(target)
    await account.send({"to": checksum, "data": HexStr("0x" + data.hex())})
