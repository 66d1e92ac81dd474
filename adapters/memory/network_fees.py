"""A fee market in memory: what the network takes is what a test says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.network_fees.model import Kind, NetworkFees, Offer, Priority
from domain.shared.money import AssetId, ChainId, Money
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import Mapping

_COSTS = {Kind.TRANSFER: 21_000, Kind.PAYOUT: 65_000, Kind.SWEEP: 86_000}
_TIMES = {Priority.SLOW: 1, Priority.NORMAL: 2, Priority.FAST: 4}
_SECONDS = {Priority.SLOW: 120, Priority.NORMAL: 24, Priority.FAST: 12}


@attrs.define(eq=False)
class InMemoryFeeMarket:
    """Tells the same fees until told otherwise: fast costs four times what slow does."""

    chain: ChainId
    native: AssetId
    congestion_percent: int | None = 50
    _faults: int = attrs.field(default=0, init=False)

    async def fees(self, *, within_seconds: int | None = None) -> NetworkFees:
        """Return what to offer."""
        if self._faults:
            self._faults -= 1
            raise ChainUnavailable("no node answered")
        offers = [self._offer(str(priority), priority) for priority in Priority]
        if within_seconds is not None:
            enough = [it for it in Priority if _SECONDS[it] <= within_seconds]
            offers.append(self._offer("target", min(enough, default=Priority.FAST, key=_cost)))
        return NetworkFees(
            chain=self.chain,
            block=7,
            congestion_percent=self.congestion_percent,
            offers=tuple(offers),
        )

    def fail_next(self, calls: int = 1) -> None:
        """Have the next calls find no node that answers."""
        self._faults += calls

    def _offer(self, name: str, priority: Priority) -> Offer:
        costs: Mapping[Kind, Money] = {
            kind: Money(cost * _cost(priority), self.native) for kind, cost in _COSTS.items()
        }
        return Offer(name=name, wait_seconds=_SECONDS[priority], costs=costs)


def _cost(priority: Priority) -> int:
    return _TIMES[priority]
