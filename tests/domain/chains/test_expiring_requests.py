"""Releases and sweeps whose messages expire: asked for again, so and so often, and done once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from adapters.memory.chain_state import Nature
from domain.chains.instructions import FundGas, SweepDeposit
from domain.chains.submissions import ISSUES_MAX, SubmissionState
from domain.escrow.model import EscrowState
from domain.intents.model import IntentStatus
from domain.sweeps.model import RETRY_AFTER, SweepState
from tests.builders import CHAIN
from tests.domain.mishaps import Died, Mortal
from tests.domain.scene import DUE, HOT, SWEEP_FROM
from tests.domain.sweeping import paid, swept
from tests.domain.world import address_for, new_world

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent
    from tests.domain.world import World

VALID_FOR = timedelta(hours=1)
STEPS_MAX = 500


@pytest.fixture
async def fleeting(world: World) -> World:
    """Return the usual world, on a chain whose messages have a last moment."""
    world.chain.state.nature = Nature(valid_for=VALID_FOR)
    return world


async def lapse(world: World) -> None:
    """Send what is queued, have every node drop it, and let its last moment pass."""
    await world.send()
    world.chain.blocks.pool.clear()
    world.clock.advance(seconds=int(VALID_FOR.total_seconds()) + 1)
    await world.settle_down()


async def asked(world: World) -> PaymentIntent:
    intent = await world.paid_escrow()
    await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)
    return intent


async def test_a_release_is_asked_for_again(fleeting: World) -> None:
    intent = await asked(fleeting)
    first = (await fleeting.escrow(intent)).submission_id
    await lapse(fleeting)

    escrow = await fleeting.escrow(intent)
    assert escrow.requested
    assert escrow.submission_id != first
    await fleeting.send_and_settle_down()

    assert (await fleeting.escrow(intent)).state is EscrowState.RELEASED
    assert (await fleeting.now(intent)).status is IntentStatus.SUCCEEDED
    await fleeting.must_be_right()


async def test_a_release_in_vain_is_told_and_can_be_asked_for_anew(fleeting: World) -> None:
    intent = await asked(fleeting)
    for _ in range(ISSUES_MAX):
        await lapse(fleeting)

    escrow = await fleeting.escrow(intent)
    assert (escrow.state, escrow.requested) == (EscrowState.HELD, None)
    assert "escrow.request_failed" in await fleeting.told()
    await fleeting.services.escrows.release(owner=fleeting.merchant.id, intent_id=intent.id)
    await fleeting.send_and_settle_down()
    assert (await fleeting.escrow(intent)).state is EscrowState.RELEASED
    await fleeting.must_be_right()


async def test_a_request_that_has_become_pointless_is_not_repeated(fleeting: World) -> None:
    intent = await asked(fleeting)
    await fleeting.send()
    fleeting.chain.blocks.pool.clear()
    fleeting.chain.release((await fleeting.escrow(intent)).terms, by=HOT)
    fleeting.clock.advance(seconds=int(VALID_FOR.total_seconds()) + 1)
    await fleeting.settle_down()

    states = [it.state for it in fleeting.around.store.tables.submissions]
    assert states == [SubmissionState.EXPIRED]
    assert (await fleeting.escrow(intent)).state is EscrowState.RELEASED


def numbers(world: World) -> list[tuple[type[object], int]]:
    """Return what was signed, and under which numbers of its senders, in order."""
    submissions = world.around.store.tables.submissions
    return [(type(it.instruction), it.signed.sequence) for it in submissions if it.signed]


async def test_both_steps_of_a_sweep_are_tried_again(fleeting: World) -> None:
    intent = await paid(fleeting)
    [sweep] = await fleeting.sweep()
    await lapse(fleeting)
    [funding] = fleeting.around.store.tables.sweeps
    assert (funding.state, funding.is_open) == (SweepState.FUNDING, True)
    assert funding.submission_id != sweep.submission_id

    await fleeting.send_and_settle_down()
    await lapse(fleeting)
    await fleeting.send_and_settle_down()

    [done] = fleeting.around.store.tables.sweeps
    assert done.state is SweepState.DONE
    assert numbers(fleeting) == [(FundGas, 0), (FundGas, 1), (SweepDeposit, 0), (SweepDeposit, 0)]
    assert (fleeting.held(HOT), fleeting.held(address_for(intent))) == (DUE, 0)
    await fleeting.must_be_right()


async def test_a_number_of_a_deposit_address_is_used_until_the_chain_takes_it(
    fleeting: World,
) -> None:
    """It takes no other; the hot wallet's numbers are used up, whatever becomes of them."""
    intent = await paid(fleeting)
    await fleeting.sweep()
    await fleeting.send_and_settle_down()
    for _ in range(ISSUES_MAX):
        await lapse(fleeting)
    [refused] = fleeting.around.store.tables.sweeps
    assert (refused.state, refused.reason) == (SweepState.REFUSED, "expired time after time")

    fleeting.clock.advance(seconds=int(RETRY_AFTER.total_seconds()) + 1)
    await swept(fleeting)
    fleeting.pay(intent, SWEEP_FROM)
    await fleeting.settle_down()
    await swept(fleeting)
    assert fleeting.held(HOT) == DUE + SWEEP_FROM

    of_address = [number for kind, number in numbers(fleeting) if kind is SweepDeposit]
    assert of_address == [*[0] * ISSUES_MAX, 0, 1]
    of_wallet = [number for kind, number in numbers(fleeting) if kind is FundGas]
    assert of_wallet == [*range(len(of_wallet))]
    await fleeting.must_be_right()


async def test_a_watcher_that_dies_at_any_step_of_the_proof_gives_the_number_back_once() -> None:
    for step in range(1, STEPS_MAX):
        world = await new_world()
        world.chain.state.nature = Nature(valid_for=VALID_FOR)
        await paid(world)
        await world.sweep()
        await world.send_and_settle_down()
        await world.send()
        world.chain.blocks.pool.clear()
        world.clock.advance(seconds=int(VALID_FOR.total_seconds()) + 1)
        world.chain.mine()
        world.chain.finalize()
        mortal = Mortal(world.around, dies_at=step)
        try:
            await mortal.services.watcher.watch(chain=CHAIN)
        except Died:
            await world.watch()
        else:
            assert step > 30, "the watcher was hardly looked at"
            return
        await world.send_and_settle_down()

        assert numbers(world)[1:] == [(SweepDeposit, 0)] * 2, f"died at step {step}"
        assert world.held(HOT) == DUE
        await world.must_be_right()
    raise AssertionError("the watcher never came to its end")


async def test_a_sweep_in_vain_is_refused(fleeting: World) -> None:
    await paid(fleeting)
    await fleeting.sweep()
    for _ in range(ISSUES_MAX):
        await lapse(fleeting)

    [refused] = fleeting.around.store.tables.sweeps
    assert (refused.state, refused.reason) == (SweepState.REFUSED, "expired time after time")
    await fleeting.must_be_right()
