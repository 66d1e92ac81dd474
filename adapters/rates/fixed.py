"""Rates by the operator's own word, for stablecoins and demos."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING

import attrs

from domain.intents.quotes import RateObservation
from domain.shared.money import AssetId
from ports.clock import Clock
from ports.rates import RateUnavailable

if TYPE_CHECKING:
    from domain.shared.money import Asset


@attrs.frozen
class FixedRates:
    """A source that always says the same, as of now."""

    name: str
    clock: Clock
    rates: Mapping[tuple[AssetId, AssetId], Decimal]
    """By asset and currency: what one whole unit is worth."""

    async def observe(self, *, asset: Asset, currency: Asset) -> RateObservation:
        """Return the rate that was written down.

        Raises:
            RateUnavailable: none was, for this pair.
        """
        rate = self.rates.get((asset.id, currency.id))
        if rate is None:
            raise RateUnavailable(f"{self.name}: {asset.id} in {currency.id}")
        return RateObservation(source=self.name, rate=rate, observed_at=self.clock.now())
