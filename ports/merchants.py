"""Merchants and their API keys, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.merchants.model import ApiKey, Merchant
    from domain.shared.ids import MerchantId


class Merchants(Protocol):
    """The merchants of this gateway."""

    async def add(self, merchant: Merchant) -> None:
        """Store a new merchant."""
        ...

    async def save(self, merchant: Merchant) -> None:
        """Store a merchant as it is now."""
        ...

    async def get(self, merchant_id: MerchantId) -> Merchant:
        """Return a merchant.

        Raises:
            NotFound: there is none.
        """
        ...

    async def all(self) -> Sequence[Merchant]:
        """Return every merchant, oldest first."""
        ...

    async def add_key(self, key: ApiKey) -> None:
        """Store what is kept of a new API key."""
        ...

    async def by_key(self, digest: bytes) -> Merchant | None:
        """Return the merchant whose unrevoked key has this digest, or None."""
        ...
