"""Submissions: our own transactions, from the wish to finality, each sent exactly once.

The order is write-ahead: the place in the wallet's sequence is taken, the bytes are signed and
stored, all in one database transaction; only then are they broadcast. Whoever finds a signed
submission later broadcasts the same bytes again, never new ones.
"""

from __future__ import annotations

import enum
from datetime import datetime, timedelta
from typing import TypeAlias

import attrs

from domain.escrow.model import EscrowTerms
from domain.shared.ids import SubmissionId
from domain.shared.money import ChainId, Money

UNKNOWN_AFTER = timedelta(minutes=10)
"""A transaction that is not in a block by then is nobody's guess any more."""


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


IN_FLIGHT = frozenset({SubmissionState.SIGNED, SubmissionState.BROADCAST, SubmissionState.UNKNOWN})
"""The states in which bytes of ours may be, or come to be, in a block."""

_NEXT = {
    SubmissionState.QUEUED: {SubmissionState.SIGNED, SubmissionState.REFUSED},
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
class SendMoney:
    """Pay an amount from the gateway's hot wallet to an address."""

    money: Money
    target: str


@attrs.frozen
class ReleaseEscrow:
    """Have the contract pay the merchant."""

    terms: EscrowTerms


@attrs.frozen
class RefundEscrow:
    """Have the contract pay the payer back."""

    terms: EscrowTerms


@attrs.frozen
class FundGas:
    """Give a deposit address the native coin that its own transaction will cost."""

    money: Money
    target: str


@attrs.frozen
class SweepDeposit:
    """Move tokens from a deposit address, by its own key, to the gateway's hot wallet."""

    money: Money
    source: str
    index: int
    """The address's place under the extended key."""


Instruction: TypeAlias = SendMoney | ReleaseEscrow | RefundEscrow | FundGas | SweepDeposit


@attrs.frozen
class SignedBytes:
    """A transaction ready to be broadcast: what exactly, under which name."""

    hash: str
    raw: bytes = attrs.field(repr=False)
    sender: str
    sequence: int
    """Its place among the sender's transactions: a nonce, a seqno, a query id."""


@attrs.frozen
class Inclusion:
    """Where a transaction of ours ended up, and what that cost."""

    hash: str
    block_number: int
    block_hash: str
    succeeded: bool
    cost: Money
    """The network's fee, taken whether it succeeded or not."""


@attrs.frozen
class Submission:
    """One transaction of ours."""

    id: SubmissionId
    chain: ChainId
    instruction: Instruction
    purpose: str
    """The object it is for: an escrow's, a payout's or a sweep's id."""
    created_at: datetime
    state: SubmissionState = SubmissionState.QUEUED
    signed: SignedBytes | None = None
    signed_at: datetime | None = None
    reason: str | None = None

    def sign(self, signed: SignedBytes, *, at: datetime) -> Submission:
        """Keep the bytes that will be sent, and no others, for ever."""
        return attrs.evolve(self._become(SubmissionState.SIGNED), signed=signed, signed_at=at)

    def refuse(self, *, reason: str) -> Submission:
        """End before anything was signed."""
        return attrs.evolve(self._become(SubmissionState.REFUSED), reason=reason)

    def broadcast(self) -> Submission:
        """Note that a node has taken the bytes."""
        return self._become(SubmissionState.BROADCAST)

    def lose(self, *, reason: str) -> Submission:
        """Note that nobody can tell what became of the bytes; they stay watched."""
        return attrs.evolve(self._become(SubmissionState.UNKNOWN), reason=reason)

    def conclude(self, inclusion: Inclusion) -> Submission:
        """End with the chain's final word.

        Raises:
            SubmissionTransitionRefused: nothing of it is in flight.
        """
        end = SubmissionState.CONFIRMED if inclusion.succeeded else SubmissionState.REVERTED
        if self.state not in IN_FLIGHT:
            raise SubmissionTransitionRefused(self.id, self.state, end)
        return attrs.evolve(self, state=end)

    def wants_broadcast(self, *, at: datetime) -> bool:
        """Tell whether the bytes should be handed to a node, for the first time or again."""
        if self.signed_at is None or self.state not in IN_FLIGHT:
            return False
        fresh = self.state is SubmissionState.SIGNED
        return fresh or at >= self.signed_at + BROADCAST_AGAIN_AFTER

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
