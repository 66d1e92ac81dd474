"""Sweeps of deposit addresses, and what these hold, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from domain.shared.ids import SweepId
    from domain.shared.money import AssetId, ChainId, Money
    from domain.sweeps.model import Holding, Sweep


class Sweeps(Protocol):
    """Sweeps, and the books' word on what each deposit address holds."""

    async def add(self, sweep: Sweep) -> None:
        """Store a new sweep.

        Raises:
            AlreadyExists: its address has an open sweep, or its id is taken.
        """
        ...

    async def save(self, sweep: Sweep) -> None:
        """Store a sweep as it is now; only one that was locked in this unit of work."""
        ...

    async def lock(self, sweep_id: SweepId) -> Sweep:
        """Return a sweep and keep others from changing it.

        Raises:
            NotFound: there is none.
        """
        ...

    async def open(self, chain: ChainId, *, limit: int) -> Sequence[Sweep]:
        """Return sweeps on a chain that are not at their end, oldest first."""
        ...

    async def change_holding(self, chain: ChainId, address: str, by: Money) -> None:
        """Add to what a deposit address holds of an asset, or take from it.

        Of a chain's coin it is all of it: what was paid, and gas of ours, less fees.
        """
        ...

    async def holding(self, chain: ChainId, address: str, asset: AssetId) -> Money:
        """Return what a deposit address holds of an asset, as far as it is final and booked."""
        ...

    async def holdings(
        self, chain: ChainId, addresses: Sequence[str], asset: AssetId
    ) -> Mapping[str, Money]:
        """Return what each of many addresses holds of an asset, if it has ever held any."""
        ...

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
        """Return what deposit addresses hold of an asset that is worth a sweep now, most first.

        It is ``at_least`` so many smallest units, and at an address that has no open sweep and
        none that was refused at ``refused_before`` or later. With ``after`` it is what follows
        that holding, in the same order.
        """
        ...
