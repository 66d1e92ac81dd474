"""When sweeps wait: for room, for an operator, and behind nothing that merchants wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.sending import IN_FLIGHT_MAX
from domain.ledger.parking import ParkedAsset
from domain.sweeps.model import OPEN_MAX
from tests.builders import CHAIN, COIN, USDT, coins
from tests.domain.scene import DUE, HOT, NET, TILL
from tests.domain.sweeping import FEE, NEEDED, paid, sweeps

if TYPE_CHECKING:
    from tests.domain.world import World


async def test_no_more_are_open_than_there_is_room_for(world: World) -> None:
    for _ in range(OPEN_MAX + 2):
        world.pay(await world.intent())
    await world.settle_down()

    assert len(await world.sweep()) == OPEN_MAX
    assert await world.sweep() == []
    await world.send_and_settle_down()
    await world.send_and_settle_down()
    assert len(await world.sweep()) == 2
    await world.send_and_settle_down()
    await world.send_and_settle_down()

    assert world.held(HOT) == (OPEN_MAX + 2) * DUE
    await world.must_be_right()


async def test_sweeps_that_wait_keep_no_payout_from_its_turn(world: World) -> None:
    await world.released()
    for _ in range(OPEN_MAX):
        world.pay(await world.intent())
    await world.settle_down()
    await world.sweep()
    # The tank can pay for a payout, and not for what the addresses need.
    state = world.chain.state
    tank = state.balance(HOT, COIN.id)
    state.move(HOT, TILL, coins(tank - NEEDED - FEE))
    world.clock.advance(seconds=1)
    assert len(await world.services.settlements.run()) == 1

    sent = await world.send()

    assert (sent.signed, sent.waiting) == (1, OPEN_MAX)
    await world.settle_down()
    assert world.held(TILL) == NET


async def test_moves_take_no_room_in_the_hot_wallets_queue(world: World) -> None:
    for _ in range(OPEN_MAX):
        world.pay(await world.intent())
    escrows = [await world.paid_escrow() for _ in range(IN_FLIGHT_MAX + 1)]
    await world.sweep()
    await world.send_and_settle_down()
    for intent in escrows:
        await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)

    assert (await world.send()).signed == OPEN_MAX + IN_FLIGHT_MAX
    assert (await world.send()).signed == 0
    await world.settle_down()
    assert (await world.send()).signed == 1
    await world.settle_down()
    await world.must_be_right()


async def park_chain(world: World) -> None:
    async with world.services.begin() as work:
        cursor = await work.chains.lock_cursor(CHAIN)
        assert cursor is not None
        await work.chains.save_cursor(attrs.evolve(cursor, parked="a person looks"))
        await work.commit()


async def test_a_chain_that_is_parked_is_neither_asked_nor_swept(world: World) -> None:
    await paid(world)
    await park_chain(world)
    world.chain.fail_next()

    assert await world.sweep() == []


async def test_what_is_parked_meanwhile_is_not_swept(world: World) -> None:
    await paid(world)
    [holding] = await world.services.sweeps._due(CHAIN, USDT.id, 1)
    await park_chain(world)

    assert await world.services.sweeps._begin_one(holding) is None
    assert sweeps(world) == []


async def test_an_asset_that_is_parked_is_not_swept(world: World) -> None:
    await paid(world)
    async with world.services.begin() as work:
        await work.parking.park(ParkedAsset(USDT.id, "books differ", None, world.clock.now()))
        await work.commit()

    assert await world.sweep() == []
