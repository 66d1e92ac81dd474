"""Keeping account of which blocks were read, and reading those that were left out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.coverage import Stretch, lowest_gap
from domain.chains.crediting import Crediting
from domain.chains.maturing import Maturing
from domain.chains.model import FinalBlockReplaced, Finality
from domain.chains.telling import keep
from ports.chain import ChainUnavailable
from ports.clock import Clock
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from datetime import datetime

    from domain.chains.coverage import Gap
    from domain.chains.model import Cursor, Scan
    from ports.chain import ChainReader, Ours
    from ports.unit_of_work import UnitOfWork


async def note(work: UnitOfWork, cursor: Cursor, scan: Scan, *, at: datetime) -> None:
    """Store that the blocks of a scan were read, as part of the stretch they continue."""
    if not scan.blocks:
        return
    stretch = Stretch.of(cursor.chain, scan, at=at)
    for before in await work.chains.covered(cursor.chain, first=stretch.first - 1):
        stretch = before.joined(stretch) or stretch
        break
    await work.chains.cover(stretch)


async def gap_of(work: UnitOfWork, cursor: Cursor, *, first_block: int) -> Gap | None:
    """Return the lowest blocks that should have been read up to the cursor, and were not."""
    first = max(first_block, 1)  # Nobody is paid in a chain's very first block.
    stretches = await work.chains.covered(cursor.chain, first=first)
    return lowest_gap(stretches, first=first, last=cursor.seen.number)


@attrs.frozen
class Filling:
    """Reads blocks of a chain that were left out, lowest first; all of them are final by now.

    They came to be left out because the first block of interest was set to a lower one since, or
    because what says that they were read was taken away, so that they are read again.
    """

    begin: Begin
    clock: Clock
    crediting: Crediting
    maturing: Maturing
    blocks_max: int

    async def fill(self, cursor: Cursor, reader: ChainReader, ours: Ours) -> Cursor:
        """Read the next of the missing blocks and book what is in them; return the cursor.

        Raises:
            ChainUnavailable: no node gave a usable answer; nothing was changed.
            FinalBlockReplaced: the blocks do not lead to those that were read before.
        """
        first_block = self.crediting.places.first_block
        async with self.begin() as work:
            gap = await gap_of(work, cursor, first_block=first_block)
        # What is not final yet is no gap of the past, and coins that are known to be there were
        # booked as brought in when the gateway began: seen again they would count twice.
        if gap is None or gap.last > cursor.final.number or self.crediting.places.shows_coins:
            return cursor
        await self._leads_up(gap, reader)
        # Nobody knows yet how much was paid there.
        if not await self.maturing.covers(gap.last, cursor, reader):
            return cursor
        last = min(gap.last, gap.first + self.blocks_max - 1)
        scan = await reader.scan(first=gap.first, last=last, ours=ours)
        _must_fit(cursor, gap, scan)
        at = self.clock.now()
        async with self.begin() as work:
            if await work.chains.lock_cursor(cursor.chain) != cursor:
                return await work.chains.cursor(cursor.chain) or cursor
            await self._book(work, scan, at=at)
            await note(work, cursor, scan, at=at)
            left = await gap_of(work, cursor, first_block=first_block)
            filled = attrs.evolve(
                cursor,
                first=min(cursor.first, gap.first),
                gap=None if left is None else left.first,
            )
            await keep(work, filled, was=cursor, at=at)
            await work.commit()
        return filled

    async def _leads_up(self, gap: Gap, reader: ChainReader) -> None:
        """Make sure, before anything is booked, that the nodes have the block below the known."""
        if gap.above is None:
            return
        top = await reader.block(gap.last)
        if top is None or top.hash != gap.above:
            raise ChainUnavailable(f"block {gap.last} is not the one below what was read")

    async def _book(self, work: UnitOfWork, scan: Scan, *, at: datetime) -> None:
        mine = await self.crediting.ours(work, scan.observations)
        new = [observation for observation in mine if await work.chains.claim(observation)]
        await self.crediting.see(work, new, at=at)
        for observation in new:
            await work.chains.set_finality(
                observation.key, was=observation.finality, now=Finality.FINAL
            )
        await self.crediting.finalize(work, new, at=at)


def _must_fit(cursor: Cursor, gap: Gap, scan: Scan) -> None:
    """Check that blocks follow each other from one edge of a gap towards the other."""
    number, name = gap.first, gap.below
    for block in scan.blocks:
        if block.number != number:
            raise ChainUnavailable(f"block {number} is missing")
        if name is not None and block.parent != name:
            raise FinalBlockReplaced(cursor.chain, number - 1)
        number, name = number + 1, block.hash
    if not scan.blocks:
        raise ChainUnavailable(f"block {number} is missing")
    if number > gap.last and gap.above not in {None, name}:
        raise FinalBlockReplaced(cursor.chain, gap.last)
