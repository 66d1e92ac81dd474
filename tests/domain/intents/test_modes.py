"""Test money pays test accounts, and live money live ones."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.fees.model import FeeSchedule
from domain.intents.issuing import ChainOfOtherMode
from domain.intents.model import Method
from domain.intents.service import PriceIn
from domain.shared.modes import Mode
from domain.shared.money import Asset, AssetId, Assets
from domain.stars.model import STARS
from tests.builders import CHAIN, USD, USDT, usd
from tests.domain.scene import ASSETS, PLACES

if TYPE_CHECKING:
    from domain.intents.service import IntentService
    from domain.merchants.model import Merchant
    from tests.domain.world import World

OFFER = PriceIn(usd(2500), USDT.id)


async def accounts(world: World) -> dict[Mode, Merchant]:
    merchants = world.services.merchants
    test, live = await merchants.register_twins(name="Grace's clocks", fees=FeeSchedule(0))
    return {Mode.TEST: test, Mode.LIVE: live}


def of_mode(world: World, mode: Mode) -> IntentService:
    """Return the use cases of a gateway whose chain is of a mode."""
    places = {CHAIN: attrs.evolve(PLACES, mode=mode)}
    return attrs.evolve(world.services.intents, places=places)


@pytest.mark.parametrize("mode", Mode)
async def test_an_account_is_paid_on_chains_of_its_mode(world: World, mode: Mode) -> None:
    intents, both = of_mode(world, mode), await accounts(world)
    for merchant in both.values():
        if merchant.mode is mode:
            made = await intents.create(merchant=merchant, method=Method.ESCROW, offer=OFFER)
            assert made.merchant_id == merchant.id
            continue
        with pytest.raises(ChainOfOtherMode) as refusal:
            await intents.create(merchant=merchant, method=Method.ESCROW, offer=OFFER)
        assert (refusal.value.chain, refusal.value.mode) == (CHAIN, merchant.mode)
        with pytest.raises(ChainOfOtherMode):
            await intents.quote(merchant=merchant, price=OFFER.price, asset=OFFER.asset)
        assert await intents.page(owner=merchant.id, limit=9) == []


async def test_a_quote_from_before_the_chain_changed_its_mode_is_refused(world: World) -> None:
    both = await accounts(world)
    test = both[Mode.TEST]
    quote = await of_mode(world, Mode.TEST).quote(
        merchant=test, price=OFFER.price, asset=OFFER.asset
    )

    with pytest.raises(ChainOfOtherMode):
        await of_mode(world, Mode.LIVE).create(merchant=test, method=Method.ESCROW, offer=quote.id)


@pytest.mark.parametrize("mode", Mode)
async def test_stars_are_what_the_settings_say(world: World, mode: Mode) -> None:
    stars = Asset(AssetId(STARS), "XTR", decimals=0)
    for source in world.around.rates:
        source.say(stars, USD, "0.02")
    intents = attrs.evolve(
        world.services.intents,
        assets=Assets.of([*ASSETS.by_id.values(), stars]),
        rules=attrs.evolve(world.services.intents.rules, stars=mode),
    )
    for merchant in (await accounts(world)).values():
        if merchant.mode is mode:
            await intents.quote(merchant=merchant, price=OFFER.price, asset=STARS)
        else:
            with pytest.raises(ChainOfOtherMode):
                await intents.quote(merchant=merchant, price=OFFER.price, asset=STARS)
