"""Where books and chain part: the first block, and the entry in it that only one of them has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.chains.model import Block
from domain.ledger.comparing import Comparing
from domain.ledger.matching import (
    Moved,
    first_unmatched,
    in_books,
    never_booked,
    on_chain,
    one_too_many,
    without_like,
)
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from domain.chains.model import Observation
    from domain.ledger.comparing import Books, Place
    from ports.chain import ChainReader

ENTRIES_MAX = 1_000
"""How many bookings of one block are looked through."""

BLOCKS_MAX = 64
"""How many blocks are looked through where their times cannot tell them apart."""

GIFTS_MAX = 16
"""How many times coins may have come in between two agreements, and be looked behind."""

PROBES_MAX = 256
"""More halvings than any range of blocks has, those for blocks of one time included."""


@attrs.frozen
class Range:
    """Books and chain agree after the first block, and not after the last."""

    low: Block
    high: Block

    def __str__(self) -> str:
        first, last = self.low.number + 1, self.high.number
        return f"block {last} ({self.high.hash})" if first == last else f"blocks {first} to {last}"


@attrs.frozen
class Divergence:
    """Finds the first entry that differs at one place, by halving the range of blocks.

    The books of the past are those that had taken effect by a block's time: what a chain event
    has caused is effective at the time of its block.
    """

    comparing: Comparing

    async def first_entry(self, books: Books, place: Place) -> str:
        """Name the first entry that differs; where none can be named, the blocks it lies in."""
        reader = self.comparing.readers[books.cursor.chain]
        last = books.block

        def agree(more: int) -> bool:
            return place.conserved(books=0, chain=more)

        try:
            if agree(await self._more(place, last)):
                return await self._after(place, last)
            found = await self._range(books, place, agree)
            if found is None:
                return await self._before(place, await self._first(books, reader))
            return await self._in(found, place, reader)
        except ChainUnavailable:
            agreed = await self._agreed(place) or books.cursor.first - 1
            return f"blocks {agreed + 1} to {last.number}: no node tells what was there then"

    async def surplus(self, books: Books, place: Place, *, more: int) -> str | None:
        """Name the entry for which more is there than should be, or None where coins came in.

        What is there unseen can only be told by its amount, in the block from which on there is
        more, from what a wrong booking has taken away, and from what a log shows to have come and
        nobody has booked.
        """
        reader = self.comparing.readers[books.cursor.chain]
        last = books.block
        try:
            agreed = await self._agreed(place)
            start = await _block(reader, agreed) if agreed else await self._first(books, reader)
            start = await _last_of_its_time(start, reader, below=last.number)
            usual, lately = await self._more(place, start), await self._more(place, last)
            if more > lately:
                entries = await self._entries(place, after=last.time, until=None)
                return one_too_many(entries, excess=lately - more)
            for _ in range(GIFTS_MAX):
                if lately <= usual or start.time == last.time:
                    break
                found = await self._narrow(Range(start, last), place, _at_most(usual))
                entries, excess = await self._changes(found, place)
                entry = None
                if found.high.number - found.low.number <= BLOCKS_MAX:
                    seen = on_chain(await _seen(reader, found), place)
                    entry = never_booked(seen, entries, excess=excess)
                    # Lest a gift as large as a fee that is in a log, in its block, stops payouts.
                    entries = without_like(seen, entries)
                entry = entry or one_too_many(entries, excess=excess)
                if entry is not None:
                    return f"{found}: {entry}"
                start, usual = found.high, await self._more(place, found.high)
        except ChainUnavailable:
            return None
        return None

    async def _range(
        self, books: Books, place: Place, agree: Callable[[int], bool]
    ) -> Range | None:
        """Narrow the difference down, or return None if it was there before the first block."""
        reader = self.comparing.readers[books.cursor.chain]
        high = books.block
        agreed = await self._agreed(place)
        starts = [await self._first(books, reader)]
        if agreed is not None and starts[0].number < agreed < high.number:
            starts.insert(0, await _block(reader, agreed))
        for start in starts:
            low = await _last_of_its_time(start, reader, below=high.number)
            if low.time == high.time:
                return Range(start, high)
            if agree(await self._more(place, low)):
                return await self._narrow(Range(low, high), place, agree)
            high = low  # Somebody has booked since what took effect before.
        return None

    async def _narrow(self, found: Range, place: Place, agree: Callable[[int], bool]) -> Range:
        reader = self.comparing.readers[place.chain]
        for _ in range(PROBES_MAX):
            middle = await self._between(found, reader)
            if middle is None:
                break
            if agree(await self._more(place, middle)):
                found = attrs.evolve(found, low=middle)
            else:
                found = attrs.evolve(found, high=middle)
        return found

    async def _between(self, found: Range, reader: ChainReader) -> Block | None:
        """Return a block between, the last of its time: only that can be set against the books."""
        low, high = found.low.number, found.high.number
        while high - low > 1:
            block = await _block(reader, (low + high) // 2)
            if block.time == found.high.time:
                high = block.number
                continue
            block = await _last_of_its_time(block, reader, below=high)
            if block.time > found.low.time:
                return block
            low = block.number
        return None

    async def _in(self, found: Range, place: Place, reader: ChainReader) -> str:
        """Set what the chain says of a few blocks against what was booked in them."""
        low, high = found.low, found.high
        if low.time == high.time:
            return f"{found}: all of one time, so that no entry can be told from the others"
        entries, excess = await self._changes(found, place)
        entry, seen = None, list[Moved]()
        if high.number - low.number <= BLOCKS_MAX:
            seen = on_chain(await _seen(reader, found), place)
        if place.grows_unseen:
            # What the network took, and on some chains each coin that came or went, is in a log.
            entry = never_booked(seen, entries, excess=excess)
            entry = entry or one_too_many(entries, excess=excess)
        elif high.number - low.number <= BLOCKS_MAX:
            entry = first_unmatched(seen, entries)
        return f"{found}: {entry or f'books less chain is {excess}, which no entry explains'}"

    async def _changes(self, found: Range, place: Place) -> tuple[list[Moved], int]:
        """Return what was booked in a range, and how much more that is than the chain moved."""
        low, high = found.low, found.high
        entries = await self._entries(place, after=low.time, until=high.time)
        moved = await self.comparing.held(place, block=high.number)
        moved -= await self.comparing.held(place, block=low.number)
        return entries, sum(entry.amount for entry in entries) - moved

    async def _after(self, place: Place, last: Block) -> str:
        """Name a booking that takes effect when no final block had been made yet."""
        entries = await self._entries(place, after=last.time, until=None)
        names = [f"{entry.name} says {entry.amount}" for entry in entries]
        found = names[0] if names else "nothing booked there"
        return f"after block {last.number}: {found} and is not on the chain"

    async def _before(self, place: Place, first: Block) -> str:
        """Name a booking that takes effect before the first block that was ever read."""
        entries = await self._entries(place, after=None, until=first.time)
        excess = sum(entry.amount for entry in entries)
        excess -= await self.comparing.held(place, block=first.number)
        entry = one_too_many(entries, excess=excess)
        return f"up to block {first.number}: {entry or f'books less chain is {excess}'}"

    async def _more(self, place: Place, block: Block) -> int:
        """Return by how much the chain had more than the books, after a block."""
        async with self.comparing.begin() as work:
            balances = await work.ledger.balances(prefix=place.account, effective_by=block.time)
        books = sum(
            balance.money.amount
            for balance in balances
            if (balance.account, balance.money.asset) == (place.account, place.asset)
        )
        return await self.comparing.held(place, block=block.number) - books

    async def _entries(
        self, place: Place, *, after: datetime | None, until: datetime | None
    ) -> list[Moved]:
        async with self.comparing.begin() as work:
            booked = await work.ledger.taking_effect(
                place.account, place.asset, after=after, until=until, limit=ENTRIES_MAX
            )
        return in_books(booked, place)

    async def _agreed(self, place: Place) -> int | None:
        async with self.comparing.begin() as work:
            return await work.parking.last_agreed(place.account, place.asset)

    async def _first(self, books: Books, reader: ChainReader) -> Block:
        """Return the block before the first one that was ever read."""
        return await _block(reader, max(books.cursor.first - 1, 0))


def _at_most(usual: int) -> Callable[[int], bool]:
    return lambda more: more <= usual


async def _block(reader: ChainReader, number: int) -> Block:
    block = await reader.block(number)
    if block is None:
        raise ChainUnavailable(f"block {number} is missing")
    return block


async def _last_of_its_time(block: Block, reader: ChainReader, *, below: int) -> Block:
    """Return the last block that has a block's time, of those with a lower number."""
    while block.number + 1 < below:
        following = await _block(reader, block.number + 1)
        if following.time != block.time:
            break
        block = following
    return block


async def _seen(reader: ChainReader, found: Range) -> Sequence[Observation]:
    """Return all facts of a range; scans may be cut short, and each goes on after the last."""
    seen: list[Observation] = []
    next_number = found.low.number + 1
    while next_number <= found.high.number:
        scan = await reader.scan(first=next_number, last=found.high.number)
        if not scan.blocks:
            raise ChainUnavailable(f"block {next_number} is missing")
        seen += scan.observations
        next_number = scan.blocks[-1].number + 1
    return seen
