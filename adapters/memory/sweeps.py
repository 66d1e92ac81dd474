"""Sweeps and the holdings of deposit addresses, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.rows import add, lock, save
from adapters.memory.turn import Turn
from domain.intents.model import DepositAddress
from domain.shared.money import Money
from domain.sweeps.model import Holding, SweepState
from ports.unit_of_work import AlreadyExists

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from adapters.memory.store import Tables
    from domain.shared.ids import SweepId
    from domain.shared.money import AssetId, ChainId
    from domain.sweeps.model import Sweep


@attrs.frozen
class InMemorySweeps:
    """Sweeps, and the books' word on what each deposit address holds."""

    _turn: Turn

    async def add(self, sweep: Sweep) -> None:
        """Store a new sweep; its address must have no other that is open."""
        tables = await self._turn.tables()
        if sweep.is_open and any(it.is_open for it in _at(tables, sweep.chain, sweep.address)):
            self._turn.refuse(AlreadyExists("sweep", sweep.id))
        add(self._turn, "sweep", tables.sweeps, sweep.id, sweep)

    async def save(self, sweep: Sweep) -> None:
        """Store a sweep as it is now; only one that was locked in this unit of work."""
        save(self._turn, "sweep", (await self._turn.tables()).sweeps, sweep.id, sweep)

    async def lock(self, sweep_id: SweepId) -> Sweep:
        """Return a sweep and keep others from changing it."""
        return lock(self._turn, "sweep", (await self._turn.tables()).sweeps, sweep_id)

    async def open(self, chain: ChainId, *, limit: int) -> Sequence[Sweep]:
        """Return sweeps on a chain that are not at their end, oldest first."""
        found = (await self._turn.tables()).sweeps.where(open_on=chain)
        return sorted(found, key=lambda it: (it.created_at, it.id))[:limit]

    async def change_holding(self, chain: ChainId, address: str, by: Money) -> None:
        """Add to what a deposit address holds of an asset, or take from it."""
        held = await self.holding(chain, address, by.asset)
        (await self._turn.tables()).holdings.put((chain, address, by.asset), held + by)

    async def holding(self, chain: ChainId, address: str, asset: AssetId) -> Money:
        """Return what a deposit address holds of an asset, as far as it is final and booked."""
        holdings = (await self._turn.tables()).holdings
        return holdings.get((chain, address, asset)) or Money(0, asset)

    async def holdings(
        self, chain: ChainId, addresses: Sequence[str], asset: AssetId
    ) -> Mapping[str, Money]:
        """Return what each of many addresses holds of an asset, if it has ever held any."""
        holdings = (await self._turn.tables()).holdings
        found = {address: holdings.get((chain, address, asset)) for address in addresses}
        return {address: money for address, money in found.items() if money is not None}

    async def due(
        self,
        chain: ChainId,
        asset: AssetId,
        *,
        at_least: int,
        refused_before: datetime,
        limit: int,
        after: Holding | None = None,
    ) -> Sequence[Holding]:
        """Return what deposit addresses hold that is worth a sweep now, most first."""
        tables = await self._turn.tables()
        found = [
            Holding(chain, address, _index_of(tables, chain, address), money)
            for (on, address, held), money in tables.holdings.items()
            if (on, held) == (chain, asset) and money.amount >= at_least
            if not any(_bars(it, refused_before) for it in _at(tables, chain, address))
        ]
        if after is not None:
            found = [it for it in found if _rank(it) > _rank(after)]
        return sorted(found, key=_rank)[:limit]


def _rank(holding: Holding) -> tuple[int, str]:
    return -holding.money.amount, holding.address


def _bars(sweep: Sweep, refused_before: datetime) -> bool:
    lately = sweep.state is SweepState.REFUSED and sweep.changed_at >= refused_before
    return sweep.is_open or lately


def _at(tables: Tables, chain: ChainId, address: str) -> list[Sweep]:
    return tables.sweeps.where(address=(chain, address))


def _index_of(tables: Tables, chain: ChainId, address: str) -> int:
    for customer in tables.customer_addresses.where(address=address):
        return customer.index
    [intent] = tables.intents.where(address=(chain, address))
    if not isinstance(intent.pay_to, DepositAddress):
        raise TypeError(intent.pay_to)
    return intent.pay_to.index
