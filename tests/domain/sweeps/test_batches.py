"""Sweeps of many addresses by one transaction, on a chain where the hot wallet can send that."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.chain_state import Nature
from domain.chains.instructions import SweepDeposit, SweepMany
from domain.chains.submissions import SubmissionState
from domain.chains.sweeping import LEFT_ALONE
from domain.ledger.parking import ParkedAsset
from domain.sweeps.model import BATCHES_MAX, RETRY_AFTER, SweepState
from tests.builders import CHAIN, COIN, USDT, coins, usdt
from tests.domain.mishaps import Died, Mortal, yielding
from tests.domain.scene import DUE, GAS, HOT, OTHER_TOKEN, PLACES, STRANGER
from tests.domain.sweeping import FEE, newest, sweeps
from tests.domain.world import address_for, new_world

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent
    from tests.domain.services import Services
    from tests.domain.world import World

MOST = 3
"""How many addresses this chain's transactions sweep."""

STEPS_MAX = 500


@pytest.fixture
def together(world: World) -> World:
    """A world on whose chain addresses are swept together."""
    allow(world)
    return world


def allow(world: World, most: int = MOST) -> None:
    world.chain.sweeps_max = most


async def paid(world: World, count: int) -> list[PaymentIntent]:
    intents = [await world.intent() for _ in range(count)]
    for intent in intents:
        world.pay(intent)
    await world.settle_down()
    return intents


def states(world: World) -> list[SweepState]:
    return [it.state for it in sweeps(world)]


async def test_addresses_are_swept_by_one_transaction_without_any_coin(together: World) -> None:
    world = together
    intents = await paid(world, 3)

    opened = await world.sweep()
    assert states(world) == [SweepState.MOVING] * 3
    assert {it.submission_id for it in opened} == {newest(world).id}
    assert newest(world).purpose == newest(world).id
    instruction = newest(world).instruction
    assert isinstance(instruction, SweepMany)
    assert [it.sweep_id for it in instruction.places] == [it.id for it in opened]
    assert instruction.places[0].sweep == SweepDeposit(usdt(DUE), opened[0].address, 0)

    await world.send_and_settle_down()
    assert states(world) == [SweepState.DONE] * 3
    assert newest(world).state is SubmissionState.CONFIRMED
    assert [world.held(address_for(it)) for it in intents] == [0, 0, 0]
    assert world.held(HOT) == await world.booked(PLACES.hot) == 3 * DUE
    assert await world.booked(PLACES.deposits) == 0
    assert await world.booked(PLACES.deposits, COIN.id) == 0
    assert await world.booked(PLACES.gas, COIN.id) == GAS - FEE
    await world.must_be_right()


async def test_what_does_not_move_is_refused_alone_and_tried_again_later(together: World) -> None:
    world = together
    intents = await paid(world, 3)
    await world.sweep()
    await world.send()
    world.chain.state.blocked.add(address_for(intents[1]))
    await world.settle_down()

    ended = {it.address: it for it in sweeps(world)}
    refused = ended.pop(address_for(intents[1]))
    assert (refused.state, refused.reason) == (SweepState.REFUSED, LEFT_ALONE)
    assert {it.state for it in ended.values()} == {SweepState.DONE}
    assert world.held(HOT) == 2 * DUE
    await world.must_be_right()

    world.chain.state.blocked.clear()
    assert await world.sweep() == []
    world.clock.advance(seconds=RETRY_AFTER.seconds + 1)
    assert len(await world.sweep()) == 1
    await world.send_and_settle_down()
    assert world.held(HOT) == 3 * DUE
    await world.must_be_right()


async def test_an_address_that_cannot_be_moved_from_keeps_no_other_from_it(
    together: World,
) -> None:
    world = together
    intents = await paid(world, 3)
    world.chain.state.blocked.add(address_for(intents[1]))

    await world.sweep()

    assert sorted(states(world)) == [SweepState.MOVING, SweepState.MOVING, SweepState.REFUSED]
    [refused] = [it for it in sweeps(world) if it.state is SweepState.REFUSED]
    assert (refused.reason, refused.submission_id) == ("blocked", None)
    await world.send_and_settle_down()
    assert world.held(HOT) == 2 * DUE
    await world.must_be_right()


async def test_a_batch_of_which_nothing_would_come_is_not_signed(together: World) -> None:
    world = together
    intents = await paid(world, 2)
    await world.sweep()
    world.chain.state.blocked.update(address_for(it) for it in intents)
    await world.send()

    assert states(world) == [SweepState.REFUSED, SweepState.REFUSED]
    assert newest(world).state is SubmissionState.REFUSED
    assert newest(world).signed is None
    await world.settle_down()
    await world.must_be_right()


async def test_all_that_has_come_until_then_is_moved(together: World) -> None:
    world = together
    [intent] = await paid(world, 1)
    await world.sweep()
    world.pay(intent, 7)
    world.chain.mine()
    await world.send_and_settle_down()

    assert world.held(HOT) == DUE + 7
    assert world.held(address_for(intent)) == 0
    await world.must_be_right()


async def test_a_batch_begins_when_it_is_full_or_no_other_is_open(together: World) -> None:
    world = together
    await paid(world, MOST + 2)

    assert len(await world.sweep()) == MOST
    assert await world.sweep() == []
    await paid(world, 1)
    assert len(await world.sweep()) == MOST
    await paid(world, 1)
    assert await world.sweep() == []
    await world.send_and_settle_down()
    assert len(await world.sweep()) == 1
    await world.send_and_settle_down()

    assert states(world) == [SweepState.DONE] * (2 * MOST + 1)
    await world.must_be_right()


async def test_no_more_batches_are_open_than_leave_room_for_payouts(together: World) -> None:
    world = together
    await paid(world, MOST * (BATCHES_MAX + 1))

    assert len(await world.sweep()) == MOST * BATCHES_MAX
    assert await world.sweep() == []


async def test_one_asset_of_an_address_at_a_time_and_different_ones_together(
    together: World,
) -> None:
    world = together
    intents = await paid(world, 2)
    for intent in intents[:1]:
        world.pay(intent, 10**9, asset=OTHER_TOKEN.id)
    third = await world.intent()
    world.pay(third, 10**9, asset=OTHER_TOKEN.id)
    await world.settle_down()
    service = world.services.sweeps
    both = attrs.evolve(service, minimums={**service.minimums, OTHER_TOKEN.id: 1})

    opened = await both.sweep(chain=CHAIN)
    assert sorted(it.money.asset for it in opened) == sorted([USDT.id, USDT.id, OTHER_TOKEN.id])
    await world.send_and_settle_down()
    assert len(await both.sweep(chain=CHAIN)) == 1
    await world.send_and_settle_down()
    assert (world.held(HOT), world.held(HOT, OTHER_TOKEN.id)) == (2 * DUE, 2 * 10**9)
    await world.must_be_right()


async def test_what_is_parked_waits_and_keeps_no_other_asset_from_its_turn(world: World) -> None:
    allow(world, 1)
    await paid(world, BATCHES_MAX)
    other = await world.intent()
    world.pay(other, 10**9, asset=OTHER_TOKEN.id)
    await world.settle_down()
    await parked(world)
    service = world.services.sweeps
    both = attrs.evolve(service, minimums={**service.minimums, OTHER_TOKEN.id: 1})

    [sweep] = await both.sweep(chain=CHAIN)

    assert sweep.money.asset == OTHER_TOKEN.id


async def test_what_is_parked_at_the_last_moment_is_not_opened(together: World) -> None:
    world = together
    await paid(world, 2)
    service = world.services.sweeps
    due = await service._due_together(CHAIN, MOST)
    await parked(world)

    assert len(due) == 2
    assert await service._opening.open_together(CHAIN, due, most=MOST) == []


async def test_a_queued_batch_waits_for_what_is_parked_since(together: World) -> None:
    world = together
    await paid(world, 2)
    await world.sweep()
    await parked(world)

    await world.send()

    assert newest(world).state is SubmissionState.QUEUED


async def test_two_runs_at_once_sweep_each_address_once(together: World) -> None:
    world = together
    await paid(world, 2)
    workers = [yielding(world.around) for _ in range(3)]

    await asyncio.gather(*(worker.sweeps.sweep(chain=CHAIN) for worker in workers))

    assert len(sweeps(world)) == 2
    await world.send_and_settle_down()
    assert states(world) == [SweepState.DONE] * 2
    await world.must_be_right()


async def test_a_reorg_takes_a_batch_back_and_it_comes_again(together: World) -> None:
    world = together
    await paid(world, 3)
    await world.sweep()
    await world.send()
    await world.read(2)
    world.chain.reorg(depth=2)
    await world.watch()
    assert states(world) == [SweepState.MOVING] * 3

    await world.settle_down()

    assert states(world) == [SweepState.DONE] * 3
    await world.must_be_right()


async def test_an_address_that_was_emptied_by_a_reorged_world_is_refused_alone(
    together: World,
) -> None:
    world = together
    intents = await paid(world, 2)
    await world.sweep()
    await world.send()
    await world.read(2)
    world.chain.reorg(depth=2)
    # Whoever has the phrase moves one address's tokens before the batch is in a block again.
    world.chain.state.move(address_for(intents[0]), HOT, usdt(DUE))
    await world.settle_down()

    assert sorted(states(world)) == [SweepState.DONE, SweepState.REFUSED]
    assert world.held(HOT) == 2 * DUE


async def test_what_offers_too_little_is_replaced_and_lands_once(together: World) -> None:
    world = together
    await paid(world, 2)
    await world.sweep()
    await world.send()
    world.chain.stick()
    await world.read(5)
    await world.send()

    assert len(newest(world).attempts) == 2
    await world.settle_down()
    assert states(world) == [SweepState.DONE] * 2
    assert await world.booked(PLACES.gas, COIN.id) == GAS - FEE
    await world.must_be_right()


async def test_a_hot_wallet_without_coin_keeps_its_batch_waiting(together: World) -> None:
    world = together
    await paid(world, 2)
    await world.sweep()
    world.chain.state.move(HOT, STRANGER, coins(GAS))
    await world.send()
    assert newest(world).state is SubmissionState.QUEUED
    assert states(world) == [SweepState.MOVING] * 2

    world.chain.state.move(STRANGER, HOT, coins(GAS))
    await world.send_and_settle_down()
    assert states(world) == [SweepState.DONE] * 2


async def test_a_batch_in_vain_is_sent_again_as_it_was(world: World) -> None:
    world.chain.state.nature = Nature(valid_for=timedelta(hours=1))
    allow(world)
    await paid(world, 2)
    await world.sweep()
    await world.send()
    first = newest(world)
    world.chain.blocks.pool.clear()
    world.clock.advance(hours=2)
    await world.settle_down()

    assert states(world) == [SweepState.MOVING] * 2
    assert newest(world).id != first.id
    assert newest(world).instruction == first.instruction
    assert {it.submission_id for it in sweeps(world)} == {newest(world).id}
    await world.send_and_settle_down()
    assert states(world) == [SweepState.DONE] * 2
    await world.must_be_right()


async def round_of(services: Services, world: World) -> None:
    """Run the three jobs that drive a sweep, once each."""
    await services.sweeps.sweep(chain=CHAIN)
    await services.sender.send(chain=CHAIN)
    world.chain.mine()
    world.chain.finalize()
    await services.watcher.watch(chain=CHAIN)


async def test_a_worker_that_dies_at_any_step_sweeps_each_address_once() -> None:
    for step in range(1, STEPS_MAX):
        world = await new_world()
        allow(world)
        intents = await paid(world, 2)
        mortal = Mortal(world.around, dies_at=step)
        try:
            await round_of(mortal.services, world)
        except Died:
            await world.must_be_right()
        else:
            assert step > 40, "the worker was hardly looked at"
            return
        for _ in range(2):
            await round_of(world.services, world)

        assert states(world) == [SweepState.DONE] * 2, f"died at step {step}"
        assert [world.held(address_for(it)) for it in intents] == [0, 0]
        assert world.held(HOT) == 2 * DUE
        assert world.chain.blocks.sequence(HOT) == 1
        await world.must_be_right()
    raise AssertionError("the worker never came to its end")


async def parked(world: World) -> None:
    async with world.around.store.begin() as work:
        await work.parking.park(ParkedAsset(USDT.id, "does not match", None, world.clock.now()))
        await work.commit()
