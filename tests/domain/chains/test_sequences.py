"""Our count of the hot wallet's transactions, and the chain's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.chains.model import ChainParked
from domain.chains.sequences import CHECK_EVERY, KeyUsedElsewhere
from domain.chains.submissions import SubmissionState
from domain.settlements.payouts import PayoutState
from tests.builders import CHAIN
from tests.domain.scene import HOT, NET, TILL

if TYPE_CHECKING:
    from domain.chains.submissions import Submission
    from tests.domain.world import World


def newest(world: World) -> Submission:
    return list(world.around.store.tables.submissions)[-1]


def others_sign(world: World, *, next_sequence: int) -> None:
    """Have the chain expect a number, as if somebody had used those before it."""
    world.chain.blocks._sequences.put(HOT, next_sequence)


async def parked(world: World) -> str | None:
    async with world.around.store.begin() as work:
        cursor = await work.chains.cursor(CHAIN)
    assert cursor is not None
    return cursor.parked


async def test_what_the_chain_has_counted_before_us_is_where_we_begin(world: World) -> None:
    others_sign(world, next_sequence=40)

    await world.released()

    assert newest(world).signed is not None
    assert [it.signed.sequence for it in world.around.store.tables.submissions if it.signed] == [
        40
    ]
    assert await parked(world) is None


async def test_a_number_that_is_not_ours_parks_the_chain_before_anything_is_signed(
    world: World,
) -> None:
    payout = await world.payout_under_way()
    others_sign(world, next_sequence=3)

    with pytest.raises(KeyUsedElsewhere) as found:
        await world.send()

    assert (found.value.sender, found.value.signed, found.value.seen) == (HOT, 1, 3)
    assert newest(world).signed is None
    assert "KeyUsedElsewhere" in str(await parked(world))
    with pytest.raises(ChainParked):
        await world.send()
    assert (await world.payout(payout.id)).state is PayoutState.APPROVED


async def test_it_is_found_though_nothing_is_to_be_signed(world: World) -> None:
    await world.released()
    others_sign(world, next_sequence=3)
    await world.send()
    assert await parked(world) is None

    world.clock.advance(seconds=CHECK_EVERY.seconds)
    with pytest.raises(KeyUsedElsewhere):
        await world.send()

    assert await parked(world)


async def test_a_person_who_has_explained_it_names_the_next_number(world: World) -> None:
    payout = await world.payout_under_way()
    others_sign(world, next_sequence=3)
    with pytest.raises(KeyUsedElsewhere):
        await world.send()
    await world.services.watcher.resume(chain=CHAIN)
    with pytest.raises(KeyUsedElsewhere):
        await world.send()

    await world.services.watcher.resume(chain=CHAIN, next_sequence=3)
    await world.send_and_settle_down()

    signed = newest(world).signed
    assert signed is not None
    assert signed.sequence == 3
    assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
    assert world.held(TILL) == NET


async def test_what_the_chain_has_lost_for_good_is_handed_over_again(world: World) -> None:
    await world.payout_under_way()
    await world.send_and_settle_down()
    paid = newest(world)
    assert paid.state is SubmissionState.CONFIRMED
    assert paid.signed is not None
    world.chain.reorg(depth=6, drop=[paid.signed.hash], through_final=True)
    assert world.chain.blocks.number_of(paid.signed.hash) is None

    world.clock.advance(seconds=CHECK_EVERY.seconds)
    await world.send()
    world.chain.mine()

    assert world.chain.blocks.number_of(paid.signed.hash) is not None
    assert world.held(TILL) == NET


@pytest.mark.parametrize("state", [SubmissionState.REVERTED, SubmissionState.CANCELED])
async def test_what_came_to_nothing_is_not_tried_again(
    world: World, state: SubmissionState
) -> None:
    await world.payout_under_way()
    await world.send_and_settle_down()
    signed = newest(world).signed
    assert signed is not None
    async with world.around.store.begin() as work:
        paid = await work.chains.lock_submission(newest(world).id)
        await work.chains.save_submission(_ended(paid, state))
        await work.commit()
    world.chain.reorg(depth=6, drop=[signed.hash], through_final=True)

    world.clock.advance(seconds=CHECK_EVERY.seconds)
    await world.send()

    assert not world.chain.blocks.knows(signed.hash)


def _ended(submission: Submission, state: SubmissionState) -> Submission:
    return attrs.evolve(submission, state=state)


async def test_no_answer_is_no_evidence(world: World) -> None:
    await world.released()
    world.clock.advance(seconds=CHECK_EVERY.seconds)
    world.chain.fail_next()
    await world.send()
    assert await parked(world) is None

    others_sign(world, next_sequence=3)
    with pytest.raises(KeyUsedElsewhere):
        await world.send()
