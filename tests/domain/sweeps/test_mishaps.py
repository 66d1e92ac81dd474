"""Sweeps when things go wrong: lost, reverted, thrown out, died, or run twice."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from domain.chains.submissions import SubmissionState
from domain.sweeps.model import RETRY_AFTER, SweepState
from tests.builders import CHAIN, COIN, coins, usdt
from tests.domain.mishaps import Died, Mortal, yielding
from tests.domain.scene import DUE, GAS, HOT, PAYER, PLACES
from tests.domain.sweeping import FEE, FUNDED, NEEDED, newest, paid, sweeps, swept
from tests.domain.world import address_for, new_world

if TYPE_CHECKING:
    from tests.domain.services import Services
    from tests.domain.world import World

STEPS_MAX = 500


class TestRefusals:
    async def test_a_trial_run_that_fails_is_kept_for_a_person_to_see(self, world: World) -> None:
        await paid(world)
        world.chain._deposits = None  # The worker has lost its key.

        [refused] = await world.sweep()
        assert (refused.state, refused.reason) == (
            SweepState.REFUSED,
            "no key of deposit addresses",
        )
        assert await world.sweep() == []

    async def test_a_sweep_after_a_refused_one_waits_a_while(self, world: World) -> None:
        await paid(world)
        deposits, world.chain._deposits = world.chain._deposits, None
        await world.sweep()
        world.chain._deposits = deposits

        world.clock.advance(seconds=RETRY_AFTER.seconds)
        assert await world.sweep() == []
        world.clock.advance(seconds=1)
        assert len(await world.sweep()) == 1

    async def test_coin_that_is_gone_again_ends_the_sweep_and_another_follows(
        self, world: World
    ) -> None:
        intent = await paid(world)
        await world.sweep()
        await world.send_and_settle_down()
        world.chain.state.move(address_for(intent), PAYER, coins(1 + FUNDED - NEEDED))
        await world.send()

        [refused] = sweeps(world)
        assert (refused.state, refused.reason) == (SweepState.REFUSED, f"lacks {COIN.id}")
        assert newest(world).state is SubmissionState.REFUSED
        await world.settle_down()
        world.clock.advance(seconds=RETRY_AFTER.seconds + 1)
        await swept(world)
        assert [it.state for it in sweeps(world)] == [SweepState.REFUSED, SweepState.DONE]
        assert world.held(HOT) == DUE

    async def test_a_move_that_is_reverted_costs_its_fee_and_nothing_else(
        self, world: World
    ) -> None:
        intent = await paid(world)
        address = address_for(intent)
        await world.sweep()
        await world.send_and_settle_down()
        await world.send()
        # What it would move is not there when its block comes, and is back after that.
        world.chain.state.move(address, PAYER, usdt(1))
        world.chain.mine()
        world.chain.state.move(PAYER, address, usdt(1))
        await world.settle_down()

        [reverted] = sweeps(world)
        assert (reverted.state, reverted.reason) == (SweepState.REFUSED, "reverted by the chain")
        assert await world.booked(PLACES.deposits) == DUE
        assert await world.booked(PLACES.deposits, COIN.id) == FUNDED - FEE
        await world.must_be_right()
        world.clock.advance(seconds=RETRY_AFTER.seconds + 1)
        await swept(world)
        assert world.held(HOT) == DUE
        await world.must_be_right()

    async def test_a_funding_that_is_reverted_costs_its_fee_and_nothing_else(
        self, world: World
    ) -> None:
        await paid(world)
        await world.sweep()
        await world.send()
        state = world.chain.state
        away = state.balance(HOT, COIN.id) - FUNDED
        state.move(HOT, PAYER, coins(away))  # It can pay the fee then, and not both.
        world.chain.mine()
        state.move(PAYER, HOT, coins(away))
        await world.settle_down()

        [reverted] = sweeps(world)
        assert (reverted.state, reverted.reason) == (SweepState.REFUSED, "reverted by the chain")
        assert await world.booked(PLACES.gas, COIN.id) == GAS - FEE
        assert await world.booked(PLACES.deposits, COIN.id) == 0
        await world.must_be_right()


async def test_a_funding_that_was_lost_is_handed_over_again(world: World) -> None:
    await paid(world)
    world.chain.time_out_after_accepting()
    await world.sweep()
    await world.send()
    world.chain.blocks.pool.clear()
    world.clock.advance(minutes=20)
    world.chain.fail_next()
    await world.send()
    assert newest(world).state is SubmissionState.UNKNOWN
    assert [it.state for it in sweeps(world)] == [SweepState.FUNDING]
    assert await world.sweep() == []

    await world.send_and_settle_down()
    await world.send_and_settle_down()

    assert [it.state for it in sweeps(world)] == [SweepState.DONE]
    assert world.held(HOT) == DUE
    await world.must_be_right()


async def test_a_move_that_was_lost_is_handed_over_again_in_its_own_sequence(
    world: World,
) -> None:
    intent = await paid(world)
    await world.sweep()
    await world.send_and_settle_down()
    world.chain.time_out_after_accepting()
    await world.send()
    world.chain.blocks.pool.clear()
    signed = newest(world).signed
    assert signed is not None
    assert (signed.sender, signed.sequence) == (address_for(intent), 0)
    world.clock.advance(minutes=20)
    world.chain.fail_next()
    await world.send()
    assert newest(world).state is SubmissionState.UNKNOWN

    await world.send_and_settle_down()

    assert newest(world).signed == signed
    assert [it.state for it in sweeps(world)] == [SweepState.DONE]
    await world.must_be_right()


@pytest.mark.parametrize("dropped", [False, True])
async def test_a_reorg_before_finality_moves_nothing_twice(world: World, *, dropped: bool) -> None:
    intent = await paid(world)
    await world.sweep()
    for state in (SweepState.FUNDING, SweepState.MOVING):
        assert [it.state for it in sweeps(world)] == [state]
        await world.send()
        await world.read()
        signed = newest(world).signed
        assert signed is not None
        world.chain.reorg(depth=1, drop=[signed.hash] if dropped else [])
        await world.watch()
        await world.must_be_right()
        world.clock.advance(minutes=1)
        await world.send_and_settle_down()

    assert [it.state for it in sweeps(world)] == [SweepState.DONE]
    assert world.held(HOT) == DUE
    assert world.chain.blocks.sequence(address_for(intent)) == 1
    await world.must_be_right()


async def test_two_workers_at_once_sweep_once(world: World) -> None:
    intent = await paid(world)
    workers = [yielding(world.around) for _ in range(3)]

    for _ in range(3):
        await asyncio.gather(*(worker.sweeps.sweep(chain=CHAIN) for worker in workers))
        await asyncio.gather(*(worker.sender.send(chain=CHAIN) for worker in workers))
        world.chain.mine()
        world.chain.finalize()
        await asyncio.gather(*(worker.watcher.watch(chain=CHAIN) for worker in workers))

    assert [it.state for it in sweeps(world)] == [SweepState.DONE]
    assert world.held(HOT) == DUE
    assert world.chain.blocks.sequence(HOT) == 1
    assert world.chain.blocks.sequence(address_for(intent)) == 1
    await world.must_be_right()


async def round_of(services: Services, world: World) -> None:
    """Run the three jobs that drive a sweep, once each."""
    await services.sweeps.sweep(chain=CHAIN)
    await services.sender.send(chain=CHAIN)
    world.chain.mine()
    world.chain.finalize()
    await services.watcher.watch(chain=CHAIN)


@pytest.mark.parametrize("rounds_before", [0, 1])
async def test_a_worker_that_dies_at_any_step_sweeps_exactly_once(rounds_before: int) -> None:
    """Once while the funding is under way, once while the move is."""
    for step in range(1, STEPS_MAX):
        world = await new_world()
        intent = await paid(world)
        for _ in range(rounds_before):
            await round_of(world.services, world)
        mortal = Mortal(world.around, dies_at=step)
        try:
            await round_of(mortal.services, world)
        except Died:
            await world.must_be_right()
        else:
            assert step > 40, "the worker was hardly looked at"
            return
        for _ in range(3):
            await round_of(world.services, world)

        assert [it.state for it in sweeps(world)] == [SweepState.DONE], f"died at step {step}"
        assert (world.held(HOT), world.held(address_for(intent))) == (DUE, 0)
        assert world.chain.blocks.sequence(HOT) == 1
        assert world.chain.blocks.sequence(address_for(intent)) == 1
        assert world.chain.blocks.pool == []
        await world.must_be_right()
    raise AssertionError("the worker never came to its end")
