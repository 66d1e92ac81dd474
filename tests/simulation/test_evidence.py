"""What large amounts wait for is worked out from the chain, and what waits otherwise is found."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from config.simulation.broken import Broken
from config.simulation.checkpoints import Checkpoints
from config.simulation.configured import CHAIN, CONTRACT, HOT, STRANGER, TOKEN
from config.simulation.invariants import Invariants
from config.simulation.people import People
from config.simulation.saving import RUNGS
from config.simulation.trace import Trace
from config.simulation.world import World
from domain.chains.finality import Rung
from domain.chains.model import Cursor
from domain.shared.money import Money

if TYPE_CHECKING:
    from domain.chains.model import Block

LARGE = Money(RUNGS[0], TOKEN)
DEEP = Rung(at_least=LARGE, confirmations=6)
AGREED = Rung(at_least=LARGE, confirmations=2, quorum=2)


@pytest.fixture
def world() -> World:
    return World(seed=3)


def pay(world: World, amount: int) -> Block:
    """Return the block in which a stranger has paid so much."""
    money = Money(amount, TOKEN)
    world.chain.fund(STRANGER, money)
    world.chain.transfer(money, source=STRANGER, target=HOT)
    world.chain.mine()
    return world.chain.blocks.mined[-1].block


def held(world: World, *rungs: Rung) -> int | None:
    world.evidence.rungs = rungs
    return world.evidence.held_from(world.chain.blocks.mined[-1].block)


def test_from_a_rungs_amount_on_a_block_waits_until_it_is_deep(world: World) -> None:
    block = pay(world, LARGE.amount)
    assert held(world, DEEP) == block.number
    world.chain.mine(DEEP.confirmations - 1)
    assert held(world, DEEP) == block.number
    world.chain.mine()
    assert held(world, DEEP) is None


def test_less_waits_for_nothing_and_parts_wait_as_the_whole(world: World) -> None:
    pay(world, LARGE.amount - 1)
    assert held(world, DEEP) is None
    second = pay(world, 1)
    assert held(world, DEEP) == second.number
    world.chain.mine(DEEP.confirmations - 1)
    # The first part has its evidence now, and the second comes to nothing.
    assert held(world, DEEP) is None


def test_what_we_move_ourselves_is_no_risk(world: World) -> None:
    pay(world, LARGE.amount)
    world.chain.mine(DEEP.confirmations)
    world.chain.transfer(LARGE, source=HOT, target=CONTRACT)
    world.chain.mine()
    assert held(world, DEEP) is None


def test_a_quorum_is_what_witnesses_have_said_of_this_very_block(world: World) -> None:
    block = pay(world, LARGE.amount)
    world.chain.mine(3)
    assert held(world, AGREED) == block.number
    witnesses = world.chain.witnesses
    assert not witnesses.agree(block, block, providers=3, latest=world.chain.blocks.latest)
    assert held(world, AGREED) == block.number
    assert witnesses.agree(block, block, providers=2, latest=world.chain.blocks.latest)
    assert held(world, AGREED) is None
    world.chain.reorg(depth=4)
    world.chain.mine()
    assert held(world, AGREED) is not None


def cursor(world: World, *, final: int) -> Cursor:
    mined = world.chain.blocks.mined
    return Cursor(chain=CHAIN, first=1, seen=mined[-1].block, final=mined[final].block)


def test_what_is_final_too_early_is_found(world: World) -> None:
    block = pay(world, LARGE.amount)
    world.chain.mine(5)
    world.evidence.rungs = (DEEP,)
    invariants, before = Invariants(world), cursor(world, final=0)
    invariants._cursor(CHAIN, before, cursor(world, final=block.number - 1))
    with pytest.raises(Broken, match="no amount is final before its rung"):
        invariants._cursor(CHAIN, before, cursor(world, final=block.number))


def test_what_waits_for_nothing_is_found(world: World) -> None:
    block = pay(world, LARGE.amount)
    world.chain.mine(5)
    world.evidence.rungs = (DEEP,)
    people = People(world, None, Trace(world.clock), unforeseen=lambda _, __: None)  # type: ignore[arg-type] # Nobody asks.
    checkpoints, rail = Checkpoints(world, people), world.rails[CHAIN]
    cursors = world.store.tables.cursors

    cursors.put(CHAIN, cursor(world, final=block.number - 1))
    checkpoints._nothing_waits_in_vain(rail)
    world.chain.mine()
    with pytest.raises(Broken, match="nothing waits for more than its rung"):
        checkpoints._nothing_waits_in_vain(rail)
    cursors.put(CHAIN, attrs.evolve(cursor(world, final=block.number), parked="a reason"))
    checkpoints._nothing_waits_in_vain(rail)
