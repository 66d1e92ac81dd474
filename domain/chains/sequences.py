"""Whose numbers they are: our own count of the hot wallet's transactions, against the chain's.

Ours is stored before anything is broadcast, so the chain's is never above it. Deposit addresses
are not held to that: their owner may empty one by hand.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from domain.chains.submissions import SubmissionState
from domain.chains.telling import keep
from domain.shared.money import ChainId
from ports.chain import ChainSender, ChainUnavailable
from ports.clock import Clock
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from domain.chains.submissions import SignedBytes, Submission

CHECK_EVERY = timedelta(minutes=5)
"""How often the counts are compared though nothing is signed."""

LOST_MAX = 64
"""How many transactions that a chain has lost are handed over again in one go."""


@attrs.frozen
class KeyUsedElsewhere(Exception):
    """The chain has seen more of the hot wallet's transactions than we have signed.

    Somebody else signs with its key, our books are older than they should be, or a node lies. The
    chain is parked. Who has explained these transactions resumes it with the number that is next.
    """

    chain: ChainId
    sender: str
    signed: int
    """The number that would have been ours next."""
    seen: int
    """The number that the chain expects next."""


@attrs.frozen
class Sequences:
    """Compares the counts of one chain's hot wallet."""

    begin: Begin
    clock: Clock
    sender: ChainSender

    async def next_of(self, sender: str) -> int:
        """Return the lowest number that a sender's next transaction may have, by the chain.

        Raises:
            ChainUnavailable: no node answered.
            KeyUsedElsewhere: it is higher than ours. The chain is parked.
        """
        seen = await self.sender.next_sequence(sender)
        if sender == self.sender.sender:
            async with self.begin() as work:
                ours = await work.chains.next_sequence(self.sender.chain, sender=sender)
            if ours is not None and seen > ours:
                await self._park(KeyUsedElsewhere(self.sender.chain, sender, ours, seen))
        return seen

    async def reconcile(self) -> int:
        """Compare the counts; hand over again what ended long ago and the chain lacks now.

        What is in flight is handed over anyway. Of what has ended, only the bytes that have had
        their effect may have it again.

        Returns:
            How many transactions a node has taken again.

        Raises:
            ChainUnavailable: no node answered.
            KeyUsedElsewhere: the chain's is higher than ours. The chain is parked.
        """
        sender = self.sender.sender
        seen = await self.next_of(sender)
        async with self.begin() as work:
            numbered = await work.chains.signed_from(
                self.sender.chain, sender=sender, sequence=seen, limit=LOST_MAX
            )
        return sum([await self._hand_over(submission) for submission in numbered])

    async def _hand_over(self, submission: Submission) -> bool:
        for signed in _effective(submission):
            try:
                await self.sender.broadcast(signed)
            except ChainUnavailable:
                continue
            return True
        return False

    async def _park(self, reason: KeyUsedElsewhere) -> None:
        """Stop the chain; what a node says of itself is not taken over."""
        async with self.begin() as work:
            cursor = await work.chains.lock_cursor(reason.chain)
            if cursor is not None:
                parked = f"{type(reason).__name__}: {reason}"
                at = self.clock.now()
                await keep(work, attrs.evolve(cursor, parked=parked), was=cursor, at=at)
                await work.commit()
        raise reason


def _effective(submission: Submission) -> list[SignedBytes]:
    """Return the bytes of an ended submission that were its end, newest first.

    None of one that was reverted: another time it might not be.
    """
    ends = {SubmissionState.CONFIRMED: False, SubmissionState.CANCELED: True}
    cancels = ends.get(submission.state)
    return [it for it in reversed(submission.attempts) if it.gapless and it.cancels is cancels]
