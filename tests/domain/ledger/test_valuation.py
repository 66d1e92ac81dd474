"""Valuation: what is booked is worth what trusted sources say, or nothing that anybody knows."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

from domain.ledger.values import RATE_AGE_MAX
from tests.builders import COIN, USD, USDT, earned, usd
from tests.domain.scene import OTHER_TOKEN

if TYPE_CHECKING:
    from domain.shared.money import Money
    from tests.domain.world import World


async def values(world: World, amount: int) -> tuple[Money | None, ...]:
    """Book an amount and return what its postings are worth."""
    async with world.around.store.begin() as work:
        await work.ledger.book(earned(amount, by=world.merchant.id))
        await work.commit()
    [*_, booked] = world.around.store.tables.transactions
    return booked.values


async def test_each_asset_is_valued_by_the_median_of_its_sources(world: World) -> None:
    for source in world.around.rates:
        source.say(USD, USD, "1")  # What the currency is worth in itself is nobody's news.
    for source, rate in zip(world.around.rates, ("0.9990", "1.0010", "1.0004"), strict=True):
        source.say(USDT, USD, rate)

    kept = {rate.asset: rate for rate in await world.services.valuation.keep_rates()}

    assert set(kept) == {USDT.id, COIN.id}
    assert OTHER_TOKEN.id not in kept
    whole = 10**USDT.decimals
    assert kept[USDT.id].per_unit == Decimal("1.0004") * 100 / whole
    assert await values(world, 25 * whole) == (usd(2501), usd(-2501))


async def test_without_a_trusted_rate_there_is_no_value_and_never_one_to_one(
    world: World,
) -> None:
    world.around.rates[0].say(USDT, USD, "1.5")

    kept = await world.services.valuation.keep_rates()

    assert [rate.asset for rate in kept] == [COIN.id]
    assert await values(world, 10**18) == (None, None)


async def test_a_stablecoin_off_its_peg_is_not_valued(world: World) -> None:
    for source in world.around.rates:
        source.say(USDT, USD, "0.9")

    await world.services.valuation.keep_rates()

    assert await values(world, 10**18) == (None, None)


async def test_sources_that_fail_leave_the_last_rate_until_it_is_too_old(world: World) -> None:
    await world.services.valuation.keep_rates()
    for source in world.around.rates:
        source.fail_next(100)
    world.clock.advance(seconds=(RATE_AGE_MAX - timedelta(seconds=1)).total_seconds())
    assert await world.services.valuation.keep_rates() == []
    assert await values(world, 10**18) == (usd(100), usd(-100))

    world.clock.advance(seconds=1)

    assert await values(world, 10**18) == (None, None)
    await world.services.sealing.seal()
    assert await world.services.books.check() == []


async def test_a_value_stays_what_it_was_when_rates_move(world: World) -> None:
    await world.services.valuation.keep_rates()
    before = await values(world, 10**18)
    for source in world.around.rates:
        source.say(USDT, USD, "1.01")
    await world.services.valuation.keep_rates()

    assert await values(world, 10**18) == (usd(101), usd(-101))
    assert before == (usd(100), usd(-100))
    assert await world.services.books.check() == []
