"""Sending our own transactions: each exactly once, whatever dies, times out or runs beside."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.chains.sending import IN_FLIGHT_MAX, Sent
from domain.chains.submissions import BROADCAST_AGAIN_AFTER, UNKNOWN_AFTER, SubmissionState
from domain.escrow.model import EscrowState
from domain.ledger.accounts import PAYOUTS_IN_FLIGHT
from domain.settlements.payouts import PayoutState
from ports.chain import ChainUnavailable
from ports.unit_of_work import NotFound, StorageUnavailable
from tests.builders import CHAIN, NOON, coins, usdt
from tests.chain_builders import a_submission
from tests.domain.mishaps import Died, Mortal, yielding
from tests.domain.scene import GAS, HOT, NET, TILL
from tests.domain.world import new_world

if TYPE_CHECKING:
    from domain.chains.submissions import SignedBytes, Submission
    from tests.domain.world import World

STEPS_MAX = 500


def submissions(world: World) -> list[Submission]:
    return list(world.around.store.tables.submissions)


def newest(world: World) -> Submission:
    return submissions(world)[-1]


def transactions_on_chain(world: World, *, sequence: int) -> list[str]:
    """Return the names of our transactions of a sequence number that are in blocks."""
    return [
        it.hash
        for mined in world.chain.blocks.mined
        for it in mined.transactions
        if it.sender == HOT and it.sequence == sequence
    ]


async def test_queued_is_signed_stored_and_broadcast(world: World) -> None:
    payout = await world.payout_under_way()

    assert await world.send() == Sent(signed=1, broadcast=1, waiting=0)

    sent = newest(world)
    assert sent.state is SubmissionState.BROADCAST
    assert sent.signed is not None
    assert sent.signed.sequence == 1
    assert (await world.payout(payout.id)).transaction == sent.signed.hash
    assert await world.send() == Sent(signed=0, broadcast=0, waiting=0)


async def test_bytes_are_stored_before_they_are_sent(world: World) -> None:
    await world.payout_under_way()
    stored_first: list[bool] = []
    chain, broadcast = world.chain, world.chain.broadcast

    async def watched(signed: SignedBytes) -> None:
        stored_first.append(
            world.around.store.held_by is None
            and newest(world).signed == signed
            and newest(world).state is SubmissionState.SIGNED
        )
        await broadcast(signed)

    chain.broadcast = watched  # type: ignore[method-assign] # To look at what is stored then.
    await world.send()

    assert stored_first == [True]


async def test_a_broadcast_without_an_answer_sends_the_same_bytes_again(world: World) -> None:
    payout = await world.payout_under_way()
    world.chain.time_out_after_accepting()
    assert await world.send() == Sent(signed=1, broadcast=0, waiting=0)
    first = newest(world)
    assert first.state is SubmissionState.SIGNED

    assert await world.send() == Sent(signed=0, broadcast=1, waiting=0)
    assert newest(world).signed == first.signed
    await world.settle_down()

    assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
    assert world.held(TILL) == NET
    assert world.chain.blocks.sequence(HOT) == 2
    await world.must_be_right()


async def test_a_payout_whose_broadcast_got_no_answer_is_confirmed_by_the_chain(
    world: World,
) -> None:
    payout = await world.payout_under_way()
    world.chain.time_out_after_accepting()
    await world.send()
    await world.settle_down()

    assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
    await world.send_and_settle_down()

    assert world.held(TILL) == NET
    await world.must_be_right()


async def test_bytes_that_a_node_has_dropped_are_handed_over_again(world: World) -> None:
    payout = await world.payout_under_way()
    await world.send()
    signed = newest(world).signed
    world.chain.blocks.pool.clear()

    await world.send()
    assert world.chain.blocks.pool == []
    world.clock.advance(seconds=BROADCAST_AGAIN_AFTER.seconds)
    await world.send_and_settle_down()

    assert newest(world).signed == signed
    assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
    assert world.held(TILL) == NET
    await world.must_be_right()


async def test_what_a_reorg_throws_out_comes_back_once(world: World) -> None:
    payout = await world.payout_under_way()
    await world.send()
    await world.read()
    signed = newest(world).signed
    assert signed is not None
    world.chain.reorg(depth=1, drop=[signed.hash])
    await world.watch()
    assert world.held(TILL) == 0

    world.clock.advance(minutes=1)
    await world.send_and_settle_down()

    assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
    assert world.held(TILL) == NET
    assert len(transactions_on_chain(world, sequence=1)) == 1
    await world.must_be_right()


class TestUnknown:
    async def _lost(self, world: World) -> Submission:
        """Return a payout's transaction of which nobody knows what has become."""
        await world.payout_under_way()
        world.chain.time_out_after_accepting()
        await world.send()
        world.chain.blocks.pool.clear()
        world.clock.advance(minutes=UNKNOWN_AFTER.seconds // 60)
        world.chain.fail_next()
        await world.send()
        return newest(world)

    async def test_what_is_in_no_block_for_long_is_unknown(self, world: World) -> None:
        lost = await self._lost(world)

        assert (lost.state, lost.reason) == (
            SubmissionState.UNKNOWN,
            "in no block for too long",
        )
        assert (await world.told(lost.purpose))[-1] == "payout.unknown"
        assert await world.booked(PAYOUTS_IN_FLIGHT) == NET
        await world.must_be_right()

    async def test_unknown_is_not_a_second_before_its_time(self, world: World) -> None:
        await world.payout_under_way()
        world.chain.time_out_after_accepting()
        await world.send()
        world.clock.advance(seconds=UNKNOWN_AFTER.seconds - 1)
        world.chain.fail_next()
        await world.send()

        assert newest(world).state is SubmissionState.SIGNED

    async def test_the_same_bytes_go_on_being_sent_until_the_chain_speaks(
        self, world: World
    ) -> None:
        lost = await self._lost(world)
        await world.send()
        assert newest(world).state is SubmissionState.UNKNOWN
        await world.settle_down()

        found = newest(world)
        assert (found.state, found.signed) == (SubmissionState.CONFIRMED, lost.signed)
        assert len(transactions_on_chain(world, sequence=1)) == 1
        assert world.held(TILL) == NET
        assert (await world.told(lost.purpose))[-1] == "payout.confirmed"
        await world.must_be_right()

    async def test_no_second_payout_is_made_for_an_unknown_one(self, world: World) -> None:
        await self._lost(world)

        assert await world.services.settlements.run() == []
        assert len(submissions(world)) == 2


class TestRefusals:
    async def test_a_wallet_without_money_waits(self, world: World) -> None:
        payout = await world.payout_under_way()
        state = world.chain.state
        state.move(HOT, TILL, coins(state.balance(HOT, coins(0).asset)))

        assert await world.send() == Sent(signed=0, broadcast=0, waiting=1)
        assert newest(world).state is SubmissionState.QUEUED
        assert (await world.payout(payout.id)).state is PayoutState.APPROVED

        world.chain.fund(HOT, coins(GAS))
        world.chain.mine()
        assert await world.send() == Sent(signed=1, broadcast=1, waiting=0)

    async def test_a_chain_that_does_not_answer_leaves_it_queued(self, world: World) -> None:
        await world.payout_under_way()
        world.chain.fail_next()

        with pytest.raises(ChainUnavailable):
            await world.send()
        assert newest(world).state is SubmissionState.QUEUED

        assert (await world.send()).broadcast == 1

    async def test_what_the_chain_refuses_is_never_signed(self, world: World) -> None:
        intent = await world.paid_escrow()
        await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)
        world.chain.refund((await world.escrow(intent)).terms, by=HOT)
        world.chain.mine()

        assert await world.send() == Sent(signed=0, broadcast=0, waiting=1)

        refused = newest(world)
        assert (refused.state, refused.signed) == (SubmissionState.REFUSED, None)
        assert refused.reason == "not held"
        assert await world.send() == Sent(signed=0, broadcast=0, waiting=0)


async def test_one_that_cannot_be_right_does_not_hold_up_the_others(world: World) -> None:
    payout = await world.payout_under_way()
    world.chain.fund(HOT, usdt(1_000))
    async with world.services.begin() as work:
        oldest = NOON - timedelta(days=1)
        await work.chains.add_submission(a_submission(purpose="po_none", created_at=oldest))
        await work.commit()

    with pytest.raises(NotFound, match="po_none"):
        await world.send()

    assert (await world.payout(payout.id)).state is PayoutState.BROADCAST


async def test_no_more_are_in_flight_than_nodes_keep(world: World) -> None:
    intents = [await world.escrow_intent() for _ in range(IN_FLIGHT_MAX + 3)]
    for intent in intents:
        world.pay_escrow(intent)
    await world.settle_down()
    for intent in intents:
        await world.services.escrows.release(owner=world.merchant.id, intent_id=intent.id)

    assert (await world.send()).signed == IN_FLIGHT_MAX
    assert (await world.send()).signed == 0
    await world.settle_down()
    assert (await world.send()).signed == 3
    await world.settle_down()

    escrows = world.around.store.tables.escrows
    assert {escrow.state for escrow in escrows} == {EscrowState.RELEASED}
    assert await world.earned() == NET * len(intents)
    await world.must_be_right()


async def test_two_senders_at_once_send_once(world: World) -> None:
    payout = await world.payout_under_way()
    senders = [yielding(world.around).sender for _ in range(3)]

    sent = await asyncio.gather(*(sender.send(chain=CHAIN) for sender in senders))
    await world.settle_down()

    assert sum(one.signed for one in sent) == 1
    assert world.chain.blocks.sequence(HOT) == 2
    assert world.held(TILL) == NET
    assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
    await world.must_be_right()


async def test_a_sender_that_dies_at_any_step_pays_exactly_once() -> None:
    for step in range(1, STEPS_MAX):
        world = await new_world()
        payout = await world.payout_under_way()
        mortal = Mortal(world.around, dies_at=step)
        try:
            await mortal.services.sender.send(chain=CHAIN)
        except Died:
            await world.must_be_right()
        else:
            assert step > 20, "the sender was hardly looked at"
            return
        await world.send_and_settle_down()

        assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED, step
        assert world.held(TILL) == NET, f"died at step {step}"
        assert world.chain.blocks.sequence(HOT) == 2
        assert world.chain.blocks.pool == []
        await world.must_be_right()
    raise AssertionError("the sender never came to its end")


async def test_a_sender_that_dies_once_a_minute_still_pays_exactly_once() -> None:
    """It dies at ever later steps, and the chain goes on all the while."""
    world = await new_world()
    payout = await world.payout_under_way()
    for step in range(1, STEPS_MAX):
        try:
            await Mortal(world.around, dies_at=step).services.sender.send(chain=CHAIN)
        except Died:
            world.clock.advance(minutes=1)
            await world.read()
        else:
            break
    await world.send_and_settle_down()

    assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
    assert world.held(TILL) == NET
    await world.must_be_right()


@pytest.mark.parametrize("takes_place", [True, False])
@pytest.mark.parametrize("commit", [1, 2])
async def test_a_commit_without_an_answer_is_made_good(
    world: World, commit: int, *, takes_place: bool
) -> None:
    payout = await world.payout_under_way()
    store = world.around.store
    if commit == 2:
        world.chain.time_out_after_accepting()
        await world.send()
    (store.lose_next_commit if takes_place else store.fail_next_commit)()
    with pytest.raises(StorageUnavailable):
        await world.send()

    await world.send_and_settle_down()

    assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
    assert world.held(TILL) == NET
    assert world.chain.blocks.sequence(HOT) == 2
    await world.must_be_right()


async def test_nothing_is_asked_of_the_chain_inside_a_transaction(world: World) -> None:
    """But for the signature, which needs no network (rule 9)."""
    await world.payout_under_way()
    unasked: list[str] = []
    for verb in ("prepare", "next_sequence", "broadcast"):
        unasked.append(verb)
        original = getattr(world.chain, verb)

        async def outside(*args: object, _do: object = original, _verb: str = verb) -> object:
            assert world.around.store.held_by is None, f"{_verb} inside a transaction"
            unasked.remove(_verb)
            return await _do(*args)  # type: ignore[operator] # A verb of the chain.

        setattr(world.chain, verb, outside)
    await world.send()

    assert unasked == []
