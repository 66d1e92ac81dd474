"""Holds: money set aside first, then posted or voided, and never left aside for ever."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from domain.ledger.accounts import Account
from domain.ledger.model import movement
from domain.shared.ids import HoldId
from domain.shared.money import Money

if TYPE_CHECKING:
    from domain.ledger.model import Transaction


class HoldState(enum.StrEnum):
    """Where a hold stands; all but ``pending`` are ends."""

    PENDING = "pending"
    POSTED = "posted"
    VOIDED = "voided"
    EXPIRED = "expired"


@attrs.frozen
class HoldNotPending(Exception):
    """The hold has already come to an end."""

    id: HoldId
    state: HoldState


@attrs.frozen
class HoldNotDue(Exception):
    """The hold's time is not over yet."""

    id: HoldId
    expires_at: datetime | None


@attrs.frozen
class Hold:
    """Money of one account set aside in another of the same owner."""

    id: HoldId
    reference: str
    source: Account
    aside: Account
    money: Money
    expires_at: datetime | None
    """When the hold lapses, or None where only its owner may end it (a signed payout)."""
    state: HoldState = HoldState.PENDING

    def reservation(self, *, at: datetime) -> Transaction:
        """Return the booking that sets the money aside."""
        return self._move("hold", self.source, self.aside, at)

    def post(self, *, target: Account, at: datetime) -> tuple[Hold, Transaction]:
        """Spend the money held on what it was held for.

        Raises:
            HoldNotPending: the hold has ended before.
        """
        return self._end(HoldState.POSTED), self._move("post", self.aside, target, at)

    def void(self, *, at: datetime) -> tuple[Hold, Transaction]:
        """Give the money back to where it came from.

        Raises:
            HoldNotPending: the hold has ended before.
        """
        return self._end(HoldState.VOIDED), self._move("void", self.aside, self.source, at)

    def expire(self, *, at: datetime) -> tuple[Hold, Transaction]:
        """Give the money back because the time is over.

        Raises:
            HoldNotPending: the hold has ended before.
            HoldNotDue: the time is not over, or has no end.
        """
        if self.expires_at is None or at < self.expires_at:
            raise HoldNotDue(self.id, self.expires_at)
        return self._end(HoldState.EXPIRED), self._move("void", self.aside, self.source, at)

    def _end(self, state: HoldState) -> Hold:
        if self.state is not HoldState.PENDING:
            raise HoldNotPending(self.id, self.state)
        return attrs.evolve(self, state=state)

    def _move(self, kind: str, source: Account, target: Account, at: datetime) -> Transaction:
        return movement(
            kind=kind,
            reference=self.reference,
            source=source,
            target=target,
            money=self.money,
            at=at,
        )
