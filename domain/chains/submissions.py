"""Submissions: our own transactions, from the wish to finality, each sent exactly once.

The order is write-ahead: the place in the wallet's sequence is taken, the bytes are signed and
stored, all in one database transaction; only then are they broadcast. Whoever finds a signed
submission later broadcasts the same bytes again. Where they offer the network too little, others
are signed with the same number: of all of these one at most can come into a block, and all are
watched. Where a chain gives bytes a last moment, and a final block later than that has come
without them, they can never take effect: then, and only then, another submission may follow for
the same purpose.
"""

from __future__ import annotations

import enum
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import attrs

from domain.chains.instructions import (
    FundGas,
    Instruction,
    Part,
    RefundEscrow,
    ReleaseEscrow,
    ReleaseMany,
    SendMany,
    SendMoney,
    SweepDeposit,
    SweepMany,
)
from domain.shared.ids import EscrowId, PayoutId, SubmissionId, SweepId
from domain.shared.money import ChainId, Money

if TYPE_CHECKING:
    from domain.chains.instructions import Release

UNKNOWN_AFTER = timedelta(minutes=10)
"""A transaction that is not in a block by then is nobody's guess any more."""

ISSUES_MAX = 5
"""How often a purpose is tried of its own accord when its submissions expire, one by one."""

BROADCAST_AGAIN_AFTER = timedelta(seconds=30)
"""A node may have dropped what it took; the same bytes are handed over again after this."""


class SubmissionState(enum.StrEnum):
    """Where a submission stands."""

    QUEUED = "queued"
    SIGNED = "signed"
    BROADCAST = "broadcast"
    UNKNOWN = "unknown"
    CONFIRMED = "confirmed"
    REVERTED = "reverted"
    """Included and final, but without effect: proof that it did not happen."""
    REFUSED = "refused"
    """Never signed: the chain would not have it, as a trial run showed."""
    BATCHED = "batched"
    """Never signed: another submission carries it out, together with others."""
    EXPIRED = "expired"
    """Not included by its last moment, as a later final block proves: it will never be."""
    CANCELED = "canceled"
    """Bytes of ours that do nothing are final with its number: proof that it will never be."""


IN_FLIGHT = frozenset({SubmissionState.SIGNED, SubmissionState.BROADCAST, SubmissionState.UNKNOWN})
"""The states in which bytes of ours may be, or come to be, in a block."""

_NEXT = {
    SubmissionState.QUEUED: {
        SubmissionState.SIGNED,
        SubmissionState.REFUSED,
        SubmissionState.BATCHED,
    },
    SubmissionState.SIGNED: {SubmissionState.BROADCAST, SubmissionState.UNKNOWN},
    SubmissionState.BROADCAST: {SubmissionState.UNKNOWN},
    SubmissionState.UNKNOWN: {SubmissionState.BROADCAST},
}


@attrs.frozen
class SubmissionTransitionRefused(Exception):
    """The submission is not in a state from which it can go where it was told to."""

    id: SubmissionId
    state: SubmissionState
    wanted: SubmissionState


@attrs.frozen
class AnotherNumber(Exception):
    """What should replace a transaction has another number: both could come into blocks."""

    id: SubmissionId
    sequence: int
    other: int


@attrs.frozen
class SignedBytes:
    """A transaction ready to be broadcast: what exactly, under which name."""

    hash: str
    raw: bytes = attrs.field(repr=False)
    sender: str
    sequence: int
    """Its place among the sender's transactions: a nonce, a seqno, a query id."""
    valid_until: datetime | None = None
    """The last moment, by the time of blocks, at which it may come into one; None: any time."""
    gapless: bool = False
    """True where the chain takes the sender's numbers in without a gap: one that comes to nothing
    is used again, or none could follow. False where they come in any order, each used once."""
    cancels: bool = False
    """True where they do nothing but use up the number: what was asked for does not happen."""

    def lapsed(self, *, at: datetime) -> bool:
        """Tell whether it cannot come into a block of a time, nor into any later one."""
        return self.valid_until is not None and at > self.valid_until


@attrs.frozen
class Inclusion:
    """Where a transaction of ours ended up, and what that cost.

    On a chain where it sets off messages that travel on, the block is the one in which the last
    of them arrived.
    """

    hash: str
    block_number: int
    block_hash: str
    succeeded: bool
    cost: Money
    """The network's fee, taken whether it succeeded or not, and what a bounce has cost."""
    failed: frozenset[int] = frozenset()
    """The parts of a batch, by their places, that did not come to pass although it succeeded as
    a whole: their money has come back, or has never left."""
    settled: bool = True
    """False while messages that it has set off are under way: it is on the chain, and nobody can
    tell yet what it comes to."""
    landed: int | None = None
    """The block in which it began, where that is another one than the one in which it ended."""

    @property
    def shows_from(self) -> int:
        """The first block in which the chain may show something of it."""
        return self.block_number if self.landed is None else self.landed


@attrs.frozen
class Submission:
    """One transaction of ours."""

    id: SubmissionId
    chain: ChainId
    instruction: Instruction
    purpose: str
    """The object it is for: an escrow's, a payout's or a sweep's id; a batch's own id."""
    created_at: datetime
    state: SubmissionState = SubmissionState.QUEUED
    signed: SignedBytes | None = None
    signed_at: datetime | None = None
    reason: str | None = None
    issue: int = 1
    """Counts the submissions for one purpose: those before this one have expired."""
    earlier: tuple[SignedBytes, ...] = ()
    """What was signed with the same number before, oldest first: any may still be included."""
    signed_after: int | None = None
    """The newest block that had been read when its newest bytes were signed."""
    unwanted: bool = False
    """An operator has taken it back: if that can still be, it will not happen."""

    @property
    def attempts(self) -> tuple[SignedBytes, ...]:
        """All that was signed for it, oldest first; one of them at most comes into a block."""
        return self.earlier if self.signed is None else (*self.earlier, self.signed)

    @property
    def hashes(self) -> tuple[str, ...]:
        """The names of all that was signed for it, oldest first."""
        return tuple(attempt.hash for attempt in self.attempts)

    @property
    def parts(self) -> tuple[Part, ...]:
        """The payouts that it carries out: one, several, or none."""
        match self.instruction:
            case SendMoney() as send:
                return (Part(PayoutId(self.purpose), send, self.issue),)
            case SendMany(parts=parts):
                return parts
            case _:
                return ()

    @property
    def escrows(self) -> tuple[EscrowId, ...]:
        """The escrows that it asks for an end of: one, several, or none."""
        match self.instruction:
            case ReleaseEscrow() | RefundEscrow():
                return (EscrowId(self.purpose),)
            case ReleaseMany(releases=releases):
                return tuple(it.escrow_id for it in releases)
            case _:
                return ()

    @property
    def sweeps(self) -> tuple[SweepId, ...]:
        """The sweeps that it carries out, or pays for: one, several, or none."""
        match self.instruction:
            case FundGas() | SweepDeposit():
                return (SweepId(self.purpose),)
            case SweepMany(places=places):
                return tuple(it.sweep_id for it in places)
            case _:
                return ()

    def sign(self, signed: SignedBytes, *, at: datetime, after: int | None = None) -> Submission:
        """Keep the bytes that will be sent, for ever; ``after`` is the newest block read."""
        return attrs.evolve(
            self._become(SubmissionState.SIGNED), signed=signed, signed_at=at, signed_after=after
        )

    def replace(self, signed: SignedBytes, *, after: int | None) -> Submission:
        """Keep other bytes with the same number besides those that were signed before.

        Raises:
            SubmissionTransitionRefused: nothing of it is in flight.
            AnotherNumber: both could come into blocks.
        """
        if self.state not in IN_FLIGHT or self.signed is None:
            raise SubmissionTransitionRefused(self.id, self.state, SubmissionState.SIGNED)
        if (signed.sender, signed.sequence) != (self.signed.sender, self.signed.sequence):
            raise AnotherNumber(self.id, self.signed.sequence, signed.sequence)
        return attrs.evolve(self, earlier=self.attempts, signed=signed, signed_after=after)

    def take_back(self) -> Submission:
        """Note that it shall not happen, if that can still be.

        Raises:
            SubmissionTransitionRefused: it has ended, or another one carries it out.
        """
        if self.state is not SubmissionState.QUEUED and self.state not in IN_FLIGHT:
            raise SubmissionTransitionRefused(self.id, self.state, SubmissionState.CANCELED)
        return attrs.evolve(self, unwanted=True)

    def refuse(self, *, reason: str) -> Submission:
        """End before anything was signed."""
        return attrs.evolve(self._become(SubmissionState.REFUSED), reason=reason)

    def join(self, batch: SubmissionId) -> Submission:
        """End before anything was signed for it alone: a batch carries it out."""
        return attrs.evolve(self._become(SubmissionState.BATCHED), reason=f"part of {batch}")

    def broadcast(self) -> Submission:
        """Note that a node has taken the bytes."""
        return self._become(SubmissionState.BROADCAST)

    def lose(self, *, reason: str) -> Submission:
        """Note that nobody can tell what became of the bytes; they stay watched."""
        return attrs.evolve(self._become(SubmissionState.UNKNOWN), reason=reason)

    def conclude(self, inclusion: Inclusion) -> Submission:
        """End with the chain's final word.

        Raises:
            SubmissionTransitionRefused: nothing of it is in flight, or the word is not final.
        """
        end = SubmissionState.CONFIRMED if inclusion.succeeded else SubmissionState.REVERTED
        if any(it.cancels for it in self.attempts if it.hash == inclusion.hash):
            end = SubmissionState.CANCELED
        if self.state not in IN_FLIGHT or not inclusion.settled:
            raise SubmissionTransitionRefused(self.id, self.state, end)
        return attrs.evolve(self, state=end)

    def expire(self, *, at: datetime) -> Submission:
        """End because it can never come into a block any more.

        ``at`` is the time of a final block in which and before which it was not included.

        Raises:
            SubmissionTransitionRefused: nothing of it is in flight, or its time is not over.
        """
        if self.state not in IN_FLIGHT or not self.lapsed(at=at):
            raise SubmissionTransitionRefused(self.id, self.state, SubmissionState.EXPIRED)
        return attrs.evolve(self, state=SubmissionState.EXPIRED, reason="in no block in time")

    def again(
        self, *, id: SubmissionId, at: datetime, part: Part | Release | None = None
    ) -> Submission | None:
        """Return another submission for the same purpose, or None after so many in vain.

        None follows one that was taken back either. Of a batch, each part follows by itself.

        Raises:
            SubmissionTransitionRefused: there is no proof that this one will never take effect.
        """
        if self.state is not SubmissionState.EXPIRED:
            raise SubmissionTransitionRefused(self.id, self.state, SubmissionState.QUEUED)
        issue = part.issue if part else self.issue
        if issue >= ISSUES_MAX or self.unwanted:
            return None
        return Submission(
            id=id,
            chain=self.chain,
            instruction=part.instruction if part else self.instruction,
            purpose=part.purpose if part else self.purpose,
            created_at=at,
            issue=issue + 1,
        )

    def wants_broadcast(self, *, at: datetime) -> bool:
        """Tell whether the bytes should be handed to a node, for the first time or again."""
        if self.signed_at is None or self.state not in IN_FLIGHT or self.lapsed(at=at):
            return False
        fresh = self.state is SubmissionState.SIGNED
        return fresh or at >= self.signed_at + BROADCAST_AGAIN_AFTER

    def lapsed(self, *, at: datetime) -> bool:
        """Tell whether nothing that was signed for it can come into a block from a time on."""
        return bool(self.attempts) and all(attempt.lapsed(at=at) for attempt in self.attempts)

    def overdue(self, *, at: datetime) -> bool:
        """Tell whether it has been in flight for so long that somebody should look."""
        return (
            self.state in {SubmissionState.SIGNED, SubmissionState.BROADCAST}
            and self.signed_at is not None
            and at >= self.signed_at + UNKNOWN_AFTER
        )

    def _become(self, state: SubmissionState) -> Submission:
        if state not in _NEXT.get(self.state, set()):
            raise SubmissionTransitionRefused(self.id, self.state, state)
        return attrs.evolve(self, state=state)
