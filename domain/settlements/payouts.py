"""Payouts: one transfer to a merchant's own address, or back to a payer, sent exactly once."""

from __future__ import annotations

import enum
from datetime import datetime

import attrs

from domain.shared.ids import HoldId, MerchantId, PayoutId, SettlementId, SubmissionId
from domain.shared.money import Money


class PayoutState(enum.StrEnum):
    """Where a payout stands. ``unknown`` is resolved by evidence, never by a second try."""

    SCHEDULED = "scheduled"
    APPROVED = "approved"
    SIGNED = "signed"
    BROADCAST = "broadcast"
    UNKNOWN = "unknown"
    CONFIRMED = "confirmed"
    REFUSED = "refused"


_NEXT = {
    PayoutState.SCHEDULED: {PayoutState.APPROVED, PayoutState.REFUSED},
    PayoutState.APPROVED: {PayoutState.SIGNED, PayoutState.REFUSED},
    PayoutState.SIGNED: {
        PayoutState.BROADCAST,
        PayoutState.UNKNOWN,
        PayoutState.CONFIRMED,
        PayoutState.REFUSED,
        PayoutState.APPROVED,
    },
    PayoutState.BROADCAST: {
        PayoutState.UNKNOWN,
        PayoutState.CONFIRMED,
        PayoutState.REFUSED,
        PayoutState.APPROVED,
    },
    PayoutState.UNKNOWN: {
        PayoutState.BROADCAST,
        PayoutState.CONFIRMED,
        PayoutState.REFUSED,
        PayoutState.APPROVED,
    },
    PayoutState.CONFIRMED: set(),
    PayoutState.REFUSED: set(),
}


@attrs.frozen
class PayoutTransitionRefused(Exception):
    """The payout is not in a state from which it can go where it was told to."""

    id: PayoutId
    state: PayoutState
    wanted: PayoutState


@attrs.frozen
class Payout:
    """Money on its way to a merchant, or back to where it came from."""

    id: PayoutId
    settlement_id: SettlementId | None
    """What it pays; None where it gives back money that lay in suspense."""
    merchant_id: MerchantId | None
    """Whose money it is; None where it is no merchant's."""
    money: Money
    destination: str
    hold_id: HoldId
    created_at: datetime
    state: PayoutState = PayoutState.SCHEDULED
    submission_id: SubmissionId | None = None
    transaction: str | None = None
    """The name under which it went to the chain, once it was signed."""
    reason: str | None = None
    """Why it was refused, where it was."""

    def approve(self, *, submission_id: SubmissionId) -> Payout:
        """Let it be signed, as the submission named."""
        return attrs.evolve(self.become(PayoutState.APPROVED), submission_id=submission_id)

    def sign(self, *, transaction: str, submission_id: SubmissionId) -> Payout:
        """Note the name of the bytes that will be sent, and no others, and what carries it out."""
        signed = self.become(PayoutState.SIGNED)
        return attrs.evolve(signed, transaction=transaction, submission_id=submission_id)

    def approve_again(self, *, submission_id: SubmissionId, hold_id: HoldId) -> Payout:
        """Let it be signed anew: there is proof that what was signed will never take effect."""
        approved = self.become(PayoutState.APPROVED)
        return attrs.evolve(
            approved, submission_id=submission_id, hold_id=hold_id, transaction=None
        )

    def refuse(self, *, reason: str) -> Payout:
        """End it: there is proof that the money has not left and never will by this payout."""
        return attrs.evolve(self.become(PayoutState.REFUSED), reason=reason)

    def become(self, state: PayoutState) -> Payout:
        """Move to another state.

        Raises:
            PayoutTransitionRefused: there is no way there from here.
        """
        if state not in _NEXT[self.state]:
            raise PayoutTransitionRefused(self.id, self.state, state)
        return attrs.evolve(self, state=state)
