"""What a signer stands on besides its keys: reading what it signs, and remembering it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from domain.signing.model import Reading


class TransactionReader(Protocol):
    """Reads unsigned transactions of one chain."""

    def read(self, unsigned: bytes, *, sender: str) -> Reading:
        """Return everything that a transaction of a sender does.

        Raises:
            ValueError: it does something that is not understood, whole or in part.
        """
        ...


class SigningJournal(Protocol):
    """Remembers what was signed and refused, and how much of it in a day; across restarts.

    One process writes it. Each method that writes has written when it returns.
    """

    def signed(self, request: bytes) -> bytes | None:
        """Return what was signed for a request, by the request's digest; None if nothing was."""
        ...

    def spent(
        self, key: str, *, day: str, slot: str, totals: Mapping[str, int]
    ) -> Mapping[str, int]:
        """Return what a key's day comes to with a transaction of a slot.

        Of a slot's transactions the largest amount of each asset counts, since only one can ever
        take effect.
        """
        ...

    def record_signed(
        self,
        key: str,
        *,
        request: bytes,
        signed: bytes,
        day: str,
        slot: str,
        totals: Mapping[str, int],
        told: Mapping[str, object],
        at: datetime,
    ) -> None:
        """Keep what was signed, what it spends, and what is told of it; all or nothing."""
        ...

    def record(self, told: Mapping[str, object], *, at: datetime) -> None:
        """Keep what is told of something that was not signed, or was signed before."""
        ...
