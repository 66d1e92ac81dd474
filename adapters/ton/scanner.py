"""Masterchain blocks, and every shard block that each of them makes final.

A block of a shard is final when a masterchain block refers to it or to a descendant of it (TON
Blockchain whitepaper, 2.6.28). So what a masterchain block makes final are the ancestors of its
shards' tops down to the tops of the masterchain block before it; after a split one parent has two
children, after a merge one child two parents.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, TypeAlias

from pytoniq_core import BlockIdExt

from adapters.ton.liteservers import NotThere
from adapters.ton.remembered import Remembered
from adapters.ton.transactions import taken_in
from domain.chains.model import Block
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from pytoniq_core.tlb.block import BlkPrevInfo, BlockInfo
    from pytoniq_core.tlb.transaction import Transaction

    from adapters.ton.liteservers import Liteservers
    from adapters.ton.second_source import Sources
    from adapters.ton.transactions import MessageName

MASTERCHAIN = -1
WHOLE = -(2**63)
"""The shard that is all of its workchain, as a signed number."""
SHARD_BLOCKS_MAX = 1_024
"""How many shard blocks one masterchain block makes final at most: many times what it does."""
KEPT = 256
"""How many masterchain blocks' names and tops are remembered: they never change,
but those who told them may turn out to lie."""

LATE_BLOCKS_MAX = 64
"""How many masterchain blocks after the one that it was made on a shard's block is waited for."""

Place: TypeAlias = "tuple[int, int, int]"
Named: TypeAlias = "tuple[BlockIdExt, Block]"
Arrivals: TypeAlias = "Mapping[MessageName, Transaction]"
MadeFinal: TypeAlias = "list[tuple[BlockIdExt, Sequence[Transaction]]]"


class Scanner:
    """Walks the masterchain by number.

    Args:
        servers: Who is asked.
        sources: Who names the newest block; the servers alone if None.
    """

    def __init__(self, servers: Liteservers, sources: Sources | None = None) -> None:
        self._servers = servers
        self._sources = sources or servers
        self._names: Remembered[int, Named] = Remembered(servers, most=KEPT)
        self._tops: Remembered[int, Sequence[BlockIdExt]] = Remembered(servers, most=KEPT)
        self._final: Remembered[int, MadeFinal] = Remembered(servers, most=KEPT)
        self._arrivals: Remembered[int, Arrivals] = Remembered(servers, most=KEPT)

    @property
    def doubts(self) -> int:
        """How often what was read of blocks was contradicted; see `Liteservers`."""
        return self._servers.doubts

    async def newest(self) -> BlockIdExt:
        """Return the newest masterchain block's name.

        Raises:
            ChainUnavailable: no server answered, or what they name is not to be believed.
        """
        return await self._sources.newest()

    async def block(self, number: int) -> Named | None:
        """Return a masterchain block's full name and the block, or None if it is not there yet.

        Raises:
            ChainUnavailable: no server answered.
        """
        try:
            return await self._names.get(number, lambda: self._look_up(number))
        except NotThere:
            return None

    async def made_final(self, number: int) -> MadeFinal:
        """Return the shard blocks that a masterchain block makes final, with all transactions.

        Raises:
            ChainUnavailable: no server answered, or its answers do not fit together.
        """
        return await self._final.get(number, lambda: self._read(number))

    async def arrivals(self, number: int) -> Mapping[MessageName, Transaction]:
        """Return the transactions that a masterchain block makes final, by what they took in.

        Raises:
            ChainUnavailable: no server answered, or its answers do not fit together.
        """
        return await self._arrivals.get(number, lambda: self._arrived(number))

    async def finalized_by(self, name: BlockIdExt) -> int:
        """Return the number of the masterchain block that made a shard's block final.

        Raises:
            ChainUnavailable: no server answered, or there is no such block yet.
        """
        header = await self._servers.ask("raw_get_block_header", name)
        made_on = header.info.master_ref.master.seqno
        for number in range(made_on + 1, made_on + 1 + LATE_BLOCKS_MAX):
            if any(each == name for each, _ in await self.made_final(number)):
                return int(number)
        raise ChainUnavailable(f"no masterchain block has {name.seqno} of shard {name.shard}")

    async def earliest_top(self, number: int) -> int:
        """Return the Unix time of the earliest among a masterchain block's shards' newest blocks.

        What these shards will yet have is later than that.

        Raises:
            ChainUnavailable: no server answered.
        """
        headers = [
            await self._servers.ask("raw_get_block_header", name)
            for name in await self._shards(number)
        ]
        if not headers:
            raise ChainUnavailable(f"block {number} has no shards")
        return min(int(header.info.gen_utime) for header in headers)

    async def _look_up(self, number: int) -> Named:
        name, header = await self._servers.ask("lookup_block", MASTERCHAIN, WHOLE, number)
        info = header.info
        if (name.workchain, name.seqno, info.seqno) != (MASTERCHAIN, number, number):
            raise ChainUnavailable(f"asked for block {number}, got {name.seqno}")
        return name, _block(name, info)

    async def _arrived(self, number: int) -> Arrivals:
        return {
            message.name: transaction
            for _, transactions in await self.made_final(number)
            for transaction in transactions
            if (message := taken_in(transaction)) is not None
        }

    async def _read(self, number: int) -> MadeFinal:
        before = {_place(top) for top in await self._shards(number - 1)} if number else set()
        waiting = list(await self._shards(number))
        found: dict[Place, BlockIdExt] = {}
        while waiting:
            name = waiting.pop()
            if _place(name) in before or _place(name) in found or not name.seqno:
                continue
            if len(found) >= SHARD_BLOCKS_MAX:
                raise ChainUnavailable(f"block {number} has no end of shard blocks")
            found[_place(name)] = name
            header = await self._servers.ask("raw_get_block_header", name)
            waiting += parents(name, header.info)
        in_order = sorted(found.values(), key=lambda each: (each.seqno, each.shard))
        return [
            (name, await self._servers.ask("raw_get_block_transactions_ext", name))
            for name in in_order
        ]

    async def _shards(self, number: int) -> Sequence[BlockIdExt]:
        return await self._tops.get(number, lambda: self._shards_told(number))

    async def _shards_told(self, number: int) -> Sequence[BlockIdExt]:
        there = await self.block(number)
        if there is None:
            raise ChainUnavailable(f"block {number} is not there")
        shards: Sequence[BlockIdExt] = await self._servers.ask("get_all_shards_info", there[0])
        return shards


def parents(name: BlockIdExt, info: BlockInfo) -> list[BlockIdExt]:
    """Return the names of the blocks before a shard's block.

    A shard is a prefix of account addresses, written as its bits, a one and zeros (block.tlb,
    ``shard_ident``; the lowest bit set marks the prefix's end): its parent has one bit less.
    """
    before: BlkPrevInfo = info.prev_ref
    lowest = name.shard & -name.shard
    if info.after_merge:
        half = lowest >> 1
        halves = (_signed(name.shard - half), _signed(name.shard + half))
        pairs = list(zip(halves, (before.prev1, before.prev2), strict=True))
    elif info.after_split:
        pairs = [(_signed((name.shard - lowest) | (lowest << 1)), before.prev)]
    else:
        pairs = [(name.shard, before.prev)]
    return [
        BlockIdExt(name.workchain, shard, each.seqno, each.root_hash, each.file_hash)
        for shard, each in pairs
    ]


def _signed(shard: int) -> int:
    return (shard + 2**63) % 2**64 - 2**63


def _place(name: BlockIdExt) -> Place:
    return name.workchain, name.shard, name.seqno


def _block(name: BlockIdExt, info: BlockInfo) -> Block:
    return Block(
        number=name.seqno,
        hash=name.root_hash.hex(),
        parent=info.prev_ref.prev.root_hash.hex(),
        time=datetime.fromtimestamp(info.gen_utime, tz=UTC),
    )
