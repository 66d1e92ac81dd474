"""Use cases of valuation: what is booked is worth something in the books' currency, or nothing."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from domain.intents.quotes import NoRate, RateRules, trusted_rate
from domain.ledger.values import book_rate
from domain.shared.money import AssetId, Assets
from ports.clock import Clock
from ports.rates import RateSource, RateUnavailable
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from domain.intents.quotes import RateObservation
    from domain.ledger.values import BookRate
    from domain.shared.money import Asset

log = logging.getLogger(__name__)


@attrs.frozen
class Valuation:
    """Keeps the rates by which postings are valued, by the rules by which quotes are made."""

    begin: Begin
    clock: Clock
    assets: Assets
    rates: Sequence[RateSource]
    rules: RateRules
    currency: AssetId

    async def keep_rates(self) -> Sequence[BookRate]:
        """Keep a rate for each asset that has one to be trusted; return those kept.

        An asset without one is booked without a value as soon as its last rate is too old.

        Raises:
            UnknownAsset: the books' currency is not on the allow-list.
        """
        currency = self.assets.find(self.currency)
        found = []
        for asset in self.assets.by_id.values():
            rate = await self._rate(asset, currency) if asset.id != currency.id else None
            if rate is not None:
                found.append(rate)
        if found:
            async with self.begin() as work:
                for rate in found:
                    await work.ledger.keep_rate(rate)
                await work.commit()
        return found

    async def _rate(self, asset: Asset, currency: Asset) -> BookRate | None:
        observations = await self._observe(asset, currency)
        at = self.clock.now()
        try:
            trusted = trusted_rate(
                asset=asset,
                currency=currency,
                observations=observations,
                rules=self.rules,
                at=at,
            )
        except NoRate as none:
            if observations:
                log.warning("%s has no value in the books: %s", asset.id, none.reason)
            return None
        rate = book_rate(asset, currency, trusted.rate, at=at)
        return rate if rate.per_unit else None

    async def _observe(self, asset: Asset, currency: Asset) -> list[RateObservation]:
        observations = []
        for source in self.rates:
            try:
                observations.append(await source.observe(asset=asset, currency=currency))
            except RateUnavailable:
                continue
        return observations
