"""Merchants and their API keys, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.merchants.model import ApiKey, Caller, Merchant
    from domain.shared.ids import KeyId, MerchantId


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

    async def lock(self, merchant_id: MerchantId) -> Merchant:
        """Return a merchant, and let nobody else change it or give it another key meanwhile.

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

    async def save_key(self, key: ApiKey) -> None:
        """Store what can change of a locked key: when it is revoked, and when it expires."""
        ...

    async def get_key(self, key_id: KeyId, *, owner: MerchantId) -> ApiKey:
        """Return a merchant's key.

        Raises:
            NotFound: the merchant has none of that name.
        """
        ...

    async def lock_key(self, key_id: KeyId, *, owner: MerchantId | None) -> ApiKey:
        """Return a key, locked to be saved; ``None`` stands for any merchant's.

        Raises:
            NotFound: the merchant has none of that name.
        """
        ...

    async def lock_keys(self, owner: MerchantId) -> Sequence[ApiKey]:
        """Return a merchant's keys that were not revoked, and let nobody else add one.

        Who asks for the same merchant waits until this unit of work is over.

        Raises:
            NotFound: there is no such merchant.
        """
        ...

    async def keys(self, *, owner: MerchantId, limit: int) -> Sequence[ApiKey]:
        """Return a merchant's keys: those not revoked first, and of each kind the newest."""
        ...

    async def by_key(self, digest: bytes) -> Caller | None:
        """Return whose unrevoked key has this digest, and the key, or None."""
        ...
