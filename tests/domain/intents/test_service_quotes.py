"""Use cases of quotes: a rate is promised for minutes, or there is none."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from domain.intents.issuing import AssetNotAccepted
from domain.intents.model import Method
from domain.intents.prices import PRICE_MAX, NotACurrency, PriceOutOfRange
from domain.intents.quotes import LOCK_MAX, NoRate, QuoteExpired
from domain.intents.service import PriceIn
from domain.shared.money import UnknownAsset
from ports.unit_of_work import NotFound
from tests.builders import COIN, USD, USDT, usd, usdt
from tests.domain.scene import DUE
from tests.domain.world import another_merchant

if TYPE_CHECKING:
    from domain.intents.quotes import Quote
    from domain.shared.money import Asset
    from tests.domain.world import World


async def quoted(world: World, *, cents: int = 2500, asset: str = USDT.id) -> Quote:
    return await world.services.intents.quote(
        merchant=world.merchant, price=usd(cents), asset=asset
    )


class TestQuotes:
    async def test_a_quote_is_what_its_intent_costs(self, world: World) -> None:
        made = await quoted(world)
        intent = await world.services.intents.create(
            merchant=world.merchant, method=Method.ADDRESS, offer=made.id
        )

        assert (intent.due, intent.quote_id) == (made.due, made.id)
        assert made.due.amount == DUE
        assert {source.source for source in made.sources} == {"north", "south", "west"}

    async def test_the_amount_due_is_rounded_up(self, world: World) -> None:
        for source in world.around.rates:
            source.say(USDT, USD, "0.9999")

        made = await quoted(world)

        assert made.due.amount == -(-2500 * 10**16 * 10_000 // 9999)
        assert made.due.amount * 9999 >= 2500 * 10**16 * 10_000

    async def test_a_quote_holds_as_long_as_it_says_and_no_longer(self, world: World) -> None:
        made = await quoted(world)
        assert made.expires_at == world.clock.now() + LOCK_MAX
        world.clock.move_to(made.expires_at - timedelta(microseconds=1))
        create = world.services.intents.create
        await create(merchant=world.merchant, method=Method.ADDRESS, offer=made.id)

        world.clock.move_to(made.expires_at)
        with pytest.raises(QuoteExpired):
            await create(merchant=world.merchant, method=Method.ADDRESS, offer=made.id)

    async def test_another_merchants_quote_is_not_there(self, world: World) -> None:
        made = await quoted(world)
        other = await another_merchant(world)

        with pytest.raises(NotFound):
            await world.services.intents.create(
                merchant=other, method=Method.ADDRESS, offer=made.id
            )

    async def test_a_wish_that_makes_no_sense_is_refused(self, world: World) -> None:
        quote = world.services.intents.quote
        with pytest.raises(UnknownAsset):
            await quote(merchant=world.merchant, price=usd(1), asset="eip155:1/slip44:60")
        with pytest.raises(NotACurrency):
            await quote(merchant=world.merchant, price=usdt(1), asset=USDT.id)
        with pytest.raises(AssetNotAccepted):
            await quote(merchant=world.merchant, price=usd(1), asset=USD.id)
        for cents in (0, -1, PRICE_MAX + 1):
            with pytest.raises(PriceOutOfRange):
                await quoted(world, cents=cents)
        assert (await quoted(world, cents=PRICE_MAX)).due.amount == PRICE_MAX * 10**16


class TestRatesFailClosed:
    async def _refused(self, world: World, reason: str, *, asset: Asset = USDT) -> None:
        with pytest.raises(NoRate) as refusal:
            await world.services.intents.create(
                merchant=world.merchant,
                method=Method.ESCROW,
                offer=PriceIn(usd(2500), asset.id),
            )
        assert refusal.value.reason == reason
        tables = world.around.store.tables
        assert len(tables.intents) == len(tables.quotes) == 0

    async def test_two_sources_are_not_enough(self, world: World) -> None:
        world.around.rates[0].fail_next()
        await self._refused(world, "2 fresh sources of 3")

        await world.intent()

    async def test_a_source_without_the_pair_does_not_count(self, world: World) -> None:
        world.around.rates[1].fall_silent(USDT, USD)
        await self._refused(world, "2 fresh sources of 3")

    async def test_an_old_rate_does_not_count(self, world: World) -> None:
        source = world.around.rates[2]
        source.age_by(timedelta(minutes=2))
        await world.intent()

        source.age_by(timedelta(minutes=2, microseconds=1))
        with pytest.raises(NoRate):
            await world.intent()

    @pytest.mark.parametrize("rate", ["0", "-1"])
    async def test_a_rate_of_nothing_does_not_count(self, world: World, rate: str) -> None:
        world.around.rates[0].say(USDT, USD, rate)
        await self._refused(world, "2 fresh sources of 3")

    async def test_a_source_that_lies_far_off_does_not_count(self, world: World) -> None:
        world.around.rates[0].say(COIN, USD, "2530")
        await self._refused(world, "sources disagree", asset=COIN)

    async def test_a_stablecoin_off_its_peg_is_not_quoted(self, world: World) -> None:
        for source in world.around.rates:
            source.say(USDT, USD, "0.97")
        await self._refused(world, "off its peg")

        for source in world.around.rates:
            source.say(USDT, USD, "1.03")
        await self._refused(world, "off its peg")

    async def test_a_rate_at_the_edge_of_the_band_is_quoted(self, world: World) -> None:
        for source in world.around.rates:
            source.say(USDT, USD, "0.98")
        assert (await quoted(world)).rate == Decimal("0.98")

    async def test_a_little_beyond_a_limit_is_beyond_it(self, world: World) -> None:
        for source in world.around.rates:
            source.say(USDT, USD, "0.97995")
        await self._refused(world, "off its peg")

        for source, rate in zip(world.around.rates, ("2500", "2500", "2525.2"), strict=True):
            source.say(COIN, USD, rate)
        await self._refused(world, "sources disagree", asset=COIN)

    async def test_nothing_has_a_rate_of_one_by_default(self, world: World) -> None:
        for source in world.around.rates:
            source.fall_silent(USDT, USD)
        await self._refused(world, "0 fresh sources of 3")
