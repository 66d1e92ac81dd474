"""Payments in Telegram Stars, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.shared.ids import IntentId
    from domain.stars.model import ChargeId, Reading, StarPayment


class StarPayments(Protocol):
    """Every charge that was ever claimed, and how far Telegram's list has been read.

    Who locks an intent and its payment locks the intent first.
    """

    async def add(self, payment: StarPayment) -> None:
        """Claim a charge.

        Raises:
            AlreadyExists: it is claimed, or its intent has a payment and this is another.
        """
        ...

    async def save(self, payment: StarPayment) -> None:
        """Store a payment as it is now; only one that was locked in this unit of work."""
        ...

    async def find(self, charge_id: ChargeId) -> StarPayment | None:
        """Return the payment of a charge, or None if nobody has claimed it."""
        ...

    async def lock(self, charge_id: ChargeId) -> StarPayment:
        """Return a payment and keep others from changing it.

        Raises:
            NotFound: there is none.
        """
        ...

    async def of_intent(self, intent_id: IntentId) -> StarPayment | None:
        """Return the payment of an intent; charges that came on top of it are left out."""
        ...

    async def maturing(self, *, at: datetime, limit: int) -> Sequence[ChargeId]:
        """Return held charges whose time has come, the longest due first."""
        ...

    async def refunding(self, *, limit: int) -> Sequence[ChargeId]:
        """Return charges that were promised back and are not back yet, oldest payments first."""
        ...

    async def unlisted(self, *, paid_before: datetime, limit: int) -> Sequence[ChargeId]:
        """Return charges that Telegram's list has not been seen to have, oldest first."""
        ...

    async def lock_reading(self) -> Reading:
        """Return how far Telegram's list has been read, and keep others from changing it."""
        ...

    async def save_reading(self, reading: Reading) -> None:
        """Store how far Telegram's list has been read; only after it was locked."""
        ...
