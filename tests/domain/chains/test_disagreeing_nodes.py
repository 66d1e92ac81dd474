"""Nodes behind a balancer that tell of our transactions what others do not."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.settlements.payouts import PayoutState
from ports.chain import ChainUnavailable
from tests.builders import CHAIN
from tests.domain.services import compose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.memory.chain import InMemoryChain
    from domain.chains.model import Scan
    from domain.chains.submissions import Inclusion
    from ports.chain import Ours
    from tests.domain.services import Services
    from tests.domain.world import World


class Telling:
    """A line to the nodes on which the one that is asked for inclusions says what it is told."""

    def __init__(self, chain: InMemoryChain, inclusions: Sequence[Inclusion]) -> None:
        self._chain = chain
        self._inclusions = inclusions

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the chain has there)
        return getattr(self._chain, name)

    async def inclusions(self, hashes: Sequence[str]) -> Sequence[Inclusion]:
        return [inclusion for inclusion in self._inclusions if inclusion.hash in hashes]


class Stuck:
    """A line to the nodes on which the one that is scanned knows only what it was told."""

    def __init__(self, chain: InMemoryChain, scan: Scan) -> None:
        self._chain = chain
        self._scan = scan

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the chain has there)
        return getattr(self._chain, name)

    async def scan(self, *, first: int, last: int, ours: Ours | None = None) -> Scan:
        del ours
        return attrs.evolve(
            self._scan,
            blocks=tuple(it for it in self._scan.blocks if first <= it.number <= last),
        )


def told(world: World, inclusions: Sequence[Inclusion]) -> Services:
    return compose(world.around, reader=Telling(world.chain, inclusions))


async def test_a_node_on_a_fork_that_others_have_left_confirms_nothing(world: World) -> None:
    payout = await world.payout_under_way()
    await world.send()
    world.chain.mine()
    [sent] = world.chain.blocks.mined[-1].inclusions
    world.chain.reorg(depth=1, drop={sent.hash})
    world.chain.finalize()
    await world.watch()
    with pytest.raises(ChainUnavailable, match="does not lead to the final one"):
        await told(world, [sent]).watcher.watch(chain=CHAIN)
    assert (await world.payout(payout.id)).state is PayoutState.BROADCAST
    assert world.chain.blocks.number_of(sent.hash) is None


async def test_an_inclusion_that_is_told_of_late_counts_when_its_block_leads_to_the_final_one(
    world: World,
) -> None:
    payout = await world.payout_under_way()
    await world.send()
    world.chain.mine()
    [sent] = world.chain.blocks.mined[-1].inclusions
    for _ in range(3):
        world.chain.finalize()
        await told(world, []).watcher.watch(chain=CHAIN)
    assert (await world.payout(payout.id)).state is PayoutState.BROADCAST
    await told(world, [sent]).watcher.watch(chain=CHAIN)
    assert (await world.payout(payout.id)).state is PayoutState.CONFIRMED
    await world.must_be_right()


@pytest.mark.parametrize("more", [2, 6], ids=["the final block read", "far behind"])
async def test_blocks_that_all_others_have_left_are_not_final(world: World, more: int) -> None:
    intent = await world.intent()
    paid = world.pay(intent)
    world.chain.mine(4)
    latest = world.chain.blocks.latest
    left = await world.chain.scan(first=latest - 3, last=latest)
    world.chain.reorg(depth=4, drop={paid})
    world.chain.mine(more)
    with contextlib.suppress(ChainUnavailable):
        await compose(world.around, reader=Stuck(world.chain, left)).watcher.watch(chain=CHAIN)

    assert (await world.now(intent)).final == 0
    await world.watch()
    assert (await world.now(intent)).received == 0
    await world.must_be_right()
