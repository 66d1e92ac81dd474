"""Which blocks were read: no verdict over a gap, and a gap is filled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import attrs
import pytest

from adapters.memory.chain import InMemoryChain
from domain.chains.coverage import BLOCKS_MAX, Gap, lowest_gap
from domain.chains.model import CoverageGap, FinalBlockReplaced
from domain.fees.model import FeeSchedule
from domain.merchants.model import PayoutTerms
from ports.chain import ChainUnavailable
from tests.builders import CHAIN, usdt
from tests.chain_builders import a_block
from tests.contracts.coverage import a_stretch
from tests.domain.scene import DUE, NET, PAYER, PLACES, TILL
from tests.domain.services import Surroundings, compose
from tests.domain.world import World

if TYPE_CHECKING:
    from collections.abc import Collection

    from domain.chains.coverage import Stretch
    from domain.chains.model import Block, Scan
    from domain.chains.service import ChainWatcher
    from domain.intents.model import PaymentIntent
    from ports.chain import ChainReader, Ours


class TestGaps:
    @pytest.mark.parametrize(
        ("stretches", "expected"),
        [
            ([], Gap(1, 9, None, None)),
            ([a_stretch(1, 9)], None),
            ([a_stretch(1, 20)], None),
            ([a_stretch(1, 4), a_stretch(5, 9)], None),
            ([a_stretch(3, 9)], Gap(1, 2, None, a_block(2).hash)),
            ([a_stretch(1, 4)], Gap(5, 9, a_block(4).hash, None)),
            (
                [a_stretch(1, 3), a_stretch(5, 5), a_stretch(8, 9)],
                Gap(4, 4, a_block(3).hash, a_block(4).hash),
            ),
            ([a_stretch(10, 12)], Gap(1, 9, None, None)),
        ],
    )
    def test_the_lowest_is_told_with_its_edges(
        self, stretches: list[Stretch], expected: Gap | None
    ) -> None:
        assert lowest_gap(stretches, first=1, last=9) == expected

    def test_stretches_join_where_blocks_and_provider_do(self) -> None:
        low, high = a_stretch(1, 4), a_stretch(5, 9)

        assert low.joined(high) == a_stretch(1, 9)
        assert low.joined(a_stretch(6, 9)) is None
        assert low.joined(attrs.evolve(high, before="0x77")) is None
        assert low.joined(attrs.evolve(high, provider="2:other.example")) is None
        assert low.joined(a_stretch(5, BLOCKS_MAX + 1)) is None


async def stretches(world: World) -> list[tuple[int, int]]:
    async with world.around.store.begin() as work:
        return [(it.first, it.last) for it in await work.chains.covered(CHAIN, first=0)]


async def test_what_is_read_is_one_stretch_and_a_reorganization_shortens_it(world: World) -> None:
    await world.read(4)
    seen = world.chain.blocks.mined[-1].block.number
    assert await stretches(world) == [(PLACES.first_block, seen)]

    world.chain.reorg(depth=2)
    await world.watch()
    await world.read(3)

    async with world.around.store.begin() as work:
        [stretch] = await work.chains.covered(CHAIN, first=0)
        cursor = await work.chains.cursor(CHAIN)
    assert cursor is not None
    assert (stretch.last, stretch.last_hash) == (cursor.seen.number, cursor.seen.hash)
    assert cursor.gap is None


async def test_what_is_read_once_more_counts_once(world: World) -> None:
    store, intent = world.around.store, await world.intent()
    await world.read(3)
    world.pay(intent)
    await world.settle_down()
    await world.read(3)
    blocks = [it.block for it in world.chain.blocks.mined]
    number = min(it.block.number for it in store.tables.observations)
    async with store.begin() as work:
        [stretch] = await work.chains.covered(CHAIN, first=0)
        await work.chains.uncover(CHAIN, after=blocks[number - 1])
        above = attrs.evolve(stretch, first=number + 2, before=blocks[number + 1].hash)
        await work.chains.cover(above)
        await work.commit()

    await world.watch()

    [low, high] = await stretches(world)
    assert low == (PLACES.first_block, number + 1)
    assert high == (number + 2, blocks[-1].number)
    assert await cursor_gap(world) is None
    assert (await world.now(intent)).captured == DUE
    assert await world.earned() == NET
    await world.must_be_right()


async def test_money_in_blocks_below_the_first_is_booked_when_they_are_read() -> None:
    around = Surroundings()
    around.chain.fund(PAYER, usdt(DUE))
    around.chain.mine(3)
    around.chain.finalize()
    services = compose(around)
    merchant = await services.merchants.register(
        name="Ada's bicycles",
        fees=FeeSchedule(bps=100),
        payouts=PayoutTerms(destinations={CHAIN: TILL}),
    )
    world = World(around=around, services=services, merchant=merchant)
    intent = await world.intent()
    world.pay(intent)
    for _ in range(2):
        world.chain.mine(3)
        world.chain.finalize()
    later = attrs.evolve(PLACES, first_block=world.chain.blocks.mined[-1].block.number)
    await compose(around, places=later).watcher.watch(chain=CHAIN)
    assert (await world.now(intent)).received == 0

    await world.watch()

    assert (await world.now(intent)).captured == DUE
    assert await cursor_gap(world) is None
    await world.must_be_right()


async def test_over_a_gap_nothing_expires_and_nothing_is_sent(world: World) -> None:
    intent = await world.intent()
    await world.released()
    await world.services.settlements.run()
    world.clock.advance(days=1)
    await world.settle_down()

    class Silent:
        chain = CHAIN

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the chain has)
            return getattr(world.chain, name)

        async def scan(self, *, first: int, last: int, ours: Ours | None = None) -> Scan:
            if first < PLACES.first_block:
                raise ChainUnavailable("history was cut")
            return await world.chain.scan(first=first, last=last, ours=ours)

    lower = attrs.evolve(PLACES, first_block=1)
    silent = cast("ChainReader", Silent())
    services = compose(world.around, reader=silent, places=lower)
    for _ in range(2):
        with pytest.raises(ChainUnavailable, match="cut"):
            await services.watcher.watch(chain=CHAIN)

    assert await cursor_gap(world) == 1
    assert await services.intents.expire_due(chain=CHAIN) == 0
    with pytest.raises(CoverageGap):
        await services.sender.send(chain=CHAIN)

    healed = compose(world.around, places=lower)
    await healed.watcher.watch(chain=CHAIN)

    assert await cursor_gap(world) is None
    assert await healed.intents.expire_due(chain=CHAIN) == 1
    assert (await healed.sender.send(chain=CHAIN)).signed == 1
    assert (await world.now(intent)).status == "expired"


async def cursor_gap(world: World) -> int | None:
    async with world.around.store.begin() as work:
        cursor = await work.chains.cursor(CHAIN)
    assert cursor is not None
    return cursor.gap


@attrs.frozen
class Forked:
    """A line to nodes that show, below a number, other blocks than were read; or only one that."""

    chain_below: InMemoryChain
    below: int
    shows: str = "scan"
    scanned: list[int] = attrs.field(factory=list)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the chain has)
        return getattr(self.chain_below, name)

    async def block(self, number: int) -> Block | None:
        if self.shows == "block" and number < self.below:
            return a_block(number)
        return await self.chain_below.block(number)

    async def scan(self, *, first: int, last: int, ours: Ours | None = None) -> Scan:
        scan = await self.chain_below.scan(first=first, last=last, ours=ours)
        if first >= self.below:
            return scan
        self.scanned.append(first)
        blocks = scan.blocks
        if self.shows == "scan":
            blocks = tuple(a_block(it.number) for it in blocks)
        return attrs.evolve(scan, blocks=blocks)


def forked(world: World, below: int, *, shows: str = "scan") -> tuple[Forked, ChainWatcher]:
    reader = Forked(world.chain, below, shows)
    lower = attrs.evolve(PLACES, first_block=1)
    composed = compose(world.around, reader=cast("ChainReader", reader), places=lower)
    return reader, composed.watcher


async def test_blocks_that_do_not_lead_to_those_above_park_the_chain(world: World) -> None:
    await world.read(3)
    _, watcher = forked(world, PLACES.first_block)

    with pytest.raises(FinalBlockReplaced) as replaced:
        await watcher.watch(chain=CHAIN)

    assert replaced.value.number == PLACES.first_block - 1


async def test_blocks_that_do_not_continue_those_below_park_the_chain(world: World) -> None:
    await world.read(3)
    async with world.around.store.begin() as work:
        low = a_stretch(1, 1)
        await work.chains.cover(attrs.evolve(low, last_hash="0x" + "7" * 64))
        await work.commit()
    _, watcher = forked(world, 0, shows="nothing else")

    with pytest.raises(FinalBlockReplaced) as replaced:
        await watcher.watch(chain=CHAIN)

    assert replaced.value.number == 1


async def test_where_the_block_at_the_edge_is_another_nothing_is_read(world: World) -> None:
    await world.read(3)
    reader, watcher = forked(world, PLACES.first_block, shows="block")

    with pytest.raises(ChainUnavailable, match="below what was read"):
        await watcher.watch(chain=CHAIN)

    assert reader.scanned == []


async def test_an_address_named_while_blocks_are_being_read_is_known(world: World) -> None:
    """Who is paid in a block that is read was named before, however shortly."""
    intents: list[PaymentIntent] = []

    class JustInTime:
        chain = CHAIN

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the chain has)
            return getattr(world.chain, name)

        async def scan(self, *, first: int, last: int, ours: Ours | None = None) -> Scan:
            del last
            intents.append(await world.intent())
            world.pay(intents[-1])
            world.chain.mine()
            scan = await world.chain.scan(first=first, last=first + 50)
            assert ours is not None
            known: Collection[str] = await ours(
                {it.fact.target for it in scan.observations if hasattr(it.fact, "target")}
            )
            assert len(known) == 1
            return await world.chain.scan(first=first, last=first + 50, ours=ours)

    world.chain.mine()
    await compose(world.around, reader=cast("ChainReader", JustInTime())).watcher.watch(
        chain=CHAIN
    )

    assert [(await world.now(it)).received for it in intents] == [DUE]
