"""Sweeps: money at deposit addresses comes to the hot wallet once, and the books say so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.chains.instructions import FundGas, SweepDeposit
from domain.sweeps.model import SweepState
from ports.chain import ChainUnavailable
from tests.builders import CHAIN, COIN, USDT, coins, usdt
from tests.domain.scene import DUE, GAS, HOT, NET, OTHER_TOKEN, PAYER, PLACES, SWEEP_FROM, TILL
from tests.domain.sweeping import FEE, FUNDED, NEEDED, newest, paid, sweeps, swept
from tests.domain.world import address_for

if TYPE_CHECKING:
    from tests.domain.world import World


async def test_what_lies_at_an_address_is_funded_moved_and_paid_out(world: World) -> None:
    intent = await paid(world)
    address = address_for(intent)
    assert await world.services.settlements.run() == []

    [sweep] = await world.sweep()
    assert (sweep.state, sweep.money, sweep.address) == (SweepState.FUNDING, usdt(DUE), address)
    assert newest(world).instruction == FundGas(coins(FUNDED), address)
    await world.send_and_settle_down()
    assert await world.booked(PLACES.deposits, COIN.id) == FUNDED
    assert await world.booked(PLACES.gas, COIN.id) == GAS - FUNDED - FEE
    await world.must_be_right()

    assert [it.state for it in sweeps(world)] == [SweepState.MOVING]
    assert newest(world).instruction == SweepDeposit(usdt(DUE), address, sweep.index)
    await world.send_and_settle_down()
    assert [it.state for it in sweeps(world)] == [SweepState.DONE]
    assert (world.held(address), world.held(HOT)) == (0, DUE)
    assert await world.booked(PLACES.deposits) == 0
    assert await world.booked(PLACES.hot) == DUE
    assert await world.booked(PLACES.deposits, COIN.id) == FUNDED - FEE
    assert await world.suspense() == 0
    await world.must_be_right()

    [settlement] = await world.services.settlements.run()
    assert settlement.money == usdt(NET)
    await world.send_and_settle_down()
    assert world.held(TILL) == NET
    await world.must_be_right()


async def test_what_is_seen_and_not_final_is_not_swept(world: World) -> None:
    world.pay(await world.intent())
    await world.read()

    assert await world.sweep() == []
    await world.settle_down()
    assert len(await world.sweep()) == 1


@pytest.mark.parametrize(("amount", "count"), [(SWEEP_FROM - 1, 0), (SWEEP_FROM, 1)])
async def test_dust_stays_where_it_is(world: World, amount: int, count: int) -> None:
    intent = await paid(world, amount)

    assert len(await world.sweep()) == count
    await swept(world)

    assert world.held(address_for(intent)) == amount * (1 - count)
    await world.must_be_right()


async def test_what_no_policy_names_stays_where_it_is(world: World) -> None:
    intent = await world.intent()
    world.pay(intent, 10**9, asset=OTHER_TOKEN.id)
    await world.settle_down()

    assert await world.sweep() == []


async def test_dust_that_grows_is_swept_as_a_whole(world: World) -> None:
    intent = await paid(world, SWEEP_FROM - 1)
    world.pay(intent, 1)
    await world.settle_down()

    await swept(world)

    assert world.held(HOT) == SWEEP_FROM
    await world.must_be_right()


async def test_no_sweep_without_a_policy(world: World) -> None:
    await paid(world)
    without = attrs.evolve(world.services.sweeps, minimums={})

    assert await without.sweep(chain=CHAIN) == []
    assert sweeps(world) == []


async def test_a_second_deposit_is_swept_again_with_what_coin_is_left(world: World) -> None:
    intent = await paid(world)
    await swept(world)
    world.pay(intent)
    await world.settle_down()

    [second] = await world.sweep()

    assert second.state is SweepState.FUNDING
    left = FUNDED - FEE
    missing = NEEDED - left
    assert newest(world).instruction == FundGas(coins(missing + NEEDED // 5), address_for(intent))
    await world.send_and_settle_down()
    await world.send_and_settle_down()
    assert [it.state for it in sweeps(world)] == [SweepState.DONE, SweepState.DONE]
    assert world.held(HOT) == 2 * DUE
    assert world.chain.blocks.sequence(address_for(intent)) == 2
    await world.must_be_right()


async def test_an_address_that_has_enough_coin_is_not_funded(world: World) -> None:
    intent = await paid(world)
    world.chain.fund(address_for(intent), coins(NEEDED))
    await world.settle_down()

    [sweep] = await world.sweep()

    assert sweep.state is SweepState.MOVING
    await world.send_and_settle_down()
    assert [it.state for it in sweeps(world)] == [SweepState.DONE]
    assert world.held(HOT) == DUE


async def test_what_came_between_funding_and_move_is_moved_too(world: World) -> None:
    intent = await paid(world)
    await world.sweep()
    world.pay(intent, 7)
    await world.send_and_settle_down()
    world.pay(intent, 9)  # This one is not final when the move is made.
    await world.send_and_settle_down()

    assert sweeps(world)[0].money == usdt(DUE + 7)
    assert world.held(HOT) == DUE + 7
    assert world.held(address_for(intent)) == 9
    await world.must_be_right()


async def test_two_tokens_at_one_address_are_swept_one_after_the_other(world: World) -> None:
    intent = await paid(world)
    world.pay(intent, 10**9, asset=OTHER_TOKEN.id)
    await world.settle_down()
    both = attrs.evolve(
        world.services.sweeps, minimums={**world.services.sweeps.minimums, OTHER_TOKEN.id: 1}
    )

    for count in (1, 2):
        assert len(await both.sweep(chain=CHAIN)) == 1
        assert await both.sweep(chain=CHAIN) == []
        await world.send_and_settle_down()
        await world.send_and_settle_down()
        assert [it.state for it in sweeps(world)] == [SweepState.DONE] * count

    assert world.held(HOT, OTHER_TOKEN.id) == 10**9
    await world.must_be_right()


async def test_what_strangers_send_to_the_hot_wallet_is_still_in_suspense(world: World) -> None:
    await paid(world)
    world.chain.transfer(usdt(3), source=PAYER, target=HOT)
    await swept(world)

    assert await world.suspense() == 3
    await world.must_be_right()


async def test_late_money_is_brought_in_while_its_merchant_decides(world: World) -> None:
    intent = await world.intent()
    world.clock.advance(hours=2)
    await world.settle_down()
    await world.services.intents.expire_due(chain=CHAIN)
    world.pay(intent)
    await world.settle_down()

    await swept(world)

    assert (await world.suspense(), world.held(HOT)) == (DUE, DUE)
    await world.must_be_right()


async def test_what_another_run_has_swept_meanwhile_is_nothing_to_refuse(world: World) -> None:
    await paid(world)
    [holding] = await world.services.sweeps._due(CHAIN, USDT.id, 1)
    await swept(world)

    assert await world.services.sweeps._begin_one(holding) is None
    assert [it.state for it in sweeps(world)] == [SweepState.DONE]


async def test_coin_that_is_not_final_pays_for_nothing(world: World) -> None:
    intent = await paid(world)
    world.chain.fund(address_for(intent), coins(NEEDED))
    await world.read()

    [sweep] = await world.sweep()

    assert sweep.state is SweepState.FUNDING


async def test_what_the_chain_did_takes_effect_at_its_blocks_time(world: World) -> None:
    await paid(world)
    await world.sweep()
    for kind in ("sweep_funding", "sweep"):
        world.clock.advance(minutes=1)
        await world.send()
        world.chain.mine()
        mined = world.clock.now()
        world.chain.finalize()
        world.clock.advance(minutes=5)
        await world.watch()

        booked = [it.transaction for it in world.around.store.tables.transactions]
        assert {it.kind for it in booked if it.effective_at == mined} == {kind, "network_fee"}


async def test_a_chain_that_does_not_answer_is_asked_again(world: World) -> None:
    await paid(world)
    world.chain.fail_next()
    with pytest.raises(ChainUnavailable):
        await world.sweep()

    assert len(await world.sweep()) == 1
