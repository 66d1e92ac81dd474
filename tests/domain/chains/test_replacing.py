"""What offers too little is signed anew with its number: one of all that was signed lands."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.offers import REPLACEMENTS_MAX, STUCK_AFTER
from domain.chains.submissions import (
    BROADCAST_AGAIN_AFTER,
    UNKNOWN_AFTER,
    AnotherNumber,
    SubmissionState,
    SubmissionTransitionRefused,
)
from domain.ledger.parking import ParkedAsset
from domain.settlements.payouts import PayoutState
from ports.chain import ChainUnavailable, InstructionRefused
from tests.builders import CHAIN, NOON, USDT
from tests.chain_builders import a_submission, an_inclusion, signed_bytes
from tests.domain.mishaps import yielding
from tests.domain.scene import NET, TILL

if TYPE_CHECKING:
    from domain.chains.submissions import SignedBytes, Submission
    from domain.settlements.payouts import Payout
    from ports.chain import Prepared
    from tests.domain.world import World

S = SubmissionState


def newest(world: World) -> Submission:
    return list(world.around.store.tables.submissions)[-1]


async def stuck(world: World, blocks: int = STUCK_AFTER) -> Payout:
    """Return a payout whose transaction offers too little, and has waited for so many blocks."""
    payout = await world.payout_under_way()
    await world.send()
    world.chain.stick()
    await world.read(blocks)
    return payout


async def test_what_is_stuck_is_replaced_and_paid_once(world: World) -> None:
    payout = await stuck(world)
    original = newest(world)

    await world.send()

    replaced = newest(world)
    assert len(replaced.attempts) == 2
    assert replaced.earlier == original.attempts
    assert replaced.signed is not None
    assert original.signed is not None
    assert replaced.signed.sequence == original.signed.sequence
    assert (await world.payout(payout.id)).transaction == replaced.signed.hash
    await world.settle_down()
    assert newest(world).state is S.CONFIRMED
    assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
    assert world.held(TILL) == NET
    await world.must_be_right()


async def test_a_merchant_is_told_of_the_transaction_that_pays_now(world: World) -> None:
    payout = await stuck(world)

    await world.send()

    now = await world.payout(payout.id)
    assert now.transaction == newest(world).hashes[-1]
    told = [it.event for it in world.around.store.tables.events if it.event.object_id == now.id]
    assert told[-1].type == "payout.broadcast"
    assert told[-1].data["transaction"] == now.transaction


async def test_nothing_is_replaced_before_its_time_is_up_by_blocks_alone(world: World) -> None:
    await stuck(world, blocks=STUCK_AFTER - 1)
    world.clock.advance(hours=9)
    await world.send()
    assert len(newest(world).attempts) == 1

    await world.read()
    await world.send()

    assert len(newest(world).attempts) == 2


async def test_what_offers_enough_is_left_alone_however_long_it_waits(world: World) -> None:
    await world.payout_under_way()
    await world.send()
    world.chain.blocks.pool.clear()
    await world.read(9)

    await world.send()

    assert len(newest(world).attempts) == 1


async def test_a_replacement_waits_for_its_own_blocks_and_there_are_so_many(world: World) -> None:
    await stuck(world)
    for count in range(2, REPLACEMENTS_MAX + 2):
        await world.send()
        assert len(newest(world).attempts) == count
        world.chain.stick()
        await world.read(STUCK_AFTER - 1)
        await world.send()
        assert len(newest(world).attempts) == count
        await world.read()

    await world.send()

    assert len(newest(world).attempts) == REPLACEMENTS_MAX + 1


async def test_a_replacement_is_stored_before_it_is_sent(world: World) -> None:
    await stuck(world)
    chain, broadcast = world.chain, world.chain.broadcast
    stored: list[bool] = []

    async def watched(signed: SignedBytes) -> None:
        free = world.around.store.held_by is None
        stored.append(free and signed in newest(world).attempts)
        await broadcast(signed)

    chain.broadcast = watched  # type: ignore[method-assign] # To look at what is stored then.
    await world.send()

    assert len(newest(world).attempts) == 2
    assert stored == [True]


class TestRace:
    async def test_the_original_lands_before_its_replacement(self, world: World) -> None:
        payout = await stuck(world)
        broadcast = world.chain.broadcast

        async def unheard(signed: SignedBytes) -> None:
            del signed

        world.chain.broadcast = unheard  # type: ignore[method-assign] # It reaches nobody.
        await world.send()
        world.chain.broadcast = broadcast  # type: ignore[method-assign] # As it was.
        first, second = newest(world).hashes
        world.chain.ease()
        await world.settle_down()

        assert newest(world).state is S.CONFIRMED
        paid = await world.payout(payout.id)
        assert (paid.state, paid.transaction) == (PayoutState.CONFIRMED, first)
        assert world.chain.blocks.number_of(second) is None
        await world.send_and_settle_down()
        assert world.held(TILL) == NET
        await world.must_be_right()

    async def test_a_reorg_puts_the_original_in_the_replacements_place(self, world: World) -> None:
        payout = await stuck(world)
        waiting = list(world.chain.blocks.pool)
        await world.send()
        await world.read()
        first, second = newest(world).hashes
        world.chain.reorg(depth=1, drop=[second])
        world.chain.blocks.pool[:] = waiting
        world.chain.ease()
        await world.settle_down()

        paid = await world.payout(payout.id)
        assert (paid.state, paid.transaction) == (PayoutState.CONFIRMED, first)
        assert world.held(TILL) == NET
        world.clock.advance(seconds=BROADCAST_AGAIN_AFTER.seconds)
        await world.send_and_settle_down()
        assert world.held(TILL) == NET
        await world.must_be_right()

    async def test_two_workers_replace_once(self, world: World) -> None:
        await stuck(world)
        one, other = yielding(world.around), yielding(world.around)
        await asyncio.gather(one.sender.send(chain=CHAIN), other.sender.send(chain=CHAIN))

        assert len(newest(world).attempts) == 2
        await world.settle_down()
        assert world.held(TILL) == NET
        await world.must_be_right()

    async def test_what_has_landed_while_it_is_replaced_stays_at_its_end(
        self, world: World
    ) -> None:
        await stuck(world)
        replace = world.chain.replace

        async def slow(*arguments: object, **options: object) -> Prepared | None:
            prepared = await replace(*arguments, **options)  # type: ignore[arg-type] # Passed on.
            world.chain.ease()
            await world.settle_down()
            return prepared

        world.chain.replace = slow  # type: ignore[method-assign] # It takes so long.
        await world.send()

        assert (newest(world).state, len(newest(world).attempts)) == (S.CONFIRMED, 1)
        await world.must_be_right()


class TestTrouble:
    async def test_a_replacement_that_gets_no_answer_is_broadcast_again(
        self, world: World
    ) -> None:
        payout = await stuck(world)
        world.chain.time_out_after_accepting()
        await world.send()
        signed = newest(world).signed

        await world.send()
        await world.settle_down()

        assert newest(world).signed == signed
        assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
        assert world.held(TILL) == NET

    async def test_an_original_goes_out_again_where_nobody_takes_the_replacement(
        self, world: World
    ) -> None:
        await stuck(world)
        broadcast = world.chain.broadcast
        await world.send()
        first, second = newest(world).hashes
        world.chain.blocks.pool.clear()
        tried: list[str] = []

        async def refused(signed: SignedBytes) -> None:
            tried.append(signed.hash)
            if signed.hash == second:
                world.chain.fail_next()
            await broadcast(signed)

        world.chain.broadcast = refused  # type: ignore[method-assign] # As a node that lacks coin.
        world.clock.advance(seconds=BROADCAST_AGAIN_AFTER.seconds)
        await world.send()

        assert tried == [second, first]
        assert [it.hash for it in world.chain.blocks.pool] == [first]

    async def test_a_signer_that_refuses_leaves_what_was_signed(self, world: World) -> None:
        await stuck(world)

        async def refuse(prepared: Prepared, *, sequence: int) -> SignedBytes:
            del prepared, sequence
            raise InstructionRefused("may cost too much")

        world.chain.sign = refuse  # type: ignore[method-assign] # The signer has a limit.
        await world.send()

        assert len(newest(world).attempts) == 1
        assert newest(world).state is S.BROADCAST

    async def test_a_node_that_does_not_answer_leaves_what_was_signed(self, world: World) -> None:
        await stuck(world)

        async def silent(*arguments: object, **options: object) -> Prepared | None:
            del arguments, options
            raise ChainUnavailable("no node answered")

        world.chain.replace = silent  # type: ignore[method-assign] # Nobody tells what is asked.
        assert (await world.send()).waiting == 0

        assert len(newest(world).attempts) == 1

    async def test_a_parked_asset_is_not_hurried(self, world: World) -> None:
        await stuck(world)
        async with world.around.store.begin() as work:
            await work.parking.park(ParkedAsset(USDT.id, "a test", None, world.clock.now()))
            await work.commit()
        await world.send()
        assert len(newest(world).attempts) == 1

        async with world.around.store.begin() as work:
            locked = await work.chains.lock_submission(newest(world).id)
            await work.chains.save_submission(locked.take_back())
            await work.commit()
        await world.send()

        assert [it.cancels for it in newest(world).attempts] == [False, True]

    async def test_a_replaced_transaction_becomes_unknown_in_its_time(self, world: World) -> None:
        payout = await stuck(world)
        await world.send()
        world.chain.blocks.pool.clear()
        world.clock.advance(seconds=UNKNOWN_AFTER.seconds)
        world.chain.fail_next(2)
        await world.send()

        assert newest(world).state is S.UNKNOWN
        await world.send_and_settle_down()
        assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
        await world.must_be_right()


def in_flight() -> Submission:
    return a_submission().sign(signed_bytes("first"), at=NOON, after=5)


def test_other_bytes_have_the_same_number_and_sender() -> None:
    strangers = attrs.evolve(signed_bytes("second"), sender="somebody")
    for other in (signed_bytes("second", sequence=1), strangers):
        with pytest.raises(AnotherNumber):
            in_flight().replace(other, after=6)


@pytest.mark.parametrize("state", [it for it in S if it not in {S.SIGNED, S.BROADCAST, S.UNKNOWN}])
def test_only_what_is_in_flight_is_replaced(state: SubmissionState) -> None:
    with pytest.raises(SubmissionTransitionRefused):
        attrs.evolve(in_flight(), state=state).replace(signed_bytes("second"), after=6)


def test_the_bytes_that_land_decide_what_it_ends_as() -> None:
    nothing = attrs.evolve(signed_bytes("second"), cancels=True)
    canceled = in_flight().replace(nothing, after=6)

    assert canceled.conclude(an_inclusion("first")).state is S.CONFIRMED
    assert canceled.conclude(an_inclusion("first", succeeded=False)).state is S.REVERTED
    assert canceled.conclude(an_inclusion("second")).state is S.CANCELED


def test_it_has_lapsed_when_all_its_bytes_have() -> None:
    fleeting = attrs.evolve(signed_bytes("second"), valid_until=NOON)
    later = NOON + UNKNOWN_AFTER

    assert not in_flight().replace(fleeting, after=6).lapsed(at=later)
    lapsed = a_submission().sign(fleeting, at=NOON).replace(fleeting, after=6)
    assert lapsed.lapsed(at=later)
    assert not a_submission().lapsed(at=later)
