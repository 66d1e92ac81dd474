"""What is said of a payment that waits because it is large, or comes after one that is."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.chains.finality import Ladder, Rung
from domain.explaining.service import ExplainingService
from domain.explaining.steps import next_steps
from tests.builders import CHAIN, usdt
from tests.domain.careful import BASE, DEEP, careful
from tests.domain.scene import ASSETS, CONTRACTS, DUE, PLACES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.intents.model import PaymentIntent
    from tests.domain.world import World

DEPTH = Rung(at_least=usdt(2 * DUE), confirmations=DEEP)
WORD = Rung(at_least=usdt(2 * DUE), quorum=2)


@pytest.fixture
async def world(world: World) -> World:
    return careful(world, DEPTH, WORD)


async def explained(
    world: World, intent: PaymentIntent, *, ladder: Ladder | None = None
) -> tuple[Sequence[Rung], str]:
    """Return what holds an intent's payment, and the first thing that is said of it."""
    service = ExplainingService(
        begin=world.around.store.begin,
        clock=world.clock,
        assets=ASSETS,
        contracts=CONTRACTS,
        settle_every=timedelta(hours=1),
        places={CHAIN: PLACES},
        ladders={} if ladder is None else {CHAIN: ladder},
    )
    case = await service.explain(owner=intent.merchant_id, intent_id=intent.id)
    return case.held_by, next_steps(case)[0].sentence


async def test_what_a_large_payment_needs_is_told_as_long_as_it_is_missing(world: World) -> None:
    intent, ladder = await world.intent(), Ladder((DEPTH, WORD))
    world.pay(intent, 2 * DUE)
    await world.read(1 + BASE)
    held_by, sentence = await explained(world, intent, ladder=ladder)
    assert held_by == [DEPTH, WORD]
    assert f"It is final at {DEEP} confirmations and when 2 providers name its" in sentence

    await world.read(DEEP)
    assert (await explained(world, intent, ladder=ladder))[0] == [WORD]

    world.chain.witnesses.count = 2
    await world.watch()
    assert (await explained(world, intent, ladder=ladder))[0] == ()


async def test_a_small_one_after_it_waits_for_the_same_and_one_before_does_not(
    world: World,
) -> None:
    before, large, after = [await world.intent() for _ in range(3)]
    ladder = Ladder((DEPTH, WORD))
    for intent, amount in ((before, 1), (large, 2 * DUE), (after, 1)):
        world.pay(intent, amount)
        await world.read()

    assert (await explained(world, before, ladder=ladder))[0] == []
    assert (await explained(world, after, ladder=ladder))[0] == [DEPTH, WORD]


async def test_without_a_ladder_there_is_nothing_to_say_about_amounts(world: World) -> None:
    intent = await world.intent()
    world.pay(intent, 2 * DUE)
    await world.read(1 + BASE)

    held_by, sentence = await explained(world, intent)

    assert held_by == ()
    assert "large" not in sentence
