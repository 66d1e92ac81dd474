"""Instructions: what a transaction of ours is to do, in words that every chain understands."""

from __future__ import annotations

from typing import TypeAlias

import attrs

from domain.escrow.model import EscrowTerms
from domain.shared.ids import EscrowId, PayoutId, SweepId
from domain.shared.money import Money


@attrs.frozen
class SendMoney:
    """Pay an amount from the gateway's hot wallet to an address."""

    money: Money
    target: str


@attrs.frozen
class Part:
    """One payout of a batch."""

    payout_id: PayoutId
    send: SendMoney
    issue: int = 1
    """See ``Submission.issue``."""

    @property
    def purpose(self) -> str:
        """What a submission of it alone is for."""
        return self.payout_id

    @property
    def instruction(self) -> SendMoney:
        """What carries it out alone."""
        return self.send


@attrs.frozen
class SendMany:
    """Pay several payouts from the gateway's hot wallet by one transaction.

    Each of them succeeds or fails for itself; the network's fee is taken once, for all.
    """

    parts: tuple[Part, ...]
    """In an order that stays: a part is named by its place, from 0."""


@attrs.frozen
class ReleaseEscrow:
    """Have the contract pay the merchant."""

    terms: EscrowTerms
    due: bool = False
    """True where its time has come and nobody asked: such releases may share a transaction."""


@attrs.frozen
class Release:
    """One escrow of a batch."""

    escrow_id: EscrowId
    release: ReleaseEscrow
    issue: int = 1
    """See ``Submission.issue``."""

    @property
    def purpose(self) -> str:
        """What a submission of it alone is for."""
        return self.escrow_id

    @property
    def instruction(self) -> ReleaseEscrow:
        """What carries it out alone."""
        return self.release


@attrs.frozen
class ReleaseMany:
    """Have the contract pay the merchants of several escrows by one transaction.

    Each of them is released or left alone for itself; the network's fee is taken once, for all.
    """

    releases: tuple[Release, ...]
    """In an order that stays: an escrow is named by its place, from 0."""


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


@attrs.frozen
class SweptPlace:
    """One deposit address of a batch."""

    sweep_id: SweepId
    sweep: SweepDeposit
    """What the books say it holds; all that is there by then is moved."""


@attrs.frozen
class SweepMany:
    """Move the tokens of several deposit addresses, by one transaction of the hot wallet's.

    The addresses agree by their own keys, and pay nothing. Each of them succeeds or fails for
    itself; the network's fee is taken once, for all, from the hot wallet.
    """

    places: tuple[SweptPlace, ...]
    """In an order that stays: an address is named by its place, from 0."""


Instruction: TypeAlias = (
    SendMoney
    | SendMany
    | ReleaseEscrow
    | ReleaseMany
    | RefundEscrow
    | FundGas
    | SweepDeposit
    | SweepMany
)
