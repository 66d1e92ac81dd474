"""Merchants and their API keys, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.rows import add, find, lock, save
from adapters.memory.turn import Turn
from domain.merchants.model import Caller
from ports.unit_of_work import AlreadyExists, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.memory.store import Tables
    from domain.merchants.model import ApiKey, Merchant
    from domain.shared.ids import KeyId, MerchantId


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

    async def lock(self, merchant_id: MerchantId) -> Merchant:
        """Return a merchant. The store is this unit's alone."""
        return await self.get(merchant_id)

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

    async def save_key(self, key: ApiKey) -> None:
        """Store what can change of a locked key."""
        keys = (await self._turn.tables()).api_keys
        kept = find("key", keys, key.id)
        changed = attrs.evolve(kept, revoked_at=key.revoked_at, expires_at=key.expires_at)
        save(self._turn, "key", keys, key.id, changed)

    async def get_key(self, key_id: KeyId, *, owner: MerchantId) -> ApiKey:
        """Return a merchant's key."""
        return _owned(find("key", (await self._turn.tables()).api_keys, key_id), owner)

    async def lock_key(self, key_id: KeyId, *, owner: MerchantId | None) -> ApiKey:
        """Return a key, locked to be saved."""
        return _owned(lock(self._turn, "key", (await self._turn.tables()).api_keys, key_id), owner)

    async def lock_keys(self, owner: MerchantId) -> Sequence[ApiKey]:
        """Return a merchant's keys that were not revoked. The store is this unit's alone."""
        tables = await self._turn.tables()
        find("merchant", tables.merchants, owner)
        return [key for key in self._newest(tables, owner) if key.revoked_at is None]

    async def keys(self, *, owner: MerchantId, limit: int) -> Sequence[ApiKey]:
        """Return a merchant's keys: those not revoked first, and of each kind the newest."""
        found = self._newest(await self._turn.tables(), owner)
        return sorted(found, key=lambda it: it.revoked_at is not None)[:limit]

    async def by_key(self, digest: bytes) -> Caller | None:
        """Return whose unrevoked key has this digest, and the key, or None."""
        tables = await self._turn.tables()
        for key in tables.api_keys.where(digest=digest):
            if key.revoked_at is None:
                return Caller(find("merchant", tables.merchants, key.merchant_id), key)
        return None

    @staticmethod
    def _newest(tables: Tables, owner: MerchantId) -> Sequence[ApiKey]:
        found = (key for key in tables.api_keys if key.merchant_id == owner)
        return sorted(found, key=lambda it: (it.created_at, it.id), reverse=True)


def _owned(key: ApiKey, owner: MerchantId | None) -> ApiKey:
    if owner not in (None, key.merchant_id):
        raise NotFound("key", key.id)
    return key
