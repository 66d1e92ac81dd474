"""Quotes: how much of an asset is worth a price, kept with all that it was computed from."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from math import ceil
from statistics import median
from typing import TYPE_CHECKING, ClassVar

import attrs

from domain.fees.model import BPS
from domain.shared.ids import MerchantId, QuoteId
from domain.shared.money import AssetId, AssetMismatch, Money

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.shared.money import Asset

LOCK_MAX = timedelta(minutes=5)
"""The longest time a rate may be promised."""


@attrs.frozen
class NoRate(Exception):
    """There is no rate that could be trusted, so there is no quote. Try again later."""

    retry_after_seconds: ClassVar = 10

    asset: AssetId
    currency: AssetId
    reason: str


@attrs.frozen
class QuoteExpired(Exception):
    """The rate was promised until a time that is over."""

    id: QuoteId
    expired_at: datetime


@attrs.frozen
class RateObservation:
    """What one source said one whole unit of an asset is worth, in whole units of a currency."""

    source: str
    rate: Decimal
    observed_at: datetime


@attrs.frozen
class RateRules:
    """When rates are trusted."""

    sources_min: int = 3
    age_max: timedelta = timedelta(minutes=2)
    deviation_max_bps: int = 100
    """How far a source may lie from the median before it no longer counts."""
    peg_band_bps: int = 200
    """How far a stablecoin may lie from its peg before it is no longer quoted."""
    lock: timedelta = attrs.field(default=LOCK_MAX, validator=attrs.validators.le(LOCK_MAX))


@attrs.frozen
class Quote:
    """A promise to take ``due`` for ``price`` until ``expires_at``; recomputable from itself."""

    id: QuoteId
    merchant_id: MerchantId
    price: Money
    due: Money
    rate: Decimal
    spread_bps: int
    """From the lowest to the highest source that counted, in basis points, rounded up."""
    sources: tuple[RateObservation, ...]
    created_at: datetime
    expires_at: datetime

    def must_be_fresh(self, *, at: datetime) -> None:
        """Refuse a quote whose time is over.

        Raises:
            QuoteExpired: it is.
        """
        if at >= self.expires_at:
            raise QuoteExpired(self.id, self.expires_at)


@attrs.frozen
class TrustedRate:
    """The median of what enough fresh sources agree on."""

    rate: Decimal
    sources: tuple[RateObservation, ...]
    """Those that counted."""

    @property
    def spread_bps(self) -> int:
        """From the lowest to the highest source that counted, in basis points, rounded up."""
        low, high = min(o.rate for o in self.sources), max(o.rate for o in self.sources)
        return ceil(Fraction(high - low) * BPS / Fraction(low))


def trusted_rate(
    *,
    asset: Asset,
    currency: Asset,
    observations: Sequence[RateObservation],
    rules: RateRules,
    at: datetime,
) -> TrustedRate:
    """Return what one whole unit of an asset is worth by sources that are fresh and agree.

    Raises:
        NoRate: there are too few of them, or a stablecoin has left its peg.
    """

    def refuse(reason: str) -> NoRate:
        return NoRate(asset.id, currency.id, reason)

    fresh = _fresh(observations, rules=rules, at=at)
    if len(fresh) < rules.sources_min:
        raise refuse(f"{len(fresh)} fresh sources of {rules.sources_min}")
    middle = median(o.rate for o in fresh)
    agreeing = tuple(o for o in fresh if _within(o.rate, middle, bps=rules.deviation_max_bps))
    if len(agreeing) < rules.sources_min:
        raise refuse("sources disagree")
    rate = median(o.rate for o in agreeing)
    if asset.peg == currency.id and not _within(rate, Decimal(1), bps=rules.peg_band_bps):
        raise refuse("off its peg")
    return TrustedRate(rate, agreeing)


def quote(
    *, id: QuoteId, merchant_id: MerchantId, price: Money, currency: Asset, asset: Asset,
    observations: Sequence[RateObservation], rules: RateRules, at: datetime,
) -> Quote:  # fmt: skip
    """Price an asset by the median of its sources; the amount due is rounded up.

    Raises:
        NoRate: too few sources are fresh and agree, or a stablecoin has left its peg.
    """
    if price.asset != currency.id:
        raise AssetMismatch(expected=currency.id, got=price.asset)
    trusted = trusted_rate(
        asset=asset, currency=currency, observations=observations, rules=rules, at=at
    )
    return Quote(
        id=id,
        merchant_id=merchant_id,
        price=price,
        due=asset.round_up(currency.units(price.amount) / Fraction(trusted.rate)),
        rate=trusted.rate,
        spread_bps=trusted.spread_bps,
        sources=trusted.sources,
        created_at=at,
        expires_at=at + rules.lock,
    )


def _fresh(
    observations: Sequence[RateObservation], *, rules: RateRules, at: datetime
) -> list[RateObservation]:
    """Return one usable observation a source; a time far ahead is as wrong as one long past."""
    usable = {
        observation.source: observation
        for observation in observations
        if abs(at - observation.observed_at) <= rules.age_max
        and observation.rate.is_finite()
        and observation.rate > 0
    }
    return list(usable.values())


def _within(one: Decimal, other: Decimal, *, bps: int) -> bool:
    """Tell whether two rates are at most so far apart, in basis points of the second.

    Computed in whole numbers, which is exact and costs a tenth of fractions.
    """
    a, b = one.as_integer_ratio()
    c, d = other.as_integer_ratio()
    return abs(a * d - c * b) * BPS <= bps * c * b
