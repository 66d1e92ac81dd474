"""Parked assets and checkpoints, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.turn import Turn

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.ledger.accounts import Account
    from domain.ledger.parking import ParkedAsset
    from domain.shared.money import AssetId


@attrs.frozen
class InMemoryParking:
    """Parked assets. Whoever is about to move money asks here first."""

    _turn: Turn

    async def park(self, parked: ParkedAsset) -> bool:
        """Park an asset; return False if it was parked already, and keep the first reason."""
        rows = (await self._turn.tables()).parked
        if parked.asset in rows:
            return False
        rows.put(parked.asset, parked)
        return True

    async def resume(self, asset: AssetId) -> bool:
        """Let an asset move again; return False if it was not parked."""
        rows = (await self._turn.tables()).parked
        if asset not in rows:
            return False
        rows.remove(asset)
        return True

    async def of(self, asset: AssetId) -> ParkedAsset | None:
        """Return why an asset is parked, or None where it moves."""
        return (await self._turn.tables()).parked.get(asset)

    async def all(self) -> Sequence[ParkedAsset]:
        """Return every parked asset, by its id."""
        return sorted((await self._turn.tables()).parked, key=lambda row: row.asset)

    async def checkpoint(self, account: Account, asset: AssetId, *, block: int) -> None:
        """Note that books and chain agreed after a block; never a lower one than before."""
        agreed = (await self._turn.tables()).agreed
        agreed.put((account, asset), max(block, agreed.get((account, asset)) or 0))

    async def last_agreed(self, account: Account, asset: AssetId) -> int | None:
        """Return the newest block after which books and chain agreed, or None."""
        return (await self._turn.tables()).agreed.get((account, asset))
