"""Merchants and their API keys, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.rows import add, find
from adapters.memory.turn import Turn
from ports.unit_of_work import AlreadyExists

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.merchants.model import ApiKey, Merchant
    from domain.shared.ids import MerchantId


@attrs.frozen
class InMemoryMerchants:
    """The merchants of this gateway."""

    _turn: Turn

    async def add(self, merchant: Merchant) -> None:
        """Store a new merchant."""
        tables = await self._turn.tables()
        add(self._turn, "merchant", tables.merchants, merchant.id, merchant)

    async def save(self, merchant: Merchant) -> None:
        """Store a merchant as it is now."""
        tables = await self._turn.tables()
        find("merchant", tables.merchants, merchant.id)
        tables.merchants.put(merchant.id, merchant)

    async def get(self, merchant_id: MerchantId) -> Merchant:
        """Return a merchant."""
        return find("merchant", (await self._turn.tables()).merchants, merchant_id)

    async def all(self) -> Sequence[Merchant]:
        """Return every merchant, oldest first."""
        tables = await self._turn.tables()
        return sorted(tables.merchants, key=lambda it: (it.created_at, it.id))

    async def add_key(self, key: ApiKey) -> None:
        """Store what is kept of a new API key."""
        tables = await self._turn.tables()
        if tables.api_keys.where(digest=key.digest):
            self._turn.refuse(AlreadyExists("key", key.id))
        add(self._turn, "key", tables.api_keys, key.id, key)

    async def by_key(self, digest: bytes) -> Merchant | None:
        """Return the merchant whose unrevoked key has this digest, or None."""
        tables = await self._turn.tables()
        for key in tables.api_keys.where(digest=digest):
            if key.revoked_at is None:
                return find("merchant", tables.merchants, key.merchant_id)
        return None
