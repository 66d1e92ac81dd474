"""Customers' own addresses, which stay, and what is paid to them: each transfer is a deposit."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

import attrs

from domain.chains.model import ObservationKey
from domain.customers.reach import Reach
from domain.fees.model import FeeSchedule
from domain.shared.ids import CustomerAddressId, DepositId, MerchantId
from domain.shared.money import Money


class DepositStatus(enum.StrEnum):
    """Where a deposit stands."""

    PENDING = "pending"
    """Seen; it may still be taken back."""
    SUCCEEDED = "succeeded"
    """Final, and credited to the merchant less the fee."""
    BELOW_MINIMUM = "below_minimum"
    """Final, and less than what is credited: it waits in suspense."""
    RETRACTED = "retracted"
    """The chain has taken another way. The transfer may come again."""


_NEXT = {
    DepositStatus.PENDING: {
        DepositStatus.SUCCEEDED,
        DepositStatus.BELOW_MINIMUM,
        DepositStatus.RETRACTED,
    },
    DepositStatus.SUCCEEDED: set(),
    DepositStatus.BELOW_MINIMUM: set(),
    DepositStatus.RETRACTED: {DepositStatus.PENDING},
}


@attrs.frozen
class DepositTransitionRefused(Exception):
    """The deposit is not in a state from which it can go where it was told to."""

    id: DepositId
    status: DepositStatus
    wanted: DepositStatus


@attrs.frozen(kw_only=True)
class CustomerAddress:
    """An address that belongs to one customer of a merchant's for good."""

    id: CustomerAddressId
    merchant_id: MerchantId
    customer: str
    """What the merchant calls the customer."""
    reach: Reach
    """The chains on which the address counts."""
    address: str
    index: int
    """Its place under the extended public key; no intent and no other customer has it."""
    created_at: datetime
    metadata: Mapping[str, str] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class Deposit:
    """One transfer to a customer's address."""

    id: DepositId
    merchant_id: MerchantId
    address_id: CustomerAddressId
    customer: str
    key: ObservationKey
    """Which transfer it is. No other deposit to this address has it, but for retracted ones."""
    source: str
    """Who paid; to be shown, and never what decides whose money it is."""
    address: str
    money: Money
    fees: FeeSchedule
    """The merchant's, as it was when the deposit was first seen."""
    paid_at: datetime
    """The time of its block."""
    created_at: datetime
    changed_at: datetime
    status: DepositStatus = DepositStatus.PENDING
    fee: int | None = None
    """What the platform has taken of it, smallest unit; None where it was not credited."""

    @property
    def net(self) -> int | None:
        """What the merchant was credited, smallest unit; None where nothing was."""
        return None if self.fee is None else self.money.amount - self.fee

    def succeed(self, *, at: datetime) -> Deposit:
        """Credit it, the fee computed once and kept."""
        return attrs.evolve(
            self._become(DepositStatus.SUCCEEDED, at=at), fee=self.fees.on(self.money).fee.amount
        )

    def set_aside(self, *, at: datetime) -> Deposit:
        """End it without a credit: it is less than what is worth one."""
        return self._become(DepositStatus.BELOW_MINIMUM, at=at)

    def retract(self, *, at: datetime) -> Deposit:
        """Take it back: its block is gone, and it was never booked."""
        return self._become(DepositStatus.RETRACTED, at=at)

    def reappear(
        self, key: ObservationKey, *, source: str, paid_at: datetime, at: datetime
    ) -> Deposit:
        """Show it again: its transaction is in another block, where it may have another place."""
        again = self._become(DepositStatus.PENDING, at=at)
        return attrs.evolve(again, key=key, source=source, paid_at=paid_at)

    def _become(self, status: DepositStatus, *, at: datetime) -> Deposit:
        """Move to another state.

        Raises:
            DepositTransitionRefused: there is no way there from here.
        """
        if status not in _NEXT[self.status]:
            raise DepositTransitionRefused(self.id, self.status, status)
        return attrs.evolve(self, status=status, changed_at=at)
