"""What has been parked, assets that move no money until a person has looked, and checkpoints."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.ledger.accounts import Account
    from domain.ledger.parking import ParkedAsset
    from domain.shared.money import AssetId


class Parking(Protocol):
    """Parked assets. Whoever is about to move money asks here first, in the same transaction."""

    async def park(self, parked: ParkedAsset) -> bool:
        """Park an asset; return False if it was parked already, and keep the first reason."""
        ...

    async def resume(self, asset: AssetId) -> bool:
        """Let an asset move again; return False if it was not parked."""
        ...

    async def of(self, asset: AssetId) -> ParkedAsset | None:
        """Return why an asset is parked, or None where it moves."""
        ...

    async def all(self) -> Sequence[ParkedAsset]:
        """Return every parked asset, by its id."""
        ...

    async def checkpoint(self, account: Account, asset: AssetId, *, block: int) -> None:
        """Note that books and chain agreed after a block: one row an account and asset.

        A lower block than the one that is noted changes nothing.
        """
        ...

    async def last_agreed(self, account: Account, asset: AssetId) -> int | None:
        """Return the newest block after which books and chain agreed, or None if none is noted."""
        ...
