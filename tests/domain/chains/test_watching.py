"""Reading a chain: nothing twice, nothing left out, whatever dies or gets in the way."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING, cast

import attrs
import pytest

from adapters.memory.turn import NestedUnitOfWork
from domain.chains.model import CoverageGap
from domain.chains.service import NothingToRead
from domain.intents.model import IntentStatus
from ports.chain import ChainUnavailable
from ports.unit_of_work import StorageUnavailable
from tests.builders import CHAIN, address_of, usdt
from tests.domain.mishaps import Died, Mortal, in_between, yielding
from tests.domain.scene import DUE, NET, PAYER
from tests.domain.services import Surroundings, compose
from tests.domain.world import address_for, new_world, terms_for

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.chains.model import Scan
    from domain.intents.model import PaymentIntent
    from ports.chain import ChainReader, Ours
    from tests.domain.world import World

STEPS_MAX = 2_000


async def three_payments() -> tuple[World, list[PaymentIntent]]:
    """Return a world whose chain holds three payments and a release that nobody has read yet."""
    world = await new_world()
    by_address, by_escrow = await world.intent(), await world.escrow_intent()
    short = await world.intent()
    world.pay(by_address)
    world.pay_escrow(by_escrow)
    world.pay(short, DUE // 3)
    world.chain.mine()
    world.chain.release(terms_for(by_escrow), by=PAYER)
    world.chain.mine()
    world.chain.finalize()
    return world, [by_address, by_escrow, short]


async def undisturbed() -> Mapping[str, object]:
    world, _ = await three_payments()
    await world.watch()
    await world.must_be_right()
    return world.snapshot()


async def test_money_is_seen_first_and_final_later(world: World) -> None:
    intent = await world.intent()
    world.pay(intent)

    await world.read()
    seen = await world.now(intent)
    assert (seen.status, seen.received, seen.final) == (IntentStatus.PROCESSING, DUE, 0)
    assert await world.suspense() == await world.earned() == 0

    await world.read(3)
    assert (await world.now(intent)).final == 0

    await world.read()
    paid = await world.now(intent)
    assert (paid.status, paid.final, paid.captured) == (IntentStatus.SUCCEEDED, DUE, DUE)
    assert await world.earned() == NET
    await world.must_be_right()


async def test_progress_says_how_far_the_chain_was_read(world: World) -> None:
    before = await world.watch()
    world.chain.mine(150)

    first = await world.services.watcher.watch(chain=CHAIN)

    assert first.seen == before.seen + 100
    assert first.behind == 50
    assert (await world.watch()).behind == 0
    assert (await world.watch()).final == before.final + 150


async def test_a_long_backlog_is_final_once_the_final_block_was_read_and_in_slices(
    world: World,
) -> None:
    before = await world.watch()
    intent = await world.intent()
    world.pay(intent)
    world.chain.mine(250)

    rounds = [await world.services.watcher.watch(chain=CHAIN) for _ in range(2)]
    assert {progress.final for progress in rounds} == {before.final}
    assert (await world.now(intent)).received == DUE

    slow = attrs.evolve(world.services.watcher, blocks_max=100)
    finals = [(await slow.watch(chain=CHAIN)).final for _ in range(3)]
    assert finals == [before.final + 100, before.final + 200, before.final + 250]
    assert (await world.now(intent)).final == DUE
    await world.must_be_right()


async def test_a_range_is_no_longer_than_the_watcher_wants(world: World) -> None:
    few = compose(world.around).watcher
    world.chain.mine(5)
    before = (await few.watch(chain=CHAIN)).seen

    world.chain.mine(20)
    object.__setattr__(few, "blocks_max", 7)

    assert (await few.watch(chain=CHAIN)).seen == before + 7


async def test_reading_begins_at_the_first_block_of_interest() -> None:
    around = Surroundings()
    watcher = compose(around).watcher
    with pytest.raises(NothingToRead):
        await watcher.watch(chain=CHAIN)

    around.chain.mine(8)
    assert (await watcher.watch(chain=CHAIN)).seen == 8

    async with around.store.begin() as work:
        cursor = await work.chains.cursor(CHAIN)
    assert cursor is not None
    assert cursor.first == 3


async def test_reading_the_same_range_again_changes_nothing() -> None:
    world, _ = await three_payments()
    await world.watch()
    once = world.snapshot()

    for _ in range(3):
        await world.watch()

    assert world.snapshot() == once == await undisturbed()


async def test_two_watchers_at_once_count_nothing_twice() -> None:
    world, _ = await three_payments()
    watchers = [yielding(world.around).watcher for _ in range(3)]

    await asyncio.gather(*(watcher.watch(chain=CHAIN) for watcher in watchers))
    await world.watch()

    assert world.snapshot() == await undisturbed()


async def test_a_watcher_that_dies_at_any_step_leaves_nothing_half_done() -> None:
    expected = await undisturbed()
    for step in range(1, STEPS_MAX):
        world, _ = await three_payments()
        mortal = Mortal(world.around, dies_at=step)
        try:
            await mortal.services.watcher.watch(chain=CHAIN)
        except Died:
            await world.must_be_right()
        else:
            assert step > 50, "the watcher was hardly looked at"
            return
        await world.watch()
        assert world.snapshot() == expected, f"died at step {step}"
    raise AssertionError("the watcher never came to its end")


async def test_another_watcher_may_go_first_at_any_step() -> None:
    """It reads further than the one it overtakes, whose cursor must not lead back."""
    for step in range(1, STEPS_MAX):
        world, _ = await three_payments()
        steps = 0

        async def overtake(step: int = step, world: World = world) -> None:
            nonlocal steps
            steps += 1
            if steps == step:
                world.chain.mine(3)
                await world.watch()

        services = in_between(world.around, overtake)
        try:
            await services.watcher.watch(chain=CHAIN)
        except NestedUnitOfWork:
            continue  # That was inside a transaction, where nobody can overtake.
        if steps < step:
            assert step > 50, "the watcher was hardly looked at"
            return
        [cursor] = world.around.store.tables.cursors
        assert cursor.seen.number == world.chain.blocks.latest, f"overtaken at step {step}"
        await world.must_be_right()
    raise AssertionError("the watcher never came to its end")


async def test_a_reorg_may_come_at_any_step() -> None:
    for step in range(1, STEPS_MAX):
        world = await new_world()
        intent, gone = await world.intent(), await world.intent()
        world.pay(intent)
        dropped = world.pay(gone)
        await world.read()
        world.chain.mine(2)
        steps = 0

        async def reorganize(step: int = step, world: World = world, it: str = dropped) -> None:
            nonlocal steps
            steps += 1
            if steps == step:
                world.chain.reorg(depth=3, drop=[it])

        with contextlib.suppress(CoverageGap):
            await in_between(world.around, reorganize).watcher.watch(chain=CHAIN)
        if steps < step:
            return
        await world.settle_down()
        assert (await world.now(intent)).captured == DUE, f"replaced at step {step}"
        assert (await world.now(gone)).received == 0
        assert await world.earned() == NET
        await world.must_be_right()
    raise AssertionError("the watcher never came to its end")


async def test_a_node_that_tells_an_event_twice_pays_once(world: World) -> None:
    class Stutterer:
        chain = CHAIN

        def __getattr__(self, verb: str) -> object:
            return getattr(world.chain, verb)

        async def scan(self, *, first: int, last: int, ours: Ours | None = None) -> Scan:
            once = await world.chain.scan(first=first, last=last, ours=ours)
            return attrs.evolve(once, observations=once.observations * 2)

    intent = await world.intent()
    world.pay(intent)
    world.chain.mine()
    world.chain.finalize()
    reader = cast("ChainReader", Stutterer())

    await compose(world.around, reader=reader).watcher.watch(chain=CHAIN)

    assert (await world.now(intent)).received == DUE
    assert await world.earned() == NET
    await world.must_be_right()


@pytest.mark.parametrize("takes_place", [True, False])
async def test_a_commit_that_fails_or_gets_no_answer_is_made_good(*, takes_place: bool) -> None:
    world, _ = await three_payments()
    store = world.around.store
    order = store.lose_next_commit if takes_place else store.fail_next_commit

    order()
    with pytest.raises(StorageUnavailable):
        await world.watch()
    await world.watch()

    assert world.snapshot() == await undisturbed()


async def test_a_chain_that_does_not_answer_is_asked_again() -> None:
    expected = await undisturbed()
    for calls in range(1, 6):
        world, _ = await three_payments()
        for _ in range(calls):
            world.chain.fail_next()
            with pytest.raises(ChainUnavailable):
                await world.watch()
        await world.watch()
        assert world.snapshot() == expected


async def test_the_same_amount_to_another_address_pays_nothing(world: World) -> None:
    waiting, other = await world.intent(), await world.intent()
    world.chain.transfer(usdt(DUE), source=PAYER, target=address_of("somewhere"))
    world.pay(other)

    await world.settle_down()

    assert (await world.now(waiting)).received == 0
    assert (await world.now(other)).status is IntentStatus.SUCCEEDED
    await world.must_be_right()


async def test_a_payment_from_anybody_counts(world: World) -> None:
    intent = await world.intent()
    world.chain.transfer(usdt(DUE), source=address_of("stranger"), target=address_for(intent))

    await world.settle_down()

    assert (await world.now(intent)).status is IntentStatus.SUCCEEDED


async def test_events_vanish_with_what_was_rolled_back(world: World) -> None:
    intent = await world.intent()
    world.pay(intent)
    world.chain.mine()
    told, jobs = await world.told(), len(world.around.store.tables.jobs)

    world.around.store.fail_next_commit()
    with pytest.raises(StorageUnavailable):
        await world.watch()

    assert await world.told() == told
    assert len(world.around.store.tables.jobs) == jobs
    assert (await world.now(intent)).received == 0
    assert await world.suspense() == 0
