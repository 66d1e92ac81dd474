"""Chains as the gateway sees them: blocks, what happened in them, and how final that is."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TypeAlias

import attrs

from domain.shared.ids import EscrowId
from domain.shared.money import ChainId, Money


@attrs.frozen
class Block:
    """A block: its place, its name, and its parent's."""

    number: int
    hash: str
    parent: str
    time: datetime


@attrs.frozen
class Head:
    """How far a chain has come, by its own word; numbers of blocks."""

    latest: int
    safe: int
    final: int
    final_hash: str
    """The final block's name, by the same answer: another node may have another such number."""


class Finality(enum.StrEnum):
    """How sure an observation is. Only final money may be spent."""

    SEEN = "seen"
    SAFE = "safe"
    FINAL = "final"
    RETRACTED = "retracted"


MEMO_MAX = 128
"""How much of a memo is kept, in characters. Its sender may write what he likes."""


def _legible(memo: str | None) -> str | None:
    """Return a stranger's text as it can be stored and shown: one line, of printable characters.

    What is not printable becomes U+FFFD, so that it is seen that something stood there.
    """
    if memo is None:
        return None
    kept = memo.strip()[:MEMO_MAX]
    return "".join(each if each.isprintable() else "\ufffd" for each in kept)


@attrs.frozen
class Transfer:
    """Money moved from one address to another."""

    money: Money
    source: str
    target: str
    memo: str | None = attrs.field(default=None, converter=_legible)
    """What its sender wrote beside it, on a chain where one can."""


@attrs.frozen
class WalletCharged:
    """The network took coins from a wallet of ours, and no transaction of its own is the reason.

    On some chains who receives pays for it, and what stays there pays rent. What is told of, and
    left over, comes along with messages that are no payment: a cost below zero.
    """

    cost: Money
    wallet: str | None = None
    """A deposit wallet's address; None where it is the hot wallet."""


@attrs.frozen
class EscrowPaid:
    """The escrow contract has taken in a payment."""

    escrow_id: EscrowId
    reference: str
    payer: str
    money: Money


@attrs.frozen
class EscrowReleased:
    """The escrow contract has paid a merchant, less the fee it has credited to the platform."""

    escrow_id: EscrowId
    merchant_amount: int
    fee: int
    pushed: bool
    """False where the money could not be pushed and waits in the contract as a credit."""


@attrs.frozen
class EscrowRefunded:
    """The escrow contract has paid a payer back."""

    escrow_id: EscrowId
    amount: int
    pushed: bool


@attrs.frozen
class EscrowDisputed:
    """Somebody has objected; an arbiter decides."""

    escrow_id: EscrowId


@attrs.frozen
class EscrowResolved:
    """The arbiter has split a payment."""

    escrow_id: EscrowId
    payer_amount: int
    merchant_amount: int
    fee: int
    payer_pushed: bool
    merchant_pushed: bool


@attrs.frozen
class CreditWithdrawn:
    """Somebody has taken a credit out of the escrow contract."""

    account: str
    target: str
    money: Money


Fact: TypeAlias = (
    Transfer
    | WalletCharged
    | EscrowPaid
    | EscrowReleased
    | EscrowRefunded
    | EscrowDisputed
    | EscrowResolved
    | CreditWithdrawn
)


@attrs.frozen
class ObservationKey:
    """What makes an observation one of its kind: a chain event is credited once."""

    chain: ChainId
    transaction: str
    position: int
    """Its place in the transaction's or block's list of events."""


@attrs.frozen
class Observation:
    """One fact, where it was found, and how sure it is."""

    key: ObservationKey
    block: Block
    fact: Fact
    finality: Finality = Finality.SEEN


@attrs.frozen
class Scan:
    """What a range of blocks holds: every block's name, and the facts in the chain's order."""

    blocks: tuple[Block, ...]
    observations: tuple[Observation, ...]
    provider: str = ""
    """Who has shown this, where there are several who could."""


@attrs.frozen
class CoverageGap(Exception):
    """A range of the chain has not been read, so nothing can be said about it."""

    chain: ChainId
    expected: int
    got: int


@attrs.frozen
class FinalBlockReplaced(Exception):
    """The chain has replaced a block that it had called final. It is parked: a person looks."""

    chain: ChainId
    number: int


@attrs.frozen
class ChainParked(Exception):
    """Something on this chain cannot be right: it stops moving money until a person has looked."""

    chain: ChainId
    reason: str


@attrs.frozen
class Cursor:
    """How far a chain has been read without a gap, and how far what was read is final."""

    chain: ChainId
    first: int
    """The first block that was ever read."""
    seen: Block
    final: Block
    parked: str | None = None
    """Why nothing moves on this chain until a person has looked, or None where all is well."""
    gap: int | None = None
    """The lowest block that should have been read and was not; None where there is none."""

    @property
    def may_decide(self) -> bool:
        """Whether what was not seen did not happen: it is neither parked nor full of holes."""
        return self.parked is None and self.gap is None

    def must_move(self) -> None:
        """Refuse to move money on a chain that has been parked, or was not read without a gap.

        Raises:
            ChainParked: it has been parked.
            CoverageGap: blocks were left out.
        """
        self.must_not_be_parked()
        if self.gap is not None:
            raise CoverageGap(self.chain, self.gap, self.seen.number)

    def must_not_be_parked(self) -> None:
        """Refuse to go on with a chain that has been parked.

        Raises:
            ChainParked: it has.
        """
        if self.parked is not None:
            raise ChainParked(self.chain, self.parked)

    def advance(self, scan: Scan) -> Cursor:
        """Move over blocks that continue where the last reading ended.

        Raises:
            CoverageGap: they do not.
        """
        tip = self.seen
        for block in scan.blocks:
            if block.number != tip.number + 1 or block.parent != tip.hash:
                raise CoverageGap(self.chain, tip.number + 1, block.number)
            tip = block
        return attrs.evolve(self, seen=tip)
