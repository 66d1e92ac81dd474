"""Releases that are due share a transaction, and each of them ends for itself."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from adapters.memory.chain_state import Nature, Reverted
from adapters.memory.offers import COST, STUCK_AFTER
from domain.chains.canceling import Canceling
from domain.chains.instructions import ReleaseEscrow, ReleaseMany
from domain.chains.requests import LEFT_ALONE
from domain.chains.sending import Sent
from domain.chains.submissions import SubmissionState
from domain.escrow.model import TRY_AGAIN_AFTER, EscrowState
from domain.ledger.accounts import NETWORK_FEES
from tests.builders import CHAIN, COIN, coins
from tests.domain.due_releases import Choosy, asked, due, kept_from_ending, sent, states
from tests.domain.mishaps import Died, Mortal, yielding
from tests.domain.scene import ASSETS, GAS, HOT, NET, PAYER, PLACES, STRANGER
from tests.domain.services import compose
from tests.domain.world import new_world, terms_for

if TYPE_CHECKING:
    from datetime import datetime

    from adapters.memory.blocks import PendingTransaction
    from tests.domain.world import World

STEPS_MAX = 2_000

RELEASED, HELD, DISPUTED = EscrowState.RELEASED, EscrowState.HELD, EscrowState.DISPUTED
S = SubmissionState


async def test_what_is_due_shares_one_transaction_and_its_fee(world: World) -> None:
    intents = await asked(world)

    assert await world.send() == Sent(1, 1, 0)
    [batch] = sent(world)
    assert isinstance(batch.instruction, ReleaseMany)
    ids = [(await world.escrow(it)).id for it in intents]
    assert sorted(batch.escrows) == sorted(ids)
    assert {(await world.escrow(it)).submission_id for it in intents} == {batch.id}
    await world.settle_down()

    assert await states(world, intents) == [RELEASED] * 3
    assert await world.earned() == 3 * NET
    assert await world.booked(NETWORK_FEES, COIN.id) == COST
    ended = [it.state for it in world.around.store.tables.submissions]
    assert sorted(ended) == [*[S.BATCHED] * 3, S.CONFIRMED]
    await world.must_be_right()


async def test_what_a_merchant_asks_for_goes_alone(world: World) -> None:
    [mine, *others] = await due(world)
    await world.services.escrows.release(owner=world.merchant.id, intent_id=mine.id)
    await world.services.escrows.release_due()

    assert (await world.send()).signed == 2
    kinds = {type(it.instruction): it.escrows for it in sent(world)}
    assert kinds[ReleaseEscrow] == ((await world.escrow(mine)).id,)
    assert len(kinds[ReleaseMany]) == 2
    await world.settle_down()
    assert await states(world, [mine, *others]) == [RELEASED] * 3


async def test_more_than_one_transaction_takes_go_by_several(world: World) -> None:
    world.chain.releases_max = 2
    intents = await asked(world)

    assert (await world.send()).signed == 2
    assert sorted(len(it.escrows) for it in sent(world)) == [1, 2]
    await world.settle_down()
    assert await states(world, intents) == [RELEASED] * 3
    await world.must_be_right()


async def test_what_has_ended_otherwise_is_left_alone_and_the_others_go(world: World) -> None:
    [bad, *good] = await asked(world)
    world.chain.dispute(terms_for(bad), by=PAYER)
    await world.send()
    await world.settle_down()

    assert await states(world, [bad, *good]) == [DISPUTED, RELEASED, RELEASED]
    escrow = await world.escrow(bad)
    # It was not in vain: another end has overtaken it.
    assert (escrow.requested, escrow.failure) == (None, None)
    await world.must_be_right()


async def test_what_the_contract_leaves_alone_is_told_why_and_goes_alone_next(
    world: World,
) -> None:
    [bad, *good] = intents = await asked(world)
    relent = kept_from_ending(world, bad)
    await world.send_and_settle_down()
    relent()

    assert await states(world, intents) == [HELD, RELEASED, RELEASED]
    escrow = await world.escrow(bad)
    assert escrow.requested is None
    assert escrow.failure is not None
    assert (escrow.failure.reason, escrow.failure.times) == (LEFT_ALONE, 1)
    assert (await world.told(escrow.id))[-1] == "escrow.request_failed"
    assert await world.services.escrows.release_due() == 0

    world.clock.advance(seconds=int(TRY_AGAIN_AFTER.total_seconds()))
    assert await world.services.escrows.release_due() == 1
    await world.send_and_settle_down()

    assert sent(world)[-1].instruction == ReleaseEscrow(terms_for(bad))
    assert await states(world, [bad, *good]) == [RELEASED] * 3
    await world.must_be_right()


async def test_a_batch_that_is_refused_is_cut_until_the_bad_one_is_alone(world: World) -> None:
    intents = await asked(world, 8)
    choosy = Choosy(world, lambda batch: terms_for(intents[5]) in batch)
    await compose(world.around, sender=choosy).sender.send(chain=CHAIN)
    await world.settle_down()

    assert choosy.trials == [8, 4, 4, 2, 1, 1, 2]
    assert await states(world, intents) == [*[RELEASED] * 5, HELD, *[RELEASED] * 2]
    bad = await world.escrow(intents[5])
    assert bad.failure is not None
    assert bad.failure.reason == "no such release"
    await world.must_be_right()


async def test_where_no_batch_is_taken_each_goes_by_itself(world: World) -> None:
    intents = await asked(world)
    choosy = Choosy(world, lambda batch: len(batch) > 1)
    sender = compose(world.around, sender=choosy).sender
    await sender.send(chain=CHAIN)
    await world.settle_down()

    assert await states(world, intents) == [RELEASED] * 3
    assert sum(choosy.trials) == 3 + 1 + 2 + 1 + 1
    assert await world.booked(NETWORK_FEES, COIN.id) == 3 * COST
    await world.must_be_right()


async def test_one_that_would_release_none_is_not_sent(world: World) -> None:
    intents = await asked(world)
    relent = kept_from_ending(world, *intents)
    await world.send()
    relent()

    assert sent(world) == []
    failures = [(await world.escrow(it)).failure for it in intents]
    assert [it and it.reason for it in failures] == ["not allowed to release"] * 3


async def test_a_reorg_after_the_block_changes_nothing_in_the_end(world: World) -> None:
    intents = await asked(world)
    await world.send()
    await world.read()
    world.chain.reorg(depth=1)
    await world.watch()
    assert await states(world, intents) == [HELD] * 3

    await world.settle_down()

    assert await states(world, intents) == [RELEASED] * 3
    assert await world.booked(NETWORK_FEES, COIN.id) == COST
    assert await world.earned() == 3 * NET
    await world.must_be_right()


async def test_what_is_stuck_is_replaced_and_releases_each_once(world: World) -> None:
    intents = await asked(world)
    await world.send()
    world.chain.stick()
    await world.read(STUCK_AFTER)
    await world.send()
    [batch] = sent(world)
    assert len(batch.attempts) == 2
    await world.settle_down()

    assert await states(world, intents) == [RELEASED] * 3
    assert await world.booked(NETWORK_FEES, COIN.id) == COST
    await world.must_be_right()


async def test_of_a_batch_that_is_reverted_each_goes_alone_next(world: World) -> None:
    intents = await asked(world)
    await world.send()
    [batch] = sent(world)
    assert batch.signed is not None
    world.chain.blocks.pool = [_reverting(it) for it in world.chain.blocks.pool]
    await world.settle_down()

    failures = [(await world.escrow(it)).failure for it in intents]
    assert [it and it.reason for it in failures] == ["reverted by the chain"] * 3
    world.clock.advance(seconds=int(TRY_AGAIN_AFTER.total_seconds()))
    await world.services.escrows.release_due()
    assert (await world.send()).signed == 3
    await world.settle_down()
    assert await states(world, intents) == [RELEASED] * 3
    assert await world.booked(NETWORK_FEES, COIN.id) == 4 * COST
    await world.must_be_right()


async def test_without_coin_for_the_fee_they_wait_and_go_together_later(world: World) -> None:
    intents = await asked(world)
    world.chain.state.move(HOT, STRANGER, coins(GAS))
    assert await world.send() == Sent(0, 0, 3)
    world.chain.state.move(STRANGER, HOT, coins(GAS))

    assert await world.send() == Sent(1, 1, 0)
    await world.settle_down()
    assert await states(world, intents) == [RELEASED] * 3
    await world.must_be_right()


async def test_what_expires_is_asked_for_again_one_by_one_or_together(world: World) -> None:
    world.chain.state.nature = Nature(valid_for=timedelta(hours=1))
    intents = await asked(world)
    await world.send()
    world.chain.blocks.pool.clear()
    world.chain.release(terms_for(intents[0]), by=HOT)
    world.clock.advance(seconds=3601)
    await world.settle_down()
    assert [bool((await world.escrow(it)).requested) for it in intents] == [False, True, True]

    assert (await world.send()).signed == 1
    await world.settle_down()
    assert await states(world, intents) == [RELEASED] * 3
    await world.must_be_right()


async def test_what_is_taken_back_ends_for_each_of_them(world: World) -> None:
    intents = await asked(world)
    await world.send()
    world.chain.stick()
    around, places = world.around, {PLACES.chain: PLACES}
    canceling = Canceling(around.store.begin, around.clock, around.ids, ASSETS, places)
    await canceling.cancel(submission_id=sent(world)[0].id)
    await world.send()
    await world.settle_down()

    assert sent(world)[0].state is S.CANCELED
    escrows = [await world.escrow(it) for it in intents]
    assert [(it.state, it.requested) for it in escrows] == [(HELD, None)] * 3
    await world.must_be_right()


async def test_two_processes_release_each_once(world: World) -> None:
    intents = await due(world)
    processes = [yielding(world.around) for _ in range(2)]

    counts = await asyncio.gather(*(it.escrows.release_due() for it in processes))
    await asyncio.gather(*(it.sender.send(chain=CHAIN) for it in processes))
    await world.settle_down()

    assert sum(counts) == 3
    assert await states(world, intents) == [RELEASED] * 3
    assert await world.booked(NETWORK_FEES, COIN.id) == COST
    await world.must_be_right()


async def test_who_dies_at_any_step_releases_each_once_in_the_end() -> None:
    for step in range(1, STEPS_MAX):
        world = await new_world()
        intents = await due(world, 2)
        mortal = Mortal(world.around, dies_at=step).services
        died = False
        try:
            await mortal.escrows.release_due()
            await mortal.sender.send(chain=CHAIN)
            world.chain.mine()
            world.chain.finalize()
            await mortal.watcher.watch(chain=CHAIN)
        except Died:
            died = True
        await world.services.escrows.release_due()
        await world.send()
        await world.settle_down()

        assert await states(world, intents) == [RELEASED] * 2, f"died at step {step}"
        assert await world.earned() == 2 * NET
        assert await world.booked(NETWORK_FEES, COIN.id) == COST
        await world.must_be_right()
        if not died:
            assert step > 60, "the processes were hardly looked at"
            return
    raise AssertionError("the processes never came to their end")


def _reverting(pending: PendingTransaction) -> PendingTransaction:
    def revert(_: datetime) -> None:
        raise Reverted("out of gas")

    return attrs.evolve(pending, effect=revert)
