"""Money in suspense, and two processes whose operators would all decide of it at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from domain.suspense.model import AlreadyDecided, ItemState
from tests.builders import CHAIN, address_of, usdt
from tests.domain.inbox import ADA, GRACE, decided, items, must_add_up
from tests.domain.scene import DUE, HOT, NET, PAYER, PLACES

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from typing import Any

    from domain.shared.ids import IntentId, SuspenseId
    from tests.concurrency.gateway import Gateways

SEEDS = range(4)
GIFTS = 3
ROUNDS = 3


def decisions(
    gateways: Gateways, item_id: SuspenseId, intent_id: IntentId
) -> list[Coroutine[Any, Any, object]]:
    """Return what two operators, each in a process of its own, would decide of one item."""
    one, other = (process.suspense for process in gateways.processes)
    return [
        one.assign(item_id=item_id, intent_id=intent_id, **ADA),
        other.give_back(item_id=item_id, to=address_of(item_id), **GRACE),
        other.assign(item_id=item_id, intent_id=intent_id, **GRACE),
        one.give_back(item_id=item_id, to=address_of(item_id), **ADA),
    ]


@pytest.mark.parametrize("seed", SEEDS)
async def test_of_two_operators_one_decides(gateways: Gateways, seed: int) -> None:
    gateways.reseed(seed)
    world, chain = gateways.world, gateways.around.chain
    for _ in range(GIFTS):
        chain.transfer(usdt(DUE), source=PAYER, target=HOT)
    await world.settle_down()
    given = await items(world.services)
    intents = [await world.intent() for _ in given]
    jobs = [
        job
        for process in gateways.processes
        for job in (
            process.sender.send(chain=CHAIN),
            process.watcher.watch(chain=CHAIN),
            process.settlements.run(),
        )
    ]
    acts = [
        act
        for item, intent in zip(given, intents, strict=True)
        for act in decisions(gateways, item.id, intent.id)
    ]

    outcomes = await asyncio.gather(*acts, *jobs, return_exceptions=True)

    wrong = [it for it in outcomes if isinstance(it, BaseException)]
    assert [it for it in wrong if not isinstance(it, AlreadyDecided)] == []
    assert len(wrong) == len(given) * 3
    for _ in range(ROUNDS):
        await world.send_and_settle_down()
    ended = await items(world.services, ended=True)
    assert {it.state for it in ended} <= {ItemState.ASSIGNED, ItemState.RETURNED}
    for item, intent in zip(given, intents, strict=True):
        assert len(await decided(world.services, item.id)) == 1
        returned = world.held(address_of(item.id))
        captured = (await world.now(intent)).captured
        assert sorted([returned, captured]) == [0, DUE]
    await gateways.must_be_right()
    await must_add_up(world.services.begin, PLACES)


@pytest.mark.parametrize("seed", SEEDS)
async def test_a_merchant_accepts_or_an_operator_decides(gateways: Gateways, seed: int) -> None:
    gateways.reseed(seed)
    world = gateways.world
    late = [await world.intent() for _ in range(GIFTS)]
    world.clock.advance(hours=2)
    await world.settle_down()
    await world.services.intents.expire_due(chain=CHAIN)
    for intent in late:
        world.pay(intent)
    await world.settle_down()
    others = [await world.intent() for _ in late]
    merchant, operator = (gateways.process(seed + n) for n in range(2))
    by_intent = {it.counted_by: it for it in await items(world.services)}

    outcomes = await asyncio.gather(
        *(merchant.intents.accept(owner=it.merchant_id, intent_id=it.id) for it in late),
        *(
            operator.suspense.assign(item_id=by_intent[one.id].id, intent_id=other.id, **ADA)
            for one, other in zip(late, others, strict=True)
        ),
        return_exceptions=True,
    )

    assert len([it for it in outcomes if isinstance(it, BaseException)]) == GIFTS
    for one, other in zip(late, others, strict=True):
        captured = [(await world.now(it)).captured for it in (one, other)]
        assert sorted(captured) == [0, DUE]
    assert await earned(gateways) == GIFTS * NET
    await gateways.must_be_right()
    await must_add_up(world.services.begin, PLACES)


async def earned(gateways: Gateways) -> int:
    """Return what the merchant can be paid, or is about to be."""
    balances = await gateways.process(0).books.merchant_balances(owner=gateways.merchant.id)
    return sum(balance.money.amount for balance in balances)
