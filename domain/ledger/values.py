"""Values: what a posting was worth in the books' currency when it was booked."""

from __future__ import annotations

from datetime import datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import TYPE_CHECKING

import attrs

from domain.shared.money import AssetId, Money

if TYPE_CHECKING:
    from domain.shared.money import Asset

RATE_DIGITS = 30
"""Digits that a rate keeps behind the point: enough for one smallest unit of any asset."""


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
        worth = (money.amount * self.per_unit).quantize(Decimal(1), rounding=ROUND_HALF_EVEN)
        return Money(int(worth), self.currency)


def book_rate(asset: Asset, currency: Asset, rate: Decimal, *, at: datetime) -> BookRate:
    """Turn the price of one whole unit into a rate between smallest units."""
    per_unit = rate.scaleb(currency.decimals - asset.decimals)
    return BookRate(asset.id, currency.id, round(per_unit, RATE_DIGITS), at)
