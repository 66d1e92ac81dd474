"""A rate source that says what it is told to say."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from domain.intents.quotes import RateObservation
from ports.rates import RateUnavailable

if TYPE_CHECKING:
    from datetime import timedelta

    from domain.shared.money import Asset, AssetId
    from ports.clock import Clock


class FixedRates:
    """One place that says what assets are worth: ``rates.say(USDT, USD, "0.9998")``."""

    def __init__(self, *, name: str, clock: Clock) -> None:
        self.name = name
        self._clock = clock
        self._rates: dict[tuple[AssetId, AssetId], Decimal] = {}
        self._age: timedelta | None = None
        self._faults = 0

    async def observe(self, *, asset: Asset, currency: Asset) -> RateObservation:
        """Return what one whole unit of an asset is worth in whole units of a currency."""
        if self._faults:
            self._faults -= 1
            raise RateUnavailable(f"{self.name} did not answer")
        rate = self._rates.get((asset.id, currency.id))
        if rate is None:
            raise RateUnavailable(f"{self.name} has no rate of {asset.id} in {currency.id}")
        now = self._clock.now()
        return RateObservation(self.name, rate, now - self._age if self._age else now)

    def say(self, asset: Asset, currency: Asset, rate: str) -> None:
        """Give a rate from now on, written as a decimal number."""
        self._rates[asset.id, currency.id] = Decimal(rate)

    def fall_silent(self, asset: Asset, currency: Asset) -> None:
        """Have no rate for a pair any more."""
        self._rates.pop((asset.id, currency.id), None)

    def age_by(self, age: timedelta) -> None:
        """Give rates that were observed so long ago."""
        self._age = age

    def fail_next(self, calls: int = 1) -> None:
        """Give no answer to the next calls."""
        self._faults += calls
