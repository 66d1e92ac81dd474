"""Changes of payout destinations, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.destinations.model import DestinationChange
    from domain.shared.ids import DestinationChangeId, MerchantId


class PayoutDestinations(Protocol):
    """Every change that merchants have asked for. What is effective is kept with the merchant."""

    async def add(self, change: DestinationChange) -> None:
        """Store a new change.

        Raises:
            AlreadyExists: the merchant has an open one on the chain. This may be raised as late
                as at the commit.
        """
        ...

    async def save(self, change: DestinationChange) -> None:
        """Store a locked change as it is now."""
        ...

    async def get(
        self, change_id: DestinationChangeId, *, owner: MerchantId | None
    ) -> DestinationChange:
        """Return a change; ``None`` stands for any merchant's.

        Raises:
            NotFound: the merchant has none of that name.
        """
        ...

    async def lock(self, change_id: DestinationChangeId) -> DestinationChange:
        """Return a change, locked to be saved.

        Raises:
            NotFound: there is none.
        """
        ...

    async def open_of(self, owner: MerchantId) -> Sequence[DestinationChange]:
        """Return a merchant's open changes, by chain."""
        ...

    async def list(self, *, owner: MerchantId, limit: int) -> Sequence[DestinationChange]:
        """Return a merchant's changes, the newest first."""
        ...

    async def due(self, *, at: datetime, limit: int) -> Sequence[DestinationChange]:
        """Return open changes whose deadline has come: to lapse, or to become effective."""
        ...
