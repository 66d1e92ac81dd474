"""Use cases of network fees: what a chain takes now, and what that is worth."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from math import ceil
from typing import TYPE_CHECKING

import attrs

from domain.intents.quotes import NoRate, RateRules, trusted_rate
from domain.network_fees.model import ValuedFees
from domain.shared.money import AssetId, Assets, ChainId, Money
from ports.clock import Clock
from ports.network_fees import FeeMarket
from ports.rates import RateSource, RateUnavailable

if TYPE_CHECKING:
    from domain.intents.quotes import RateObservation
    from domain.shared.money import Asset


@attrs.frozen
class NoFeeMarket(Exception):
    """There is no such chain, or nobody bids for a place in its blocks."""

    chain: ChainId


@attrs.frozen
class NetworkFeeService:
    """Tells operators and merchants what the network takes."""

    clock: Clock
    markets: Mapping[ChainId, FeeMarket]
    assets: Assets
    rates: Sequence[RateSource]
    rules: RateRules
    currency: AssetId

    async def fees(self, *, chain: ChainId, within_seconds: int | None = None) -> ValuedFees:
        """Return a chain's fees.

        Raises:
            NoFeeMarket: none are known of this chain.
            ChainUnavailable: no node answered.
        """
        market = self.markets.get(chain)
        if market is None:
            raise NoFeeMarket(chain)
        fees = await market.fees(within_seconds=within_seconds)
        amounts = {money for offer in fees.offers for money in offer.costs.values()}
        return ValuedFees(fees=fees, values=await self._values(amounts))

    async def _values(self, amounts: set[Money]) -> Mapping[Money, Money]:
        coins = {money.asset for money in amounts} & self.assets.by_id.keys()
        if self.currency not in self.assets.by_id:
            return {}
        currency = self.assets.find(self.currency)
        values: dict[Money, Money] = {}
        for coin in sorted(coins):
            price = await self._price(self.assets.find(coin), currency)
            for money in amounts:
                if price is not None and money.asset == coin:
                    values[money] = Money(ceil(price * money.amount), currency.id)
        return values

    async def _price(self, coin: Asset, currency: Asset) -> Fraction | None:
        """Return what one smallest unit of a coin is worth, in smallest units of a currency."""
        observations: list[RateObservation] = []
        for source in self.rates:
            try:
                observations.append(await source.observe(asset=coin, currency=currency))
            except RateUnavailable:
                continue
        try:
            trusted = trusted_rate(
                asset=coin,
                currency=currency,
                observations=observations,
                rules=self.rules,
                at=self.clock.now(),
            )
        except NoRate:
            return None
        return Fraction(trusted.rate) * Fraction(10) ** (currency.decimals - coin.decimals)
