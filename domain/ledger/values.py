"""Values: what a posting was worth in the books' currency when it was booked."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import TYPE_CHECKING

import attrs

from domain.shared.money import AssetId, Money

if TYPE_CHECKING:
    from domain.shared.money import Asset

RATE_DIGITS = 30
"""Digits that a rate keeps behind the point: enough for one smallest unit of any asset."""

RATE_AGE_MAX = timedelta(minutes=15)
"""A rate that was observed longer ago values nothing any more."""

_EXACT = Context(prec=200, rounding=ROUND_HALF_EVEN)
"""Digits for any amount (78) times any rate, so that what is rounded is rounded once."""


@attrs.frozen
class BookRate:
    """What one smallest unit of an asset is worth, in smallest units of the books' currency."""

    asset: AssetId
    currency: AssetId
    per_unit: Decimal
    """Rounded half to even at ``RATE_DIGITS`` digits behind the point; more than nothing."""
    observed_at: datetime

    def value(self, money: Money) -> Money:
        """Return what an amount is worth, rounded half to even to the currency's smallest unit."""
        worth = _EXACT.multiply(Decimal(money.amount), self.per_unit)
        worth = _EXACT.quantize(worth, Decimal(1))
        return Money(int(worth), self.currency)


def book_rate(asset: Asset, currency: Asset, rate: Decimal, *, at: datetime) -> BookRate:
    """Turn the price of one whole unit into a rate between smallest units."""
    per_unit = _EXACT.scaleb(rate, currency.decimals - asset.decimals)
    per_unit = _EXACT.quantize(per_unit, Decimal(1).scaleb(-RATE_DIGITS))
    return BookRate(asset.id, currency.id, per_unit, at)
