"""What was read from chains and sent to them, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.rows import add, lock, save
from adapters.memory.turn import Turn
from domain.chains.model import EscrowPaid, Finality
from domain.intents import memos

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.chains.coverage import Stretch
    from domain.chains.model import Block, Cursor, Observation, ObservationKey
    from domain.chains.submissions import Submission
    from domain.shared.ids import EscrowId, SubmissionId
    from domain.shared.money import ChainId, Money


@attrs.frozen
class InMemoryChainRecords:
    """Cursors, recent blocks, observations, and our own transactions."""

    _turn: Turn

    async def lock_cursor(self, chain: ChainId) -> Cursor | None:
        """Return how far a chain has been read and keep others from moving that."""
        return await self.cursor(chain)

    async def cursor(self, chain: ChainId) -> Cursor | None:
        """Return how far a chain has been read, or None if it never was."""
        return (await self._turn.tables()).cursors.get(chain)

    async def save_cursor(self, cursor: Cursor) -> None:
        """Store how far a chain has been read."""
        (await self._turn.tables()).cursors.put(cursor.chain, cursor)

    async def remember(self, chain: ChainId, blocks: Sequence[Block]) -> None:
        """Keep the names of blocks that may still be replaced."""
        tables = await self._turn.tables()
        for block in blocks:
            tables.blocks.put((chain, block.number), (chain, block))

    async def remembered(
        self, chain: ChainId, *, first: int, last: int | None = None
    ) -> Sequence[Block]:
        """Return the kept blocks from a number on, or up to another, lowest first."""
        kept = [block for _, block in (await self._turn.tables()).blocks.where(chain=chain)]
        wanted = [it for it in kept if first <= it.number and (last is None or it.number <= last)]
        return sorted(wanted, key=lambda it: it.number)

    async def forget(self, chain: ChainId, *, before: int) -> None:
        """Drop kept blocks below a number: they are final."""
        tables = await self._turn.tables()
        for _, block in tables.blocks.where(chain=chain):
            if block.number < before:
                tables.blocks.remove((chain, block.number))

    async def cut(self, chain: ChainId, *, after: int) -> None:
        """Drop kept blocks above a number: the chain has replaced them."""
        tables = await self._turn.tables()
        for _, block in tables.blocks.where(chain=chain):
            if block.number > after:
                tables.blocks.remove((chain, block.number))

    async def cover(self, stretch: Stretch) -> None:
        """Store which blocks were read, in place of what was stored from the same first one."""
        (await self._turn.tables()).stretches.put((stretch.chain, stretch.first), stretch)

    async def covered(self, chain: ChainId, *, first: int) -> Sequence[Stretch]:
        """Return what was read of a chain from a block on, lowest first."""
        stretches = (await self._turn.tables()).stretches.where(chain=chain)
        return sorted((it for it in stretches if it.last >= first), key=lambda it: it.first)

    async def uncover(self, chain: ChainId, *, after: Block) -> None:
        """Shorten what was read to end with a block: what came after it is replaced."""
        tables = await self._turn.tables()
        for stretch in tables.stretches.where(chain=chain):
            if stretch.first > after.number:
                tables.stretches.remove((chain, stretch.first))
            elif stretch.last > after.number:
                shorter = attrs.evolve(stretch, last=after.number, last_hash=after.hash)
                tables.stretches.put((chain, stretch.first), shorter)

    async def claim(self, observation: Observation) -> bool:
        """Store an observation under its key; return False if the key is claimed already."""
        tables = await self._turn.tables()
        claimed = tables.observations.get(observation.key)
        if claimed is not None and claimed.finality is not Finality.RETRACTED:
            return False
        tables.observations.put(observation.key, observation)
        return True

    async def set_finality(self, key: ObservationKey, *, was: Finality, now: Finality) -> bool:
        """Move an observation on; return False if it was not where the caller thought."""
        tables = await self._turn.tables()
        observation = tables.observations.get(key)
        if observation is None or observation.finality is not was:
            return False
        tables.observations.put(key, attrs.evolve(observation, finality=now))
        return True

    async def observed(
        self, chain: ChainId, *, finality: Sequence[Finality], first: int, last: int
    ) -> Sequence[Observation]:
        """Return observations of blocks in a range, both ends included, in the chain's order."""
        observations = (await self._turn.tables()).observations
        found = [
            it
            for one in set(finality)
            for it in observations.where(standing=(chain, one))
            if first <= it.block.number <= last
        ]
        return sorted(found, key=_place)

    async def covered_since(
        self, chain: ChainId, *, at: datetime, limit: int
    ) -> Sequence[Stretch]:
        """Return what was read of a chain at a time or later, the highest blocks first."""
        stretches = (await self._turn.tables()).stretches.where(chain=chain)
        found = sorted((it for it in stretches if it.ended_at >= at), key=lambda it: -it.first)
        return found[:limit]

    async def paid_to(
        self, chain: ChainId, *, target: str, memo: str | None = None, limit: int
    ) -> Sequence[Observation]:
        """Return transfers to an address, with a memo if one is named, lowest blocks first."""
        found = [
            it
            for it in (await self._turn.tables()).observations.where(paid_to=(chain, target))
            if memo is None or memos.read(getattr(it.fact, "memo", None)) == memo
        ]
        return sorted(found, key=_place)[:limit]

    async def paid_into(self, escrow_id: EscrowId) -> Sequence[Observation]:
        """Return the payments into an escrow, lowest blocks first."""
        observations = (await self._turn.tables()).observations.where(escrow=escrow_id)
        return sorted((it for it in observations if isinstance(it.fact, EscrowPaid)), key=_place)

    async def paid_into_escrow(self, escrow_id: EscrowId) -> Money | None:
        """Return what was observed to be paid into an escrow, ours or not."""
        tables = await self._turn.tables()
        for observation in tables.observations.where(escrow=escrow_id):
            fact = observation.fact
            if isinstance(fact, EscrowPaid) and observation.finality is not Finality.RETRACTED:
                return fact.money
        return None

    async def add_submission(self, submission: Submission) -> None:
        """Store a new submission."""
        tables = await self._turn.tables()
        add(self._turn, "submission", tables.submissions, submission.id, submission)

    async def save_submission(self, submission: Submission) -> None:
        """Store a submission as it is now; only one that was locked in this unit of work."""
        tables = await self._turn.tables()
        save(self._turn, "submission", tables.submissions, submission.id, submission)

    async def lock_submission(self, submission_id: SubmissionId) -> Submission:
        """Return a submission and keep others from changing it."""
        tables = await self._turn.tables()
        return lock(self._turn, "submission", tables.submissions, submission_id)

    async def queued(self, chain: ChainId, *, limit: int) -> Sequence[Submission]:
        """Return submissions that are not signed yet, oldest first."""
        return await self._standing(chain, "queued", limit)

    async def in_flight(self, chain: ChainId, *, limit: int) -> Sequence[Submission]:
        """Return submissions whose bytes may be or come to be in a block, oldest first."""
        return await self._standing(chain, "in flight", limit)

    async def signed_from(
        self, chain: ChainId, *, sender: str, sequence: int, limit: int
    ) -> Sequence[Submission]:
        """Return submissions that have a sender's numbers from one on, ended or not, in order."""
        numbered = [
            (it.signed.sequence, it.created_at, it.id, it)
            for it in (await self._turn.tables()).submissions
            if it.signed and (it.chain, it.signed.sender) == (chain, sender)
        ]
        found = sorted(each for each in numbered if each[0] >= sequence)
        return [submission for *_, submission in found[:limit]]

    async def next_sequence(self, chain: ChainId, *, sender: str) -> int | None:
        """Return the number that would be given out next; None where none ever was."""
        return (await self._turn.tables()).sequences.get((chain, sender))

    async def take_sequence(self, chain: ChainId, *, sender: str, at_least: int) -> int:
        """Give out a sender's next sequence number, holding its counter until the end."""
        tables = await self._turn.tables()
        number = max(tables.sequences.get((chain, sender)) or 0, at_least)
        tables.sequences.put((chain, sender), number + 1)
        return number

    async def give_back_sequence(self, chain: ChainId, *, sender: str, sequence: int) -> None:
        """Give out a number again, and those above it."""
        tables = await self._turn.tables()
        if (tables.sequences.get((chain, sender)) or 0) > sequence:
            tables.sequences.put((chain, sender), sequence)

    async def _standing(self, chain: ChainId, group: str, limit: int) -> list[Submission]:
        found = (await self._turn.tables()).submissions.where(standing=(chain, group))
        return sorted(found, key=lambda it: (it.created_at, it.id))[:limit]


def _place(observation: Observation) -> tuple[int, int, str]:
    """Return what orders observations as the chain does."""
    return observation.block.number, observation.key.position, observation.key.transaction
