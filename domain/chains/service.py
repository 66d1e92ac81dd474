"""The watcher: reads a chain without gaps and turns what happened into money in the books."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import TYPE_CHECKING

import attrs

from domain.chains.concluding import Concluding
from domain.chains.contract_moves import ChainDisagrees
from domain.chains.crediting import Crediting
from domain.chains.filling import Filling, gap_of, note
from domain.chains.finality import Ladder
from domain.chains.maturing import Maturing, Memory
from domain.chains.model import Cursor, FinalBlockReplaced, Finality
from domain.chains.places import Places
from domain.chains.recipients import Recipients
from domain.chains.telling import keep
from domain.chains.unseen import Rounds, UnseenCoins
from domain.customers.crediting import CustomerDeposits
from domain.shared.money import AssetId, Assets, ChainId
from ports.chain import ChainReader, ChainUnavailable
from ports.clock import Clock
from ports.escrow_contract import EscrowContracts
from ports.ids import Ids
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from domain.chains.finality import Proven
    from domain.chains.model import Block, Head, Observation, Scan
    from domain.chains.submissions import Inclusion, Submission
    from ports.unit_of_work import UnitOfWork

IN_FLIGHT_MAX = 64
"""How many of our own transactions are looked up in one go."""

LATE_BLOCKS_MAX = 5_000
"""How far behind the final block an inclusion is followed up to prove that it leads there."""


@attrs.frozen
class AlreadyMoved(Exception):
    """Another unit of work has moved an observation on, against the cursor's lock."""

    transaction: str
    finality: Finality


@attrs.frozen
class NothingToRead(Exception):
    """The chain has no block yet at which to begin."""

    chain: ChainId


@attrs.frozen
class Progress:
    """How far a chain has been read."""

    seen: int
    final: int
    behind: int
    """How many blocks are left to read or, where none is, to book as final."""


@attrs.frozen
class ChainWatcher:
    """Reads chains, one range of blocks at a time, each in one unit of work.

    The cursor moves in the same transaction in which the observations are stored and booked, so a
    watcher that dies at any line, or two that run at once, lose nothing and count nothing twice.
    """

    begin: Begin
    clock: Clock
    ids: Ids
    assets: Assets
    contracts: EscrowContracts
    readers: Mapping[ChainId, ChainReader]
    places: Mapping[ChainId, Places]
    ladders: Mapping[ChainId, Ladder] = attrs.field(factory=dict)
    """What large amounts need on a chain to be final, beyond what is final by its own rule."""
    blocks_max: int = 500
    """How many blocks are read in one go."""
    deposit_minimums: Mapping[AssetId, int] = attrs.field(factory=dict)
    """From which amount on a customer's deposit is credited, smallest units; all if not named."""
    _memory: Memory = attrs.field(factory=Memory, init=False, eq=False)
    _rounds: Rounds = attrs.field(factory=Rounds, init=False, eq=False)

    async def watch(self, *, chain: ChainId) -> Progress:
        """Read the next range of a chain and apply what is in it.

        Raises:
            ChainUnavailable: no node gave a usable answer; nothing was changed.
            FinalBlockReplaced: the chain has broken its word; nothing was changed.
            NothingToRead: the chain is shorter than where reading should begin.
            ChainDisagrees: the contract has done what our terms rule out; nothing was changed.
            ChainParked: one of these has happened before, and nobody has looked yet.
        """
        try:
            return await self._watch(chain)
        except (FinalBlockReplaced, ChainDisagrees) as error:
            await self._park(chain, f"{type(error).__name__}: {error}")
            raise

    async def find_coins(self, *, chain: ChainId) -> int:
        """Book coins that only balances show, where a chain has such; see `UnseenCoins.find`."""
        if not self.places[chain].hides_coins:
            return 0
        crediting, reader = self._crediting(chain), self.readers[chain]
        coins = UnseenCoins(self.begin, self.clock, crediting, reader, self._rounds)
        return await coins.find()

    async def resume(self, *, chain: ChainId, next_sequence: int | None = None) -> None:
        """Let a parked chain move again, by a person's decision.

        ``next_sequence`` is the number of the hot wallet's next transaction, where those below it
        have been used by somebody else and a person has explained that (``KeyUsedElsewhere``).
        """
        if next_sequence:
            async with self.begin() as work:
                await work.chains.take_sequence(
                    chain, sender=self.places[chain].hot_wallet, at_least=next_sequence - 1
                )
                await work.commit()
        await self._park(chain, None)

    async def _park(self, chain: ChainId, reason: str | None) -> None:
        async with self.begin() as work:
            cursor = await work.chains.lock_cursor(chain)
            if cursor is not None:
                at = self.clock.now()
                await keep(work, attrs.evolve(cursor, parked=reason), was=cursor, at=at)
                await work.commit()

    async def _watch(self, chain: ChainId) -> Progress:
        reader = self.readers[chain]
        cursor = await self._cursor(chain, reader)
        cursor.must_not_be_parked()
        head = await reader.head()
        if head.latest < cursor.seen.number:
            # Behind a balancer one node lags another: that is no news of the chain.
            return Progress(cursor.seen.number, cursor.final.number, behind=0)
        cursor = await self._unwind(cursor, reader)
        last = min(head.latest, cursor.seen.number + self.blocks_max)
        scan, ours = None, partial(self._ours, chain)
        if last > cursor.seen.number:
            scan = await reader.scan(first=cursor.seen.number + 1, last=last, ours=ours)
        async with self.begin() as work:
            in_flight = await work.chains.in_flight(chain, limit=IN_FLIGHT_MAX)
        hashes = [hash for submission in in_flight for hash in submission.hashes]
        inclusions = await reader.inclusions(hashes) if hashes else []
        included = {inclusion.hash for inclusion in inclusions}
        inclusions = await self._before(cursor.final, inclusions, reader)
        proven = await self._maturing(chain).ask(cursor, head, reader)
        cursor, left = await self._apply(cursor, scan, head, proven, in_flight, inclusions)
        waiting = [it for it in in_flight if included.isdisjoint(it.hashes)]
        await self._concluding(chain).expire(cursor, waiting, reader)
        if cursor.gap is not None:
            filling = Filling(
                self.begin,
                self.clock,
                self._crediting(chain),
                self._maturing(chain),
                self.blocks_max,
            )
            cursor = await filling.fill(cursor, reader, ours)
        return Progress(
            seen=cursor.seen.number,
            final=cursor.final.number,
            behind=max(head.latest - cursor.seen.number, 0) or left,
        )

    async def _ours(self, chain: ChainId, addresses: Collection[str]) -> Collection[str]:
        """Return which addresses are ours by now: all to which anybody was told to pay."""
        async with self.begin() as work:
            return await self._recipients(chain).among(work, addresses)

    async def _cursor(self, chain: ChainId, reader: ChainReader) -> Cursor:
        """Return how far the chain has been read; begin at the first block of interest."""
        async with self.begin() as work:
            cursor = await work.chains.cursor(chain)
        if cursor is not None:
            return cursor
        first = max(self.places[chain].first_block - 1, 0)
        block = await reader.block(first)
        if block is None:
            raise NothingToRead(chain)
        async with self.begin() as work:
            cursor = await work.chains.lock_cursor(chain)
            if cursor is None:
                cursor = Cursor(chain=chain, first=first + 1, seen=block, final=block)
                await work.chains.save_cursor(cursor)
                await work.chains.remember(chain, [block])
                await work.commit()
        return cursor

    async def _unwind(self, cursor: Cursor, reader: ChainReader) -> Cursor:
        """Go back to the last block that the chain still has, retracting what came after it."""
        tip = await self._there(cursor.seen.number, reader)
        if tip.hash == cursor.seen.hash:
            return cursor
        async with self.begin() as work:
            kept = await work.chains.remembered(cursor.chain, first=cursor.final.number)
        common = None
        for block in reversed(kept):
            if (await self._there(block.number, reader)).hash == block.hash:
                common = block
                break
        if common is None:
            raise FinalBlockReplaced(cursor.chain, cursor.final.number)
        async with self.begin() as work:
            if await work.chains.lock_cursor(cursor.chain) != cursor:
                return await self._reread(work, cursor)
            gone = await work.chains.observed(
                cursor.chain,
                finality=(Finality.SEEN, Finality.SAFE),
                first=common.number + 1,
                last=cursor.seen.number,
            )
            for observation in gone:
                await self._move(work, observation, Finality.RETRACTED)
            await self._crediting(cursor.chain).retract(work, gone, at=self.clock.now())
            await work.chains.cut(cursor.chain, after=common.number)
            await work.chains.uncover(cursor.chain, after=common)
            back = attrs.evolve(cursor, seen=common)
            await work.chains.save_cursor(back)
            await work.commit()
        return back

    async def _there(self, number: int, reader: ChainReader) -> Block:
        """Return a block that the node has just said there is.

        Raises:
            ChainUnavailable: it has not: nodes that disagree are no proof of anything.
        """
        block = await reader.block(number)
        if block is None:
            raise ChainUnavailable(f"block {number} is missing")
        return block

    async def _before(
        self, final: Block, inclusions: Sequence[Inclusion], reader: ChainReader
    ) -> Sequence[Inclusion]:
        """Return inclusions of which none is in a block that does not lead to the final one.

        A node on a fork that all others have left has blocks of the same numbers. What was read
        that far back is forgotten, but every block names its parent.

        Raises:
            ChainUnavailable: one is in such a block; nodes that disagree are no proof of anything.
        """
        known = [it for it in inclusions if it.block_number > final.number - LATE_BLOCKS_MAX]
        named = {it.block_number: it.block_hash for it in known}
        block = final
        while block.number > min(named, default=final.number):
            hash, block = block.parent, await self._there(block.number - 1, reader)
            if block.hash != hash or named.get(block.number, hash) != hash:
                raise ChainUnavailable(f"block {block.number} does not lead to the final one")
        return known

    async def _apply(
        self,
        cursor: Cursor,
        scan: Scan | None,
        head: Head,
        proven: Proven,
        in_flight: Sequence[Submission],
        inclusions: Sequence[Inclusion],
    ) -> tuple[Cursor, int]:
        """Store what was read and book what is final; return how many final blocks are left."""
        chain, at = cursor.chain, self.clock.now()
        maturing = self._maturing(chain)
        async with self.begin() as work:
            if await work.chains.lock_cursor(chain) != cursor:
                # Who was faster goes on with what is left.
                return await self._reread(work, cursor), 0
            moved = cursor.advance(scan) if scan else cursor
            if scan:
                await work.chains.remember(chain, scan.blocks)
                await note(work, cursor, scan, at=at)
                await self._see(work, chain, scan.observations, at=at)
            verdict = await maturing.final_block(work, moved, head, proven)
            final = verdict.block
            await self._finalize(work, moved, final, at=at)
            concluding = self._concluding(chain)
            await concluding.conclude(work, cursor, final, in_flight, inclusions, at=at)
            gap = await gap_of(work, moved, first_block=self.places[chain].first_block)
            moved = attrs.evolve(moved, final=final, gap=None if gap is None else gap.first)
            await work.chains.forget(chain, before=final.number)
            if moved != cursor:
                await keep(work, moved, was=cursor, at=at)
            await work.commit()
        maturing.keep(verdict)
        return moved, verdict.left

    async def _see(
        self,
        work: UnitOfWork,
        chain: ChainId,
        observations: Sequence[Observation],
        *,
        at: datetime,
    ) -> None:
        crediting = self._crediting(chain)
        ours = await crediting.ours(work, observations)
        new = [observation for observation in ours if await work.chains.claim(observation)]
        await crediting.see(work, new, at=at)

    async def _finalize(
        self, work: UnitOfWork, cursor: Cursor, final: Block, *, at: datetime
    ) -> None:
        observations = await work.chains.observed(
            cursor.chain,
            finality=(Finality.SEEN, Finality.SAFE),
            first=cursor.final.number + 1,
            last=final.number,
        )
        for observation in observations:
            await self._move(work, observation, Finality.FINAL)
        await self._crediting(cursor.chain).finalize(work, observations, at=at)

    async def _move(self, work: UnitOfWork, observation: Observation, now: Finality) -> None:
        moved = await work.chains.set_finality(observation.key, was=observation.finality, now=now)
        if not moved:
            raise AlreadyMoved(observation.key.transaction, observation.finality)

    async def _reread(self, work: UnitOfWork, cursor: Cursor) -> Cursor:
        """Return what another watcher has made of the cursor meanwhile; ours did nothing."""
        return await work.chains.cursor(cursor.chain) or cursor

    def _concluding(self, chain: ChainId) -> Concluding:
        return Concluding(self.begin, self.clock, self.ids, self.assets, self.places[chain])

    def _maturing(self, chain: ChainId) -> Maturing:
        ladder = self.ladders.get(chain, Ladder())
        places = self.places[chain]
        return Maturing(self.begin, places, ladder, self._memory, self.blocks_max)

    def _crediting(self, chain: ChainId) -> Crediting:
        places = self.places[chain]
        deposits = CustomerDeposits(self.ids, self.assets, places, self.deposit_minimums)
        return Crediting(self._recipients(chain), deposits)

    def _recipients(self, chain: ChainId) -> Recipients:
        return Recipients(self.assets, self.contracts, self.places[chain])
