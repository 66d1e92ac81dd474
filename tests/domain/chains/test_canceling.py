"""An operator takes a transaction back: the chain says whether that came in time."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.offers import STUCK_AFTER
from domain.chains.canceling import Canceling, CannotCancel
from domain.chains.instructions import SweepDeposit
from domain.chains.submissions import SubmissionState, SubmissionTransitionRefused
from domain.escrow.model import EscrowState
from domain.ledger.accounts import PAYOUTS_IN_FLIGHT
from domain.settlements.payouts import PayoutState
from domain.shared.ids import SubmissionId
from ports.chain import InstructionRefused
from ports.unit_of_work import NotFound
from tests.builders import NOON, usdt
from tests.chain_builders import a_submission, signed_bytes
from tests.domain.scene import ASSETS, NET, PLACES, TILL

if TYPE_CHECKING:
    from domain.chains.submissions import SignedBytes, Submission
    from domain.settlements.payouts import Payout
    from ports.chain import Prepared
    from tests.domain.world import World

S = SubmissionState


def newest(world: World) -> Submission:
    return list(world.around.store.tables.submissions)[-1]


async def cancel(world: World, submission: Submission | None = None) -> Submission:
    around = world.around
    places = {PLACES.chain: PLACES}
    service = Canceling(around.store.begin, around.clock, around.ids, ASSETS, places)
    return await service.cancel(submission_id=(submission or newest(world)).id)


async def under_way(world: World) -> Payout:
    """Return a payout whose transaction waits, and nothing takes it into a block."""
    payout = await world.payout_under_way()
    await world.send()
    world.chain.stick()
    return payout


async def test_what_is_not_signed_ends_at_once(world: World) -> None:
    payout = await world.payout_under_way()

    assert (await cancel(world)).state is S.REFUSED

    refused = await world.payout(payout.id)
    assert (refused.state, refused.reason) == (PayoutState.REFUSED, "canceled by an operator")
    assert (await world.send()).signed == 0
    again = await world.services.settlements.retry_payout(payout_id=payout.id)
    await world.send_and_settle_down()
    assert (await world.payout(again.id)).state is PayoutState.CONFIRMED
    assert world.held(TILL) == NET
    await world.must_be_right()


async def test_the_money_comes_back_when_the_cancellation_is_final_and_not_before(
    world: World,
) -> None:
    payout = await under_way(world)
    await cancel(world)
    await world.send()
    assert [it.cancels for it in newest(world).attempts] == [False, True]
    for _ in range(4):
        await world.read()
        assert (await world.payout(payout.id)).state is PayoutState.BROADCAST
        assert await world.booked(PAYOUTS_IN_FLIGHT) == NET

    await world.read()

    assert newest(world).state is S.CANCELED
    refused = await world.payout(payout.id)
    assert (refused.state, refused.reason) == (PayoutState.REFUSED, "canceled by an operator")
    assert refused.transaction == newest(world).hashes[0]
    assert await world.booked(PAYOUTS_IN_FLIGHT) == 0
    assert await world.set_aside() == NET
    await world.must_be_right()


async def test_what_was_canceled_can_be_paid_again_once(world: World) -> None:
    payout = await under_way(world)
    await cancel(world)
    await world.send_and_settle_down()
    world.chain.ease()

    again = await world.services.settlements.retry_payout(payout_id=payout.id)
    await world.send_and_settle_down()
    await world.send_and_settle_down()

    assert (await world.payout(again.id)).state is PayoutState.CONFIRMED
    assert world.held(TILL) == NET
    await world.must_be_right()


async def test_a_cancellation_that_comes_too_late_changes_nothing(world: World) -> None:
    payout = await world.payout_under_way()
    await world.send()
    world.chain.mine()
    await cancel(world)
    await world.send()
    assert len(newest(world).attempts) == 1
    await world.settle_down()

    assert newest(world).state is S.CONFIRMED
    assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
    assert world.held(TILL) == NET
    await world.must_be_right()


async def test_the_original_may_win_the_race(world: World) -> None:
    payout = await under_way(world)
    original = list(world.chain.blocks.pool)
    await cancel(world)
    await world.send()
    world.chain.blocks.pool[:] = original
    world.chain.ease()
    await world.settle_down()

    assert newest(world).state is S.CONFIRMED
    assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
    await world.must_be_right()


async def test_what_was_taken_back_is_never_brought_up_again(world: World) -> None:
    await under_way(world)
    await cancel(world)
    await world.send()
    nothing = newest(world).hashes[1]
    world.chain.blocks.pool.clear()
    broadcast, tried = world.chain.broadcast, list[str]()

    async def refused(signed: SignedBytes) -> None:
        tried.append(signed.hash)
        world.chain.fail_next()
        await broadcast(signed)

    world.chain.broadcast = refused  # type: ignore[method-assign] # As a node that lacks coin.
    world.clock.advance(minutes=1)
    await world.send()

    assert tried == [nothing]


async def test_a_cancellation_that_is_stuck_is_replaced_by_one(world: World) -> None:
    payout = await under_way(world)
    await cancel(world)
    await world.send()
    world.chain.stick()
    world.chain.stick()
    await world.read(STUCK_AFTER)
    await world.send()
    assert [it.cancels for it in newest(world).attempts] == [False, True, True]

    await world.settle_down()

    assert newest(world).state is S.CANCELED
    assert (await world.payout(payout.id)).state is PayoutState.REFUSED
    await world.must_be_right()


async def test_taking_back_twice_is_taking_back_once(world: World) -> None:
    await under_way(world)
    await cancel(world)
    await world.send()
    await cancel(world)
    await world.send()

    assert len(newest(world).attempts) == 2


async def test_a_release_that_is_canceled_leaves_the_escrow(world: World) -> None:
    intent = await world.paid_escrow()
    await world.services.escrows.release(owner=intent.merchant_id, intent_id=intent.id)
    await world.send()
    await cancel(world)
    await world.send_and_settle_down()

    escrow = await world.escrow(intent)
    assert (escrow.state, escrow.requested) == (EscrowState.HELD, None)
    await world.must_be_right()


async def test_a_signer_that_refuses_is_told_of(world: World) -> None:
    await under_way(world)
    await cancel(world)

    async def refuse(prepared: Prepared, *, sequence: int) -> SignedBytes:
        del prepared, sequence
        raise InstructionRefused("pays nobody it knows")

    world.chain.sign = refuse  # type: ignore[method-assign] # The signer has a policy.
    with pytest.raises(InstructionRefused):
        await world.send()
    assert len(newest(world).attempts) == 1


async def test_what_has_ended_cannot_be_taken_back(world: World) -> None:
    await world.payout_under_way()
    await world.send_and_settle_down()

    with pytest.raises(SubmissionTransitionRefused):
        await cancel(world)
    with pytest.raises(NotFound):
        await cancel(world, a_submission("sub_99"))


async def test_a_deposit_address_signs_nothing_else(world: World) -> None:
    sweep = a_submission("sub_50", instruction=SweepDeposit(usdt(1), TILL, 1))
    async with world.around.store.begin() as work:
        await work.chains.add_submission(sweep.sign(signed_bytes(), at=NOON))
        await work.commit()

    with pytest.raises(CannotCancel) as refusal:
        await cancel(world, sweep)
    assert refusal.value.id == SubmissionId("sub_50")


async def test_a_sweep_that_expires_can_be_taken_back(world: World) -> None:
    fleeting = attrs.evolve(signed_bytes(), valid_until=NOON)
    sweep = a_submission("sub_50", instruction=SweepDeposit(usdt(1), TILL, 1))
    async with world.around.store.begin() as work:
        await work.chains.add_submission(sweep.sign(fleeting, at=NOON))
        await work.commit()

    assert (await cancel(world, sweep)).unwanted
