"""Idempotency keys, stored with the answer they led to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from domain.shared.idempotency import Answer
    from domain.shared.ids import MerchantId


class IdempotencyKeys(Protocol):
    """Keys that merchants send so that a repeated request has one effect."""

    async def claim(self, *, owner: MerchantId, key: str, life: timedelta) -> Answer | None:
        """Take a key for this unit of work; return the answer it has led to before, if any.

        An answer that was kept for ``life`` or longer counts as none.

        Raises:
            KeyInFlight: another unit of work holds the key at this moment.
        """
        ...

    async def keep(self, *, owner: MerchantId, key: str, answer: Answer) -> None:
        """Store the answer that a key has led to.

        The answer to a key that was claimed takes the place of one that counted as none. A key
        that was not claimed before is taken by this.

        Raises:
            KeyInFlight: another unit of work holds the key at this moment.
            KeyTaken: there is an answer to the key, old or not.
        """
        ...

    async def forget(self, *, kept_before: datetime, limit: int) -> int:
        """Remove at most so many answers kept before a time; return how many they were.

        Those in use at this moment are passed over.
        """
        ...
