"""Prices: what an intent is worth in the currency of a country, and how much that may be."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.shared.money import AssetId

if TYPE_CHECKING:
    from domain.shared.money import Asset

PRICE_MAX = 10**12
"""The highest price of one intent, in the currency's smallest unit (ten thousand million USD)."""


@attrs.frozen
class PriceOutOfRange(ValueError):
    """A price is more than nothing and at most ``PRICE_MAX`` of a currency's smallest units."""

    amount: int


@attrs.frozen
class NotACurrency(ValueError):
    """Prices are in the currency of a country."""

    asset: AssetId


def must_be_currency(asset: Asset) -> None:
    """See to it that prices can be in an asset.

    Raises:
        NotACurrency: it is none of a country.
    """
    if not asset.id.startswith("iso4217:"):
        raise NotACurrency(asset.id)


def must_be_price(amount: int) -> None:
    """See to it that somebody can ask for so much.

    Raises:
        PriceOutOfRange: it is nothing, less, or too much.
    """
    if not 0 < amount <= PRICE_MAX:
        raise PriceOutOfRange(amount)
