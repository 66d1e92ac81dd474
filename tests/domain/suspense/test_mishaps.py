"""Decisions when things go wrong: two at once, a process that dies, an answer that is lost."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, TypeAlias

import pytest

from domain.intents.model import IntentStatus
from domain.suspense.model import AlreadyDecided, ItemState
from ports.unit_of_work import StorageUnavailable
from tests.builders import CHAIN, usdt
from tests.domain.inbox import ADA, BACK, GRACE, decided, items, must_add_up
from tests.domain.mishaps import Died, Mortal, yielding
from tests.domain.scene import DUE, HOT, NET, PAYER, PLACES, STRANGER
from tests.domain.world import new_world

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine

    from domain.intents.model import PaymentIntent
    from domain.suspense.model import SuspenseItem
    from tests.domain.services import Services
    from tests.domain.world import World

    Act: TypeAlias = Callable[[Services, SuspenseItem, PaymentIntent], Coroutine[Any, Any, None]]

STEPS_MAX = 500


async def given_to_us(world: World) -> SuspenseItem:
    world.chain.transfer(usdt(DUE), source=STRANGER, target=HOT)
    await world.settle_down()
    [item] = await items(world.services)
    return item


async def right(world: World) -> None:
    await world.must_be_right()
    await must_add_up(world.services.begin, PLACES)


async def assigned(services: Services, item: SuspenseItem, intent: PaymentIntent) -> None:
    await services.suspense.assign(item_id=item.id, intent_id=intent.id, **ADA)


async def given_back(services: Services, item: SuspenseItem, _: PaymentIntent) -> None:
    await services.suspense.give_back(item_id=item.id, to=BACK, **ADA)


async def brought_in(services: Services, item: SuspenseItem, _: PaymentIntent) -> None:
    await services.suspense.top_up(item_id=item.id, **ADA)


ENDS: dict[Act, ItemState] = {
    assigned: ItemState.ASSIGNED,
    given_back: ItemState.RETURNED,
    brought_in: ItemState.BROUGHT_IN,
}


@pytest.mark.parametrize("act", ENDS)
async def test_an_operator_whose_process_dies_at_any_step_decides_once(act: Act) -> None:
    for step in range(1, STEPS_MAX):
        world = await new_world()
        intent, item = await world.intent(), await given_to_us(world)
        mortal = Mortal(world.around, dies_at=step)
        try:
            await act(mortal.services, item, intent)
        except Died:
            await right(world)
            undone = await items(world.services) == [item]
            assert undone == (await decided(world.services, item.id) == [])
            if undone:
                await act(world.services, item, intent)
            else:
                with pytest.raises(AlreadyDecided):
                    await act(world.services, item, intent)
        else:
            assert step > 15, "the operator was hardly looked at"
            return
        for _ in range(2):
            await world.send_and_settle_down()

        [ended] = await items(world.services, ended=True)
        assert ended.state is ENDS[act], f"died at step {step}"
        assert len(await decided(world.services, item.id)) == 1
        assert world.held(BACK) == (DUE if act is given_back else 0)
        assert await world.earned() == (NET if act is assigned else 0)
        await right(world)
    raise AssertionError("the operator never came to its end")


async def test_the_sender_is_woken_with_the_decision() -> None:
    world = await new_world()
    item = await given_to_us(world)
    assert list(world.around.store.tables.jobs) == []

    await given_back(world.services, item, await world.intent())

    [job] = world.around.store.tables.jobs
    assert (job.name, job.arguments) == ("send_transactions", {"chain": CHAIN})


async def test_a_worker_that_dies_at_any_step_gives_back_exactly_once() -> None:
    for step in range(1, STEPS_MAX):
        world = await new_world()
        item = await given_to_us(world)
        await given_back(world.services, item, await world.intent())
        mortal = Mortal(world.around, dies_at=step)
        try:
            await mortal.services.sender.send(chain=CHAIN)
            world.chain.mine()
            world.chain.finalize()
            for _ in range(2):
                await mortal.services.watcher.watch(chain=CHAIN)
        except Died:
            await right(world)
        else:
            assert step > 40, "the worker was hardly looked at"
            return
        for _ in range(3):
            await world.send_and_settle_down()

        [ended] = await items(world.services, ended=True)
        assert ended.state is ItemState.RETURNED, f"died at step {step}"
        assert (world.held(BACK), world.held(HOT)) == (DUE, 0)
        assert world.chain.blocks.sequence(HOT) == 1
        await right(world)
    raise AssertionError("the worker never came to its end")


@pytest.mark.parametrize("act", ENDS)
async def test_a_lost_answer_shows_as_a_decision_that_was_made(act: Act) -> None:
    world = await new_world()
    intent, item = await world.intent(), await given_to_us(world)
    world.around.store.lose_next_commit()

    with pytest.raises(StorageUnavailable):
        await act(world.services, item, intent)
    with pytest.raises(AlreadyDecided):
        await act(world.services, item, intent)
    assert len(await decided(world.services, item.id)) == 1
    await right(world)


async def test_of_many_operators_at_once_one_decides() -> None:
    world = await new_world()
    intent, item = await world.intent(), await given_to_us(world)
    everybody = [yielding(world.around).suspense for _ in range(6)]

    outcomes = await asyncio.gather(
        everybody[0].assign(item_id=item.id, intent_id=intent.id, **ADA),
        everybody[1].give_back(item_id=item.id, to=BACK, **GRACE),
        everybody[2].top_up(item_id=item.id, **ADA),
        everybody[3].give_back(item_id=item.id, to=PAYER, **GRACE),
        everybody[4].assign(item_id=item.id, intent_id=intent.id, **GRACE),
        everybody[5].top_up(item_id=item.id, **GRACE),
        return_exceptions=True,
    )

    refused = [it for it in outcomes if isinstance(it, BaseException)]
    assert [type(it) for it in refused] == [AlreadyDecided] * 5
    assert len(await decided(world.services, item.id)) == 1
    await right(world)


async def test_a_reverted_return_costs_its_fee_and_nothing_else() -> None:
    world = await new_world()
    item = await given_to_us(world)
    await given_back(world.services, item, await world.intent())
    await world.send()
    world.chain.state.move(HOT, PAYER, usdt(DUE))  # It is not there when its block comes.
    world.chain.mine()
    world.chain.state.move(PAYER, HOT, usdt(DUE))
    await world.settle_down()

    [again] = await items(world.services)
    assert (again.id, again.state, again.left) == (item.id, ItemState.OPEN, DUE)
    await right(world)
    await given_back(world.services, again, await world.intent())
    await world.send_and_settle_down()
    assert world.held(BACK) == DUE
    await right(world)


@pytest.mark.parametrize("dropped", [False, True])
async def test_a_reorg_under_a_return_pays_it_once(*, dropped: bool) -> None:
    world = await new_world()
    item = await given_to_us(world)
    await given_back(world.services, item, await world.intent())
    await world.send()
    await world.read()
    [sent] = [it for it in world.around.store.tables.submissions if it.signed]
    assert sent.signed is not None
    world.chain.reorg(depth=1, drop=[sent.signed.hash] if dropped else [])
    await world.watch()
    await right(world)
    world.clock.advance(minutes=1)
    await world.send_and_settle_down()

    [ended] = await items(world.services, ended=True)
    assert ended.state is ItemState.RETURNED
    assert world.held(BACK) == DUE
    await right(world)


async def test_a_merchant_and_an_operator_at_once_take_the_money_once() -> None:
    for seed in range(2):
        world = await new_world()
        intent = await world.intent()
        world.clock.advance(hours=2)
        await world.settle_down()
        await world.services.intents.expire_due(chain=CHAIN)
        world.pay(intent)
        await world.settle_down()
        [item] = await items(world.services)
        other = await world.intent()
        merchant, operator = yielding(world.around), yielding(world.around)
        acts = [
            merchant.intents.accept(owner=intent.merchant_id, intent_id=intent.id),
            operator.suspense.assign(item_id=item.id, intent_id=other.id, **ADA),
        ]

        outcomes = await asyncio.gather(*acts[:: 1 - 2 * seed], return_exceptions=True)

        assert len([it for it in outcomes if isinstance(it, BaseException)]) == 1
        done = [(await world.now(it)).status is IntentStatus.SUCCEEDED for it in (intent, other)]
        assert sorted(done) == [False, True]
        assert await world.earned() == NET
        await right(world)
