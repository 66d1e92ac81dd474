"""Settlements: what a merchant has earned, closed into one amount and paid out."""

from __future__ import annotations

import enum
from datetime import datetime

import attrs

from domain.shared.ids import HoldId, MerchantId, PayoutId, SettlementId
from domain.shared.money import Money


class SettlementState(enum.StrEnum):
    """Where a settlement stands."""

    OPEN = "open"
    READY = "ready"
    APPROVED = "approved"
    PAID_OUT = "paid_out"


@attrs.frozen
class SettlementTransitionRefused(Exception):
    """The settlement is not in a state from which it can go where it was told to."""

    id: SettlementId
    state: SettlementState
    wanted: SettlementState


_NEXT = {
    SettlementState.OPEN: SettlementState.READY,
    SettlementState.READY: SettlementState.APPROVED,
    SettlementState.APPROVED: SettlementState.PAID_OUT,
    SettlementState.PAID_OUT: None,
}


@attrs.frozen
class Settlement:
    """One amount of one asset owed to one merchant."""

    id: SettlementId
    merchant_id: MerchantId
    money: Money
    created_at: datetime
    hold_id: HoldId
    """The hold that sets the money aside, from the moment the settlement is closed."""
    state: SettlementState = SettlementState.OPEN
    payout_id: PayoutId | None = None
    """The newest payout; an earlier one was refused with proof."""

    def add(self, money: Money) -> Settlement:
        """Take in more, while the settlement is open.

        Raises:
            SettlementTransitionRefused: it has been closed.
        """
        if self.state is not SettlementState.OPEN:
            raise SettlementTransitionRefused(self.id, self.state, SettlementState.OPEN)
        return attrs.evolve(self, money=self.money + money)

    def close(self) -> Settlement:
        """Fix the amount; from here on it is ready to be approved."""
        return self._become(SettlementState.READY)

    def approve(self, *, payout_id: PayoutId) -> Settlement:
        """Allow the money to leave, by a rule or by a person."""
        return attrs.evolve(self._become(SettlementState.APPROVED), payout_id=payout_id)

    def try_again(self, *, payout_id: PayoutId) -> Settlement:
        """Pay by another payout, after the last one was refused with proof."""
        if self.state is not SettlementState.APPROVED:
            raise SettlementTransitionRefused(self.id, self.state, SettlementState.APPROVED)
        return attrs.evolve(self, payout_id=payout_id)

    def pay_out(self) -> Settlement:
        """End: the money has arrived, for good."""
        return self._become(SettlementState.PAID_OUT)

    def _become(self, state: SettlementState) -> Settlement:
        if _NEXT[self.state] is not state:
            raise SettlementTransitionRefused(self.id, self.state, state)
        return attrs.evolve(self, state=state)
