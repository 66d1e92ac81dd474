"""What the gateway has read from chains and sent to them, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.chains.coverage import Stretch
    from domain.chains.model import Block, Cursor, Finality, Observation, ObservationKey
    from domain.chains.submissions import Submission
    from domain.shared.ids import EscrowId, SubmissionId
    from domain.shared.money import ChainId, Money


class ChainRecords(Protocol):
    """Cursors, recent blocks, observations, and our own transactions."""

    async def lock_cursor(self, chain: ChainId) -> Cursor | None:
        """Return how far a chain has been read and keep others from moving that."""
        ...

    async def cursor(self, chain: ChainId) -> Cursor | None:
        """Return how far a chain has been read, or None if it never was."""
        ...

    async def save_cursor(self, cursor: Cursor) -> None:
        """Store how far a chain has been read."""
        ...

    async def remember(self, chain: ChainId, blocks: Sequence[Block]) -> None:
        """Keep the names of blocks that may still be replaced."""
        ...

    async def remembered(
        self, chain: ChainId, *, first: int, last: int | None = None
    ) -> Sequence[Block]:
        """Return the kept blocks from a number on, or up to another, lowest first."""
        ...

    async def forget(self, chain: ChainId, *, before: int) -> None:
        """Drop kept blocks below a number: they are final."""
        ...

    async def cut(self, chain: ChainId, *, after: int) -> None:
        """Drop kept blocks above a number: the chain has replaced them."""
        ...

    async def cover(self, stretch: Stretch) -> None:
        """Store which blocks were read, in place of what was stored from the same first one."""
        ...

    async def covered(self, chain: ChainId, *, first: int) -> Sequence[Stretch]:
        """Return what was read of a chain from a block on, lowest first."""
        ...

    async def uncover(self, chain: ChainId, *, after: Block) -> None:
        """Shorten what was read to end with a block: what came after it is replaced."""
        ...

    async def claim(self, observation: Observation) -> bool:
        """Store an observation under its key; return False if the key is claimed already.

        A key whose observation was retracted can be claimed again: the chain has put the same
        transaction into another block.
        """
        ...

    async def set_finality(self, key: ObservationKey, *, was: Finality, now: Finality) -> bool:
        """Move an observation on; return False if it was not where the caller thought."""
        ...

    async def observed(
        self, chain: ChainId, *, finality: Sequence[Finality], first: int, last: int
    ) -> Sequence[Observation]:
        """Return observations of blocks in a range, both ends included, in the chain's order."""
        ...

    async def covered_since(
        self, chain: ChainId, *, at: datetime, limit: int
    ) -> Sequence[Stretch]:
        """Return what was read of a chain at a time or later, the highest blocks first."""
        ...

    async def paid_to(
        self, chain: ChainId, *, target: str, memo: str | None = None, limit: int
    ) -> Sequence[Observation]:
        """Return transfers to an address, lowest blocks first; with a memo, only those of it.

        The memo is one as it was issued; what its payer made of it is read as that one.
        """
        ...

    async def paid_into(self, escrow_id: EscrowId) -> Sequence[Observation]:
        """Return the payments into an escrow, lowest blocks first."""
        ...

    async def paid_into_escrow(self, escrow_id: EscrowId) -> Money | None:
        """Return what was seen to be paid into an escrow, ours or not, and is not retracted."""
        ...

    async def add_submission(self, submission: Submission) -> None:
        """Store a new submission."""
        ...

    async def save_submission(self, submission: Submission) -> None:
        """Store a submission as it is now; only one that was locked in this unit of work."""
        ...

    async def lock_submission(self, submission_id: SubmissionId) -> Submission:
        """Return a submission and keep others from changing it.

        Raises:
            NotFound: there is none.
        """
        ...

    async def queued(self, chain: ChainId, *, limit: int) -> Sequence[Submission]:
        """Return submissions that are not signed yet, oldest first."""
        ...

    async def in_flight(self, chain: ChainId, *, limit: int) -> Sequence[Submission]:
        """Return submissions whose bytes may be or come to be in a block, oldest first."""
        ...

    async def signed_from(
        self, chain: ChainId, *, sender: str, sequence: int, limit: int
    ) -> Sequence[Submission]:
        """Return submissions that have a sender's numbers from one on, ended or not, in order."""
        ...

    async def next_sequence(self, chain: ChainId, *, sender: str) -> int | None:
        """Return the number that would be given out next; None where none ever was."""
        ...

    async def take_sequence(self, chain: ChainId, *, sender: str, at_least: int) -> int:
        """Give out a sender's next sequence number, holding its counter until the end.

        ``at_least`` is the chain's own count: the counter never gives out a lower one. Numbers
        that are given out by a unit of work which does not commit are given out again.
        """
        ...

    async def give_back_sequence(self, chain: ChainId, *, sender: str, sequence: int) -> None:
        """Give out a number again, and those above it, as from here the chain takes none but it.

        Only of a sender whose numbers have no gaps (``SignedBytes.gapless``), and only one of
        which a final block proves that it never took effect and that its bytes never will.
        """
        ...
