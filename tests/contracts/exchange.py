"""What every exchange keeps: quotes that come true, and swaps that do, or tell why not.

An adapter's tests build a ``Market``: pools as `POOLS` says, and an owner who holds ``PURSE`` of
each token. They derive the suite and override ``market``.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Protocol

import attrs
import pytest

from domain.conversions.pools import (
    Path,
    input_through,
    output_through,
    paths_between,
    price_impact_bps,
)
from domain.conversions.swaps import Cause, Purpose, Swap, SwapFailed, Swapped
from domain.shared.money import Money
from ports.exchange import ExchangeUnavailable, InsufficientLiquidity, NoRoute, SwapRefused

if TYPE_CHECKING:
    from datetime import datetime

    from domain.conversions.swaps import SwapCall, SwapOutcome
    from domain.shared.money import AssetId
    from ports.exchange import Exchange

PURSE: Final = 10**10
"""What the owner holds of each token at first, smallest units."""

SHALLOW: Final = 10**9
"""What the direct pool of ``one`` and ``two`` holds of each."""

DEEP: Final = 10**12
"""What the pools with ``hub`` hold of each."""

COINS: Final = 10**18
"""What the pool of ``coin`` and ``hub`` holds of the coin, for `DEEP` of the hub."""

SLIPPAGE_BPS: Final = 50


class Market(Protocol):
    """An exchange, and what others do there."""

    owner: str
    recipient: str
    """Somebody else, who holds nothing."""
    coin: AssetId
    """The native coin."""
    one: AssetId
    two: AssetId
    hub: AssetId
    stranger: AssetId
    """An asset in no pool."""

    @property
    def exchange(self) -> Exchange:
        """What is tried."""
        ...

    async def now(self) -> datetime:
        """Return the time by which deadlines go."""
        ...

    async def send(self, call: SwapCall) -> str:
        """Have a transaction included, whatever comes of it, and return its name."""
        ...

    async def trade(self, money: Money, *, path: Path) -> None:
        """Have somebody else swap, at any price."""
        ...

    async def wait(self, *, seconds: int) -> None:
        """Let the time of blocks pass."""
        ...

    async def held(self, holder: str, asset: AssetId) -> int:
        """Return what somebody holds, smallest units."""
        ...


def direct(market: Market) -> Path:
    return Path((market.one, market.two))


async def swap_of(market: Market, money: Money, path: Path, **changes: Any) -> Swap:  # noqa: ANN401 - any field
    """Return a swap of what is quoted now, less `SLIPPAGE_BPS`."""
    quote = await market.exchange.quote(money, paths=[path])
    usual = Swap(
        money_in=money,
        minimum_out=quote.minimum_out(slippage_bps=SLIPPAGE_BPS),
        path=path,
        deadline=await market.now() + timedelta(minutes=5),
        sender=market.owner,
        recipient=market.recipient,
    )
    return attrs.evolve(usual, **changes)


async def allow(market: Market, swap: Swap) -> SwapCall:
    """Send what comes before the swap; return the swap's own transaction."""
    *before, last = await market.exchange.calls(swap)
    for call in before:
        await market.send(call)
    return last


async def carry_out(market: Market, swap: Swap) -> SwapOutcome:
    transaction = await market.send(await allow(market, swap))
    outcome = await market.exchange.outcome(swap, transaction=transaction)
    assert outcome is not None
    return outcome


async def refused(market: Market, swap: Swap) -> Cause:
    """Return why a trial run fails."""
    with pytest.raises(SwapRefused) as caught:
        await market.exchange.rehearse(swap)
    return caught.value.failure.cause


class ExchangeContract:
    @pytest.fixture
    def market(self) -> Market:
        raise NotImplementedError

    async def test_a_quote_can_be_computed_again_from_itself(self, market: Market) -> None:
        paths = paths_between(market.one, market.two, hubs=[market.hub])
        quote = await market.exchange.quote(Money(7_654_321, market.one), paths=paths)

        assert quote.exchange == market.exchange.name
        assert quote.money_out == output_through(quote.pools, quote.money_in)
        assert quote.money_out.asset == quote.path.target == market.two
        assert quote.price_impact_bps == price_impact_bps(
            quote.pools, money_in=quote.money_in, money_out=quote.money_out
        )
        assert len(quote.block.hash) == len("0x") + 64
        assert quote.is_fresh(at=quote.taken_at, age_max=timedelta(days=1))

    async def test_the_path_that_gives_most_is_quoted(self, market: Market) -> None:
        paths = paths_between(market.one, market.two, hubs=[market.stranger, market.hub])
        little = await market.exchange.quote(Money(10_000, market.one), paths=paths)
        much = await market.exchange.quote(Money(SHALLOW, market.one), paths=paths)

        assert little.path == paths[0]
        assert much.path == paths[2]
        assert little.price_impact_bps < 10 < much.price_impact_bps < 100
        alone = await market.exchange.quote(Money(SHALLOW, market.one), paths=paths[:1])
        assert alone.money_out < much.money_out
        assert alone.price_impact_bps > 4_900

    async def test_an_exact_output_is_quoted_on_the_path_that_takes_least(
        self, market: Market
    ) -> None:
        paths = paths_between(market.one, market.two, hubs=[market.hub])
        for wanted, best in ((10_000, paths[0]), (SHALLOW - 1, paths[1])):
            money = Money(wanted, market.two)
            quote = await market.exchange.quote_for(money, paths=paths)

            assert quote.path == best
            assert quote.money_out >= money
            assert quote.money_in == input_through(quote.pools, money)
            one_less = quote.money_in - Money(1, market.one)
            assert output_through(quote.pools, one_less) < money

    async def test_no_pool_is_not_too_small_a_pool(self, market: Market) -> None:
        nowhere = paths_between(market.one, market.stranger, hubs=[market.hub])
        for ask in (market.exchange.quote, market.exchange.quote_for):
            asset = market.one if ask == market.exchange.quote else market.stranger
            with pytest.raises(NoRoute) as caught:
                await ask(Money(1_000, asset), paths=nowhere)
            assert caught.value.paths == nowhere

        with pytest.raises(InsufficientLiquidity):
            await market.exchange.quote_for(Money(SHALLOW, market.two), paths=[direct(market)])
        with pytest.raises(InsufficientLiquidity):
            await market.exchange.quote(Money(1, market.one), paths=[direct(market)])

    async def test_a_swap_gives_what_was_quoted(self, market: Market) -> None:
        for path in paths_between(market.one, market.two, hubs=[market.hub]):
            money = Money(1_000_000, market.one)
            quote = await market.exchange.quote(money, paths=[path])
            before = await market.held(market.recipient, market.two)
            outcome = await carry_out(market, await swap_of(market, money, path))

            assert isinstance(outcome, Swapped)
            assert (outcome.spent, outcome.given) == (money, quote.money_out)
            assert (outcome.received, outcome.withheld.amount) == (quote.money_out, 0)
            after = await market.held(market.recipient, market.two)
            assert after - before == outcome.received.amount
            assert outcome.block_number > quote.block.number

    async def test_a_swap_is_told_by_its_events_where_the_price_has_moved(
        self, market: Market
    ) -> None:
        path = direct(market)
        money = Money(1_000_000, market.one)
        swap = await swap_of(market, money, path)
        call = await allow(market, swap)
        await market.trade(Money(SHALLOW // 1_000, market.one), path=path)
        now = await market.exchange.quote(money, paths=[path])
        outcome = await market.exchange.outcome(swap, transaction=await market.send(call))

        assert isinstance(outcome, Swapped)
        assert swap.minimum_out <= outcome.received == now.money_out

    async def test_the_coin_is_swapped_both_ways(self, market: Market) -> None:
        there = Path((market.coin, market.hub, market.two))
        money = Money(COINS // 1_000, market.coin)
        swap = await swap_of(market, money, there)
        calls = await market.exchange.calls(swap)
        assert [call.purpose for call in calls] == [Purpose.SWAP]
        assert calls[0].value == money.amount
        gone = await carry_out(market, swap)
        assert isinstance(gone, Swapped)
        assert gone.spent == money

        back = Path((market.two, market.hub, market.coin))
        money = Money(gone.received.amount, market.two)
        before = await market.held(market.recipient, market.coin)
        come = await carry_out(market, await swap_of(market, money, back))
        assert isinstance(come, Swapped)
        assert come.spent == money
        assert await market.held(market.recipient, market.coin) == before + come.received.amount
        assert 0 < gone.spent.amount - come.received.amount < gone.spent.amount * 2 // 100

    async def test_the_exchange_may_take_exactly_one_swap(self, market: Market) -> None:
        path = direct(market)
        swap = await swap_of(market, Money(5_000, market.one), path)
        purposes = [call.purpose for call in await market.exchange.calls(swap)]
        assert purposes == [Purpose.APPROVE, Purpose.SWAP]
        await allow(market, swap)
        assert [call.purpose for call in await market.exchange.calls(swap)] == [Purpose.SWAP]

        other = await swap_of(market, Money(4_000, market.one), path)
        purposes = [call.purpose for call in await market.exchange.calls(other)]
        assert purposes == [Purpose.RESET, Purpose.APPROVE, Purpose.SWAP]
        assert isinstance(await carry_out(market, other), Swapped)
        purposes = [call.purpose for call in await market.exchange.calls(other)]
        assert purposes == [Purpose.APPROVE, Purpose.SWAP]

    async def test_less_than_the_least_is_refused(self, market: Market) -> None:
        path = direct(market)
        swap = await swap_of(market, Money(1_000_000, market.one), path)
        call = await allow(market, swap)
        fee = await market.exchange.rehearse(swap)
        assert fee > Money(0, market.coin)
        await market.trade(Money(SHALLOW // 100, market.one), path=path)

        assert await refused(market, swap) == Cause.SLIPPAGE
        await self._fails(market, swap, call, Cause.SLIPPAGE)

    async def test_a_deadline_that_has_passed_is_refused(self, market: Market) -> None:
        swap = await swap_of(market, Money(1_000_000, market.one), direct(market))
        call = await allow(market, swap)
        await market.wait(seconds=301)

        assert await refused(market, swap) == Cause.DEADLINE
        await self._fails(market, swap, call, Cause.DEADLINE)

    async def test_what_cannot_be_taken_is_refused(self, market: Market) -> None:
        swap = await swap_of(market, Money(1_000_000, market.one), direct(market))
        *_, call = await market.exchange.calls(swap)
        assert await refused(market, swap) == Cause.FUNDS
        await self._fails(market, swap, call, Cause.FUNDS)

        everything = await market.held(market.owner, market.one)
        richer = await swap_of(market, Money(everything + 1, market.one), direct(market))
        await allow(market, richer)
        assert await refused(market, richer) == Cause.FUNDS

    async def test_a_path_without_pools_is_refused(self, market: Market) -> None:
        usual = await swap_of(market, Money(1_000_000, market.one), direct(market))
        swap = attrs.evolve(
            usual,
            path=Path((market.one, market.stranger)),
            minimum_out=Money(1, market.stranger),
        )
        call = await allow(market, swap)
        assert await refused(market, swap) == Cause.NO_ROUTE
        await self._fails(market, swap, call, Cause.NO_ROUTE)

    async def test_a_transaction_in_no_block_is_not_known(self, market: Market) -> None:
        swap = await swap_of(market, Money(1_000_000, market.one), direct(market))
        name = "0x" + "ab" * 32
        assert await market.exchange.outcome(swap, transaction=name) is None

    async def test_another_transaction_says_nothing_of_a_swap(self, market: Market) -> None:
        swap = await swap_of(market, Money(1_000_000, market.one), direct(market))
        transaction = await market.send(await allow(market, swap))
        other = attrs.evolve(swap, minimum_out=Money(1, market.two))
        with pytest.raises(ExchangeUnavailable):
            await market.exchange.outcome(other, transaction=transaction)

    async def _fails(self, market: Market, swap: Swap, call: SwapCall, cause: Cause) -> None:
        before = await market.held(market.owner, market.one)
        transaction = await market.send(call)
        outcome = await market.exchange.outcome(swap, transaction=transaction)

        assert isinstance(outcome, SwapFailed)
        assert outcome.failure.cause == cause
        assert outcome.transaction == transaction
        assert await market.held(market.owner, market.one) == before
