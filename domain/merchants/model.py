"""Merchants: whose money it is, and how they want it handled."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime

import attrs

from domain.fees.model import FeeSchedule
from domain.shared.ids import KeyId, MerchantId
from domain.shared.money import AssetId, ChainId, Money


class Verdict(enum.StrEnum):
    """What to do with money that is not what was asked for."""

    ACCEPT = "accept"
    """Take it for what was asked."""
    REVIEW = "review"
    """Keep it in suspense until the merchant decides."""


@attrs.frozen
class PaymentPolicy:
    """A merchant's rules for payments that are short, over or late."""

    underpaid_tolerance_bps: int = attrs.field(
        default=0, validator=[attrs.validators.ge(0), attrs.validators.le(500)]
    )
    """How much may be missing, in basis points of the amount due, for it to count as paid."""
    overpaid: Verdict = Verdict.ACCEPT
    late: Verdict = Verdict.REVIEW

    def enough(self, *, got: int, due: int) -> bool:
        """Tell whether an amount is as good as the amount due."""
        return got * 10_000 >= due * (10_000 - self.underpaid_tolerance_bps)


@attrs.frozen
class PayoutTerms:
    """Where a merchant is paid, and from which amount on."""

    destinations: Mapping[ChainId, str] = attrs.field(factory=dict)
    """The merchant's own address on each chain."""
    minimums: Mapping[AssetId, int] = attrs.field(factory=dict)
    """The smallest payout of an asset, in its smallest unit; 1 where none is set."""
    approval_above: Mapping[AssetId, int] = attrs.field(factory=dict)
    """Above this a person approves the settlement first; no limit where none is set."""

    def minimum(self, asset: AssetId) -> Money:
        """Return the smallest amount worth a payout."""
        return Money(self.minimums.get(asset, 1), asset)

    def needs_approval(self, money: Money) -> bool:
        """Tell whether a person has to approve a settlement of this size."""
        limit = self.approval_above.get(money.asset)
        return limit is not None and money.amount > limit


@attrs.frozen
class Merchant:
    """One who is paid through the gateway."""

    id: MerchantId
    name: str
    created_at: datetime
    fees: FeeSchedule
    payments: PaymentPolicy = attrs.field(factory=PaymentPolicy)
    payouts: PayoutTerms = attrs.field(factory=PayoutTerms)


@attrs.frozen
class ApiKey:
    """What is kept of an API key: enough to recognise it, not enough to use it."""

    id: KeyId
    merchant_id: MerchantId
    digest: bytes
    created_at: datetime
    revoked_at: datetime | None = None
