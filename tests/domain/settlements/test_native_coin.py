"""Settlements in a chain's own coin, which also pays for our transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.intents.model import Method
from domain.intents.service import PriceIn
from domain.ledger.accounts import available
from tests.builders import COIN, coins, usd
from tests.domain.scene import GAS, HOT, PAYER, PLACES, TILL

if TYPE_CHECKING:
    from tests.domain.world import World

DUE = 10**16
"""What 25.00 USD are at 2,500 USD for a coin, in the coin's smallest unit."""
NET = DUE - DUE // 100


async def released(world: World) -> None:
    """Have a payment in the coin released by us, and the chain's word final."""
    intent = await world.services.intents.create(
        merchant=world.merchant, method=Method.ESCROW, offer=PriceIn(usd(2500), COIN.id)
    )
    world.chain.fund(PAYER, coins(DUE))
    world.pay_escrow(intent)
    await world.settle_down()
    await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)
    await world.send_and_settle_down()


async def test_what_was_earned_is_paid_out_and_the_tank_pays_the_fees(world: World) -> None:
    await released(world)
    [settlement] = await world.services.settlements.run()
    assert settlement.money == coins(NET)
    await world.send_and_settle_down()
    assert world.held(TILL, COIN.id) == NET
    spent = await world.booked(PLACES.gas, COIN.id)
    assert 0 < spent == world.held(HOT, COIN.id) < GAS
    await world.must_be_right()


async def test_the_gas_tank_is_no_merchants_pay(world: World) -> None:
    world.chain.reject_pushes_to(HOT)
    await released(world)
    assert await world.booked(available(world.merchant.id), COIN.id) == NET

    assert await world.services.settlements.run() == []

    world.chain.withdraw(COIN.id, by=HOT, to=HOT)
    await world.settle_down()
    [settlement] = await world.services.settlements.run()
    assert settlement.money == coins(NET)
    await world.send_and_settle_down()
    assert world.held(TILL, COIN.id) == NET
    await world.must_be_right()
