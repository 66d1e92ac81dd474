"""Where a payout goes: to what is effective when it is made, and it keeps that."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import attrs

from domain.merchants.model import PayoutTerms
from domain.settlements.payouts import PayoutState
from tests.builders import CHAIN, USDT, address_of, usdt
from tests.domain.scene import HOT, NET, STRANGER, TILL
from tests.domain.world import another_merchant

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.merchants.model import Merchant
    from domain.settlements.payouts import Payout
    from ports.unit_of_work import UnitOfWork
    from tests.domain.world import World

NEW = address_of("new till")


async def move(world: World, merchant: Merchant) -> None:
    """Have a merchant be paid somewhere else from now on."""
    async with world.services.begin() as work:
        payouts = attrs.evolve(merchant.payouts, destinations={CHAIN: NEW})
        await work.merchants.save(attrs.evolve(merchant, payouts=payouts))
        await work.commit()


async def only_payout(world: World) -> Payout:
    [payout] = world.around.store.tables.payouts
    return payout


async def test_what_is_under_way_keeps_its_destination(world: World) -> None:
    payout = await world.payout_under_way()
    await move(world, world.merchant)
    await world.send_and_settle_down()

    after = await world.payout(payout.id)
    assert (after.state, after.destination) == (PayoutState.CONFIRMED, TILL)
    assert (world.held(TILL), world.held(NEW)) == (NET, 0)


async def test_what_is_approved_afterwards_goes_to_the_new_one(world: World) -> None:
    terms = PayoutTerms(destinations={CHAIN: TILL}, approval_above={USDT.id: 0})
    merchant = await another_merchant(world, payouts=terms)
    await world.released(merchant=merchant)
    [settlement] = await world.services.settlements.run()
    await move(world, merchant)
    await world.services.settlements.approve(settlement_id=settlement.id)
    assert (await only_payout(world)).destination == NEW


async def test_a_run_that_began_before_looks_again(world: World) -> None:
    await world.released()
    begun = 0

    @asynccontextmanager
    async def begin() -> AsyncIterator[UnitOfWork]:
        nonlocal begun
        begun += 1
        if begun == 2:  # The run has read its merchants, and settles the first of them.
            await move(world, world.merchant)
        async with world.services.begin() as work:
            yield work

    await attrs.evolve(world.services.settlements, begin=begin).run()

    assert (await only_payout(world)).destination == NEW


async def test_what_was_refused_is_paid_to_the_new_one(world: World) -> None:
    payout = await world.payout_under_way()
    await world.send()
    world.chain.state.move(HOT, STRANGER, usdt(NET))
    world.chain.mine()
    world.chain.state.move(STRANGER, HOT, usdt(NET))
    await world.settle_down()
    await move(world, world.merchant)

    again = await world.services.settlements.retry_payout(payout_id=payout.id)
    await world.send_and_settle_down()

    assert again.destination == NEW
    assert (world.held(TILL), world.held(NEW)) == (0, NET)
    await world.must_be_right()
