"""What a liteserver that lies has told is forgotten when it is contradicted."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.ton.devnet.devnet import TonDevnet
from adapters.ton.liteservers import SourcesDisagree
from adapters.ton.second_source import Standing
from tests.adapters.ton.on_devnet.gateway import coins, hot_signer
from tests.adapters.ton.on_devnet.sources import Watched, devnet, watched
from tests.adapters.ton.on_devnet.test_second_source import reader_of, sender_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.ton.reader import TonChainReader

SHOP = hot_signer().address
PAYEE = "0:" + "5a" * 32
TRIES_MAX = 100
PAUSE_SECONDS = 0.05


@attrs.frozen
class Torn:
    """A gateway with a liteserver of its chain and one of another, and a source that is right."""

    world: Watched
    right: TonDevnet
    lying: TonDevnet

    async def hear(self, heard: TonDevnet) -> None:
        """Have one of the two be ahead, until it is the one that is asked."""
        other = self.lying if heard is self.right else self.right
        heard.mine(blocks=max(0, other.head.seqno - heard.head.seqno) + 2)
        for _ in range(TRIES_MAX):
            told = await self.world.servers.ask("get_masterchain_info")
            if told["last"]["root_hash"] == heard.head.root_hash.hex():
                return
            await asyncio.sleep(PAUSE_SECONDS)
        raise AssertionError("it is never heard")


@asynccontextmanager
async def torn() -> AsyncIterator[Torn]:
    async with devnet() as right, devnet() as lying:
        right.mine(blocks=8)
        lying.mine(blocks=right.head.seqno - lying.head.seqno)
        assert right.head != lying.head
        both = right.config()["liteservers"] + lying.config()["liteservers"]
        config = right.config() | {"liteservers": both}
        async with watched(right, config=config) as world:
            yield Torn(world, right, lying)


async def contradicted(torn: Torn, reader: TonChainReader) -> None:
    """Have the second source name a block otherwise, and then one who is right be asked."""
    with pytest.raises(SourcesDisagree):
        await reader.head()
    await torn.hear(torn.right)
    assert (await reader.head()).final_hash == torn.right.head.root_hash.hex()
    assert torn.world.second()[0] is Standing.SOUND


async def test_its_blocks_are_asked_for_again() -> None:
    async with torn() as it:
        reader = reader_of(it.world)
        await it.hear(it.lying)
        number = it.lying.head.seqno - 1
        lie = await reader.block(number)

        await contradicted(it, reader)

        truth = await reader.block(number)
        assert truth is not None
        assert truth != lie
        scan = await reader.scan(first=number - 1, last=it.right.head.seqno)
        assert truth in scan.blocks
        assert scan.blocks[-1].hash == it.right.head.root_hash.hex()


async def test_its_messages_are_looked_for_again() -> None:
    async with torn() as it:
        for chain in (it.right, it.lying):
            chain.give(address=SHOP, amount=10**10)
            chain.mine_all()
        reader, sender = reader_of(it.world), sender_of(it.world)
        # Nobody contradicts it while the second source tells of nothing.
        it.world.toncenter.faults.silent = True
        await it.hear(it.lying)
        signed = await sender.sign(await sender.prepare(coins(1, PAYEE)), sequence=0)
        await it.world.servers.broadcast(signed.raw)
        it.lying.mine_all()
        assert len(await reader.inclusions([signed.hash])) == 1

        it.world.toncenter.faults.silent = False
        await contradicted(it, reader)

        assert await reader.inclusions([signed.hash]) == []
