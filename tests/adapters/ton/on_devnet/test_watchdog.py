"""Liteservers that answer and stand still, lag, or tell of two chains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.ton.liteservers import Liteservers, SourcesDisagree
from adapters.ton.reader import TonChainReader
from adapters.ton.second_source import LiteserversFrozen, Standing
from adapters.ton.settings import TESTNET, TonChain
from ports.chain import ChainUnavailable
from tests.adapters.ton.devnet.box import until
from tests.adapters.ton.on_devnet.connections import Balanced
from tests.adapters.ton.on_devnet.gateway import COIN
from tests.adapters.ton.on_devnet.sources import devnet, watched

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from typing import Any

    from adapters.ton.devnet.devnet import TonDevnet

SHOP = "0:" + "5a" * 32


@pytest.fixture
async def running() -> AsyncIterator[TonDevnet]:
    async with devnet() as running:
        running.mine(blocks=5)
        yield running


@pytest.fixture
async def two() -> AsyncIterator[TonDevnet]:
    async with devnet(liteservers=2) as running:
        running.mine(blocks=5)
        yield running


def settings_of(config: dict[str, Any]) -> TonChain:
    return TonChain(global_id=TESTNET, config=config, native=COIN, request_timeout_seconds=1)


def reader_of(servers: Liteservers, settings: TonChain) -> TonChainReader:
    async def owners() -> Sequence[str]:
        return []

    return TonChainReader(servers, settings, hot_wallet=SHOP, owners=owners)


async def test_the_clock_finds_a_connection_that_stands_still(running: TonDevnet) -> None:
    async with (
        Balanced(running) as balanced,
        watched(running, config=balanced.config(), alone=True) as world,
    ):
        known = running.head.seqno
        await world.sources.newest()
        # A minute passes; the chain goes on, and who is connected sees nothing of it.
        world.clock.advance(seconds=60)
        running.advance(seconds=0)
        balanced.mine_unseen(3)
        assert (await world.sources.newest()).seqno <= known + 1
        world.clock.advance(seconds=1)
        with pytest.raises(LiteserversFrozen, match="61 s old"):
            await world.sources.newest()
        assert world.liteservers() == (Standing.FROZEN, world.clock.now())
        assert balanced.connected == 2
        running.advance(seconds=61)
        assert (await world.sources.newest()).seqno == running.head.seqno
        assert world.liteservers()[0] is Standing.SOUND


async def test_the_second_source_finds_a_connection_that_stands_still(running: TonDevnet) -> None:
    async with (
        Balanced(running) as balanced,
        watched(running, config=balanced.config(), lag_blocks=10) as world,
    ):
        known = running.head.seqno
        await world.sources.newest()
        balanced.mine_unseen(10)
        assert (await world.sources.newest()).seqno == known
        balanced.mine_unseen(1)
        with pytest.raises(LiteserversFrozen, match=f"block {known} is followed by 11"):
            await world.sources.newest()
        assert world.liteservers()[0] is Standing.FROZEN
        assert world.second()[0] is Standing.SOUND
        assert balanced.connected == 2
        assert (await world.sources.newest()).seqno == running.head.seqno
        assert world.liteservers()[0] is Standing.SOUND


async def test_where_the_whole_chain_stands_still_connections_are_kept(running: TonDevnet) -> None:
    async with (
        Balanced(running) as balanced,
        watched(running, config=balanced.config(), alone=True) as world,
    ):
        world.clock.advance(seconds=600)
        for _ in range(5):
            with pytest.raises(LiteserversFrozen):
                await world.sources.newest()
        assert balanced.connected == 2
        running.advance(seconds=600)
        await world.sources.newest()
        world.clock.advance(seconds=600)
        with pytest.raises(LiteserversFrozen):
            await world.sources.newest()
        assert balanced.connected == 3


async def test_liteservers_that_do_not_answer_are_silent(running: TonDevnet) -> None:
    async with watched(running, alone=True) as world:
        await world.sources.newest()
        running.liteservers[0].faults.frozen = True
        world.clock.advance(seconds=3)
        with pytest.raises(ChainUnavailable):
            await world.sources.newest()
        assert world.liteservers() == (Standing.SILENT, world.clock.now())
        running.liteservers[0].faults.frozen = False


async def test_a_client_whose_reader_of_blocks_has_died_tells_of_new_ones(
    running: TonDevnet,
) -> None:
    async with Liteservers(settings_of(running.config())) as servers:
        running.liteservers[0].faults.waits_refused = True
        running.mine(blocks=3)
        assert (await servers.newest()).seqno == running.head.seqno


async def test_what_is_asked_after_a_reconnection_is_answered(running: TonDevnet) -> None:
    async with Balanced(running) as balanced:
        settings = settings_of(balanced.config())
        async with Liteservers(settings) as servers:
            for _ in range(3):
                await servers.reconnect()
                assert (await servers.newest()).seqno == running.head.seqno
            assert balanced.connected == 4

            async def hung_up() -> bool:
                return balanced.open == 1

            await until(hung_up)
        await servers.reconnect()
        assert balanced.connected == 4


async def test_a_reconnection_forgets_what_was_newest(running: TonDevnet) -> None:
    async with Liteservers(settings_of(running.config())) as servers:
        known = await servers.newest()
        running.liteservers[0].faults.blocks_behind = 2
        assert await servers.newest() == known
        await servers.reconnect()
        assert (await servers.newest()).seqno == known.seqno - 2


async def test_a_server_that_lags_takes_no_head_back_and_leaves_no_hole(two: TonDevnet) -> None:
    settings = settings_of(two.config())
    behind, ahead = two.liteservers
    async with Liteservers(settings) as servers:
        reader = reader_of(servers, settings)
        behind.faults.blocks_behind = 4
        two.mine(blocks=4)

        async def seen() -> bool:
            return (await reader.head()).final == two.head.seqno

        await until(seen)
        head = await reader.head()
        ahead.faults.frozen = True
        told = await servers.ask("get_masterchain_info")
        assert told["last"]["seqno"] == two.head.seqno - 4  # So it is the one that lags.
        assert await reader.head() == head
        # What it has not seen is left for later, and nothing before it is left out.
        assert await reader_of(servers, settings).block(head.final) is None
        fresh = reader_of(servers, settings)
        numbers = await scanned(fresh, first=2, last=head.final)
        assert numbers == list(range(2, head.final - 3))
        behind.faults.blocks_behind = 1
        numbers += await scanned(fresh, first=numbers[-1] + 1, last=head.final)
        behind.faults.blocks_behind = 0
        numbers += await scanned(fresh, first=numbers[-1] + 1, last=head.final)
        assert numbers == list(range(2, head.final + 1))


async def scanned(reader: TonChainReader, *, first: int, last: int) -> list[int]:
    return [each.number for each in (await reader.scan(first=first, last=last)).blocks]


async def test_two_servers_of_different_chains_are_not_believed(running: TonDevnet) -> None:
    async with devnet() as other:
        other.mine(blocks=running.head.seqno - other.head.seqno)
        both = running.config()["liteservers"] + other.config()["liteservers"]
        config = running.config() | {"liteservers": both}
        async with watched(running, config=config, alone=True) as world:
            told = await world.sources.newest()
            first = running if told == running.head else other
            first.liteservers[0].faults.frozen = True
            with pytest.raises(SourcesDisagree) as found:
                await world.sources.newest()
            assert found.value.number == told.seqno
            assert found.value.ours == told.root_hash.hex()
            assert world.liteservers()[0] is Standing.DISAGREES
