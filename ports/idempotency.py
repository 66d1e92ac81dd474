"""Idempotency keys, stored with the answer they led to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from domain.shared.idempotency import Answer
    from domain.shared.ids import MerchantId


class IdempotencyKeys(Protocol):
    """Keys that merchants send so that a repeated request has one effect."""

    async def claim(self, *, owner: MerchantId, key: str) -> Answer | None:
        """Take a key for this unit of work; return the answer it has led to before, if any.

        Raises:
            KeyInFlight: another unit of work holds the key at this moment.
        """
        ...

    async def keep(self, *, owner: MerchantId, key: str, answer: Answer) -> None:
        """Store the answer that a claimed key has led to."""
        ...
