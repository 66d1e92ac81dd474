"""Releases and sweeps whose messages expire: asked for again, so and so often, and done once."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from adapters.memory.chain_state import Nature
from domain.chains.submissions import ISSUES_MAX, FundGas, SubmissionState, SweepDeposit
from domain.escrow.model import EscrowState
from domain.intents.model import IntentStatus
from domain.sweeps.model import SweepState
from tests.domain.world import DUE, HOT, address_for

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent
    from tests.domain.world import World

VALID_FOR = timedelta(hours=1)


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


async def test_both_steps_of_a_sweep_are_tried_again(fleeting: World) -> None:
    intent = await fleeting.intent()
    fleeting.pay(intent)
    await fleeting.settle_down()
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
    kinds = [type(it.instruction) for it in fleeting.around.store.tables.submissions]
    assert kinds == [FundGas, FundGas, SweepDeposit, SweepDeposit]
    assert (fleeting.held(HOT), fleeting.held(address_for(intent))) == (DUE, 0)
    await fleeting.must_be_right()


async def test_a_sweep_in_vain_is_refused(fleeting: World) -> None:
    intent = await fleeting.intent()
    fleeting.pay(intent)
    await fleeting.settle_down()
    await fleeting.sweep()
    for _ in range(ISSUES_MAX):
        await lapse(fleeting)

    [refused] = fleeting.around.store.tables.sweeps
    assert (refused.state, refused.reason) == (SweepState.REFUSED, "expired time after time")
    await fleeting.must_be_right()
