"""Large amounts for which several providers have to name the block: who is asked, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.chains.finality import Ladder, Rung
from domain.chains.maturing import Maturing, Memory, Verdict
from ports.chain import ChainUnavailable
from tests.builders import usdt
from tests.chain_builders import a_block
from tests.domain.careful import BASE, DEEP, careful, final
from tests.domain.scene import DUE, NET, PLACES

if TYPE_CHECKING:
    from tests.domain.world import World


@pytest.fixture
def agreed(world: World) -> World:
    return careful(world, quorum=2)


async def test_nobody_is_asked_for_small_amounts(agreed: World) -> None:
    intent = await agreed.intent()
    agreed.pay(intent)
    await agreed.read(3 * BASE)

    assert await agreed.earned() == NET
    assert agreed.chain.witnesses.asked == []


async def test_a_large_one_waits_until_another_provider_names_its_block(agreed: World) -> None:
    intent = await agreed.intent()
    agreed.pay(intent, 2 * DUE)
    await agreed.read()
    block = agreed.chain.blocks.mined[-1].block
    await agreed.read(3 * BASE)
    await agreed.watch()
    assert (await agreed.now(intent)).final == 0
    assert set(agreed.chain.witnesses.asked) == {block}

    agreed.chain.witnesses.count = 2
    await agreed.watch()
    assert (await agreed.now(intent)).final == 2 * DUE
    assert await final(agreed) == agreed.chain.blocks.latest - BASE


async def test_two_names_are_no_answer(agreed: World) -> None:
    agreed.pay(await agreed.intent(), 2 * DUE)
    await agreed.read(3 * BASE)
    agreed.chain.witnesses.count, agreed.chain.witnesses.disagree = 2, True
    before = agreed.snapshot()
    agreed.chain.mine()

    with pytest.raises(ChainUnavailable):
        await agreed.watch()

    assert agreed.snapshot() == before


async def test_what_was_agreed_on_is_not_at_risk_any_more_and_not_asked_again(
    agreed: World,
) -> None:
    agreed.chain.witnesses.count = 2
    agreed.pay(await agreed.intent(), 2 * DUE)
    await agreed.read(3 * BASE)
    await agreed.watch()
    asked = list(agreed.chain.witnesses.asked)
    assert len(asked) == 1

    agreed.chain.witnesses.count = 1
    small = await agreed.intent()
    agreed.pay(small)
    await agreed.read(3 * BASE)
    await agreed.read(3 * BASE)

    assert (await agreed.now(small)).final == DUE
    assert agreed.chain.witnesses.asked == asked


async def test_a_process_that_knows_nothing_of_it_asks_again(agreed: World) -> None:
    agreed.chain.witnesses.count = 2
    agreed.pay(await agreed.intent(), 2 * DUE)
    await agreed.read(3 * BASE)
    await agreed.watch()

    agreed.chain.witnesses.count = 1
    restarted = careful(agreed, quorum=2)
    small = await restarted.intent()
    restarted.pay(small)
    await restarted.read(3 * BASE)
    assert (await restarted.now(small)).final == 0

    restarted.chain.witnesses.count = 2
    await restarted.watch()
    assert (await restarted.now(small)).final == DUE


async def test_a_provider_that_lags_proves_what_it_has(agreed: World) -> None:
    first = await agreed.intent()
    agreed.pay(first, 2 * DUE)
    await agreed.read()
    intents = []
    for _ in range(7):
        intents.append(await agreed.intent())
        agreed.pay(intents[-1], 2 * DUE)
        agreed.chain.mine()
    await agreed.read(BASE)
    agreed.chain.witnesses.count, agreed.chain.witnesses.behind = 2, BASE + 5
    await agreed.watch()
    assert (await agreed.now(first)).final == 2 * DUE
    assert (await agreed.now(intents[-1])).final == 0

    agreed.chain.witnesses.behind = 0
    await agreed.watch()
    assert (await agreed.now(intents[-1])).final == 2 * DUE


async def test_while_another_rung_holds_it_a_block_is_asked_for_once(world: World) -> None:
    both = careful(
        world,
        Rung(at_least=usdt(DUE), quorum=2),
        Rung(at_least=usdt(DUE), confirmations=DEEP),
    )
    both.chain.witnesses.count = 2
    intent = await both.intent()
    both.pay(intent)
    for _ in range(DEEP):
        await both.read()
    assert len(both.chain.witnesses.asked) == 1
    assert (await both.now(intent)).final == 0

    await both.read()
    assert (await both.now(intent)).final == DUE
    assert len(both.chain.witnesses.asked) == 1


async def test_a_block_that_is_replaced_has_to_be_agreed_on_again(world: World) -> None:
    both = careful(
        world,
        Rung(at_least=usdt(DUE), quorum=2),
        Rung(at_least=usdt(DUE), confirmations=DEEP),
    )
    both.chain.witnesses.count = 2
    intent = await both.intent()
    both.pay(intent)
    for _ in range(DEEP - 1):
        await both.read()
    both.chain.reorg(depth=DEEP - 1, through_final=True)
    both.chain.witnesses.count = 1
    await both.watch()
    await both.read(3 * DEEP)
    await both.watch()

    assert (await both.now(intent)).final == 0
    assert len(set(both.chain.witnesses.asked)) == 2


def test_only_of_final_blocks_it_is_remembered(world: World) -> None:
    rung, memory = Rung(at_least=usdt(DUE), quorum=2), Memory()
    maturing = Maturing(world.around.store.begin, PLACES, Ladder((rung,)), memory, 500)

    maturing.keep(Verdict(a_block(5), proven={rung: 6}))
    assert memory.proven == {}

    maturing.keep(Verdict(a_block(6), proven={rung: 6}))
    assert memory.proven == {rung: 6}
