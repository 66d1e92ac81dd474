"""A signer's journal in memory, which can be told to fail."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime


class JournalFull(Exception):
    """The journal was told to take nothing more."""


class MemorySigningJournal:
    """Remembers for as long as it lives; implements `ports.signing.SigningJournal`."""

    def __init__(self) -> None:
        self.told: list[Mapping[str, object]] = []
        """What was told, in order."""
        self._signed: dict[bytes, bytes] = {}
        self._slots: dict[tuple[str, str, str, str], int] = {}
        self._full = False

    def fill(self, *, full: bool = True) -> None:
        """Take nothing more, or take again."""
        self._full = full

    def signed(self, request: bytes) -> bytes | None:
        """Return what was signed for a request."""
        return self._signed.get(request)

    def spent(
        self, key: str, *, day: str, slot: str, totals: Mapping[str, int]
    ) -> Mapping[str, int]:
        """Return what a day comes to with a transaction of a slot."""
        slots = self._with(key, day, slot, totals)
        return {
            what: sum(
                amount
                for (one, on, _, asset), amount in slots.items()
                if (one, on, asset) == (key, day, what)
            )
            for what in totals
        }

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
        """Keep what was signed, what it spends, and what is told of it."""
        self.record(told, at=at)
        self._signed[request] = signed
        self._slots = self._with(key, day, slot, totals)

    def record(self, told: Mapping[str, object], *, at: datetime) -> None:
        """Keep what is told."""
        if self._full:
            raise JournalFull
        self.told.append({"at": at.isoformat(), **told})

    def _with(
        self, key: str, day: str, slot: str, totals: Mapping[str, int]
    ) -> dict[tuple[str, str, str, str], int]:
        slots = dict(self._slots)
        for what, amount in totals.items():
            place = (key, day, slot, what)
            slots[place] = max(slots.get(place, 0), amount)
        return slots
