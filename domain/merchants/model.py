"""Merchants: whose money it is, and how they want it handled."""

from __future__ import annotations

import enum
import ipaddress
from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

import attrs

from domain.fees.model import FeeSchedule
from domain.merchants.scopes import Scope, covers
from domain.shared.ids import KeyId, MerchantId
from domain.shared.modes import Mode
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
    """One account of who is paid through the gateway: for money of one mode."""

    id: MerchantId
    name: str
    created_at: datetime
    fees: FeeSchedule
    payments: PaymentPolicy = attrs.field(factory=PaymentPolicy)
    payouts: PayoutTerms = attrs.field(factory=PayoutTerms)
    mode: Mode = Mode.TEST
    """Which money this account is for. It never changes."""
    twin: MerchantId | None = None
    """The same merchant's account for money of the other mode, where there is one."""


Network: TypeAlias = ipaddress.IPv4Network | ipaddress.IPv6Network
Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address


@attrs.frozen
class ApiKey:
    """What is kept of an API key: enough to recognise it, not enough to use it."""

    id: KeyId
    merchant_id: MerchantId
    digest: bytes = attrs.field(repr=False)
    created_at: datetime
    revoked_at: datetime | None = None
    name: str = attrs.field(kw_only=True)
    """What the merchant calls it. While a key is replaced, two of one name are active."""
    masked: str = attrs.field(default="", kw_only=True)
    """The beginning and the end of the key, by which its owner knows it again."""
    scopes: frozenset[Scope] = attrs.field(default=frozenset({Scope.EVERYTHING}), kw_only=True)
    networks: tuple[Network, ...] = attrs.field(default=(), kw_only=True)
    """From where it may be used; from anywhere if none is named."""
    expires_at: datetime | None = attrs.field(default=None, kw_only=True)
    last_used_at: datetime | None = attrs.field(default=None, kw_only=True)
    """To within a minute."""
    root: KeyId | None = attrs.field(default=None, kw_only=True)
    """The key of an operator's from which it descends, itself perhaps; None where nobody knows."""

    @name.default
    def _name(self) -> str:
        return self.id

    def is_active(self, *, at: datetime) -> bool:
        """Tell whether it opens anything."""
        return self.revoked_at is None and not self.has_expired(at=at)

    def has_expired(self, *, at: datetime) -> bool:
        """Tell whether its time is over."""
        return self.expires_at is not None and at >= self.expires_at

    def may(self, scope: str) -> bool:
        """Tell whether it allows what a scope stands for."""
        return covers(self.scopes, scope)

    def admits(self, address: Address | None) -> bool:
        """Tell whether it may be used from an address; None is one that nobody knows."""
        if not self.networks:
            return True
        return address is not None and any(address in each for each in self.networks)

    def is_independent_of(self, other: ApiKey) -> bool:
        """Tell whether it is known that who has the other key has not made this one."""
        return self.root is not None and self.root != other.root

    def revoke(self, *, at: datetime) -> ApiKey:
        """Have it open nothing any more; one that was revoked stays as it is."""
        return self if self.revoked_at is not None else attrs.evolve(self, revoked_at=at)

    def expire(self, *, at: datetime) -> ApiKey:
        """Have it expire at a time, or earlier if it would anyway."""
        earlier = self.expires_at is not None and self.expires_at <= at
        return self if earlier else attrs.evolve(self, expires_at=at)


@attrs.frozen
class Caller:
    """Who has called, and by which key."""

    merchant: Merchant
    key: ApiKey
