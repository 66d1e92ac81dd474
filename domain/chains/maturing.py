"""Deciding up to which block all that was read is final: by the chain's rule, and by amount."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from domain.chains.at_risk import at_risk
from domain.chains.finality import Ladder, Rung
from domain.chains.model import Block
from domain.chains.places import Places
from ports.chain import ChainUnavailable
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from domain.chains.finality import Proven
    from domain.chains.model import Cursor, Head
    from ports.chain import ChainReader
    from ports.unit_of_work import UnitOfWork


@attrs.define
class Memory:
    """What one process knows of rungs' evidence. Who has lost it asks again, and counts more."""

    proven: dict[Rung, int] = attrs.field(factory=dict)
    """Of blocks that are final for us."""
    agreed: dict[Rung, Block] = attrs.field(factory=dict)
    """The last block on which a rung's providers agreed; it may still be replaced."""


@attrs.frozen
class Verdict:
    """Up to which block all is final now."""

    block: Block
    left: int = 0
    """How many blocks above it are final too, and wait for their turn."""
    proven: Mapping[Rung, int] = attrs.field(factory=dict)


@attrs.frozen
class Maturing:
    """Finds the final block of one chain, in the order of its blocks.

    Where a rung is reached and lacks evidence, the blocks below are final and it and all above
    wait: cursor, expiry and comparison speak of blocks, not of single payments.
    """

    begin: Begin
    places: Places
    ladder: Ladder
    memory: Memory
    blocks_max: int

    async def ask(self, cursor: Cursor, head: Head, reader: ChainReader) -> Proven:
        """Return what is known of rungs' evidence, having asked providers where that is wanted.

        Raises:
            ChainUnavailable: no provider answered, or they name a block differently.
        """
        known = self.memory.proven
        proven = {rung: known[rung] for rung in self.ladder.rungs if rung in known}
        if self.ladder.quorum == 1 or head.final <= cursor.final.number:
            return proven
        async with self.begin() as work:
            paid = await at_risk(
                work, cursor, places=self.places, ladder=self.ladder, proven=proven
            )
        for rung in self.ladder.rungs:
            blocks = self.ladder.doubtful(
                rung, paid, newest=cursor.seen, goal=head.final, proven=proven
            )
            agreed = await self._highest_agreed(rung, blocks, reader)
            if agreed is not None:
                self.memory.agreed[rung] = agreed
                proven[rung] = agreed.number
        return proven

    async def _highest_agreed(
        self, rung: Rung, blocks: list[Block], reader: ChainReader
    ) -> Block | None:
        """Ask for the highest of some blocks first, and halve the way down to what is known.

        A provider that lags does not have the highest; one with a payment in each block would
        never be asked for one that it has.
        """
        known = -1
        if self.memory.agreed.get(rung) in blocks:
            known = blocks.index(self.memory.agreed[rung])
        at = len(blocks) - 1
        while at > known:
            if await reader.agreed(blocks[at], providers=rung.quorum):
                return blocks[at]
            at = (at + known) // 2
        return blocks[known] if known >= 0 else None

    async def covers(self, number: int, cursor: Cursor, reader: ChainReader) -> bool:
        """Tell whether a block has every rung's evidence, whatever the money in it.

        Raises:
            ChainUnavailable: no provider answered, or they name the block differently.
        """
        if not self.ladder:
            return True
        block = await reader.block(number)
        if block is None or not all(
            rung.buries(block, under=cursor.seen) for rung in self.ladder.rungs
        ):
            return False
        quorum = self.ladder.quorum
        return quorum == 1 or await reader.agreed(block, providers=quorum)

    async def final_block(
        self, work: UnitOfWork, cursor: Cursor, head: Head, proven: Proven
    ) -> Verdict:
        """Return the block up to which all that was read is final.

        By name, not by number: what was read may be of a node on a fork that all others have
        left. Only when the block which the chain calls final is among those read are the ones
        before it known to be its ancestors; until then nothing is final. What has waited for
        that long becomes final in slices.

        Raises:
            ChainUnavailable: what was read under its number has another name.
        """
        before = cursor.final
        if not before.number < head.final <= cursor.seen.number:
            return Verdict(before, proven=proven)
        named = await self._read_as(work, head.final)
        if named.hash != head.final_hash:
            raise ChainUnavailable(f"block {head.final} is not the one that is final")
        if not self.ladder:
            return await self._up_to(work, before, named)
        paid = await at_risk(work, cursor, places=self.places, ladder=self.ladder, proven=proven)
        goal = self.ladder.last_final(paid, newest=cursor.seen, goal=head.final, proven=proven)
        if goal <= before.number:
            return Verdict(before, proven=proven)
        last = named if goal == head.final else await self._read_as(work, goal)
        verdict = await self._up_to(work, before, last)
        known = self.ladder.proven_by(
            paid, newest=cursor.seen, final=verdict.block.number, proven=proven
        )
        return attrs.evolve(verdict, proven=known)

    def keep(self, verdict: Verdict) -> None:
        """Remember a verdict that was stored."""
        final = verdict.block.number
        known = {rung: number for rung, number in verdict.proven.items() if number <= final}
        self.memory.proven.update(known)

    async def _up_to(self, work: UnitOfWork, before: Block, last: Block) -> Verdict:
        left = last.number - before.number - self.blocks_max
        if left <= 0:
            return Verdict(last)
        return Verdict(await self._read_as(work, before.number + self.blocks_max), left)

    async def _read_as(self, work: UnitOfWork, number: int) -> Block:
        [block] = await work.chains.remembered(self.places.chain, first=number, last=number)
        return block
