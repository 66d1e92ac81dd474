"""What API keys are used for, counted; and how much of a quota processes have taken for them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from domain.limits.model import Kind, Lease
    from domain.shared.ids import KeyId
    from domain.usage.model import Requests


class KeyUsage(Protocol):
    """Requests by key."""

    async def lease(
        self, key_id: KeyId, kind: Kind, *, window: int, wanted: int, quota: int
    ) -> Lease:
        """Take as much of a window's quota as is wanted, or what is left of it.

        It is all that its unit of work does, and counts whether that commits or not. Windows are
        numbered in time; what is asked for one that is over counts for the newest known.
        """
        ...

    async def count(self, requests: Sequence[Requests]) -> None:
        """Add requests to those counted before."""
        ...

    async def note_used(self, used: Mapping[KeyId, datetime]) -> None:
        """Note when keys were last used, where what is noted is a minute older or more."""
        ...

    async def days(self, key_id: KeyId, *, since: date) -> Sequence[Requests]:
        """Return what was counted from a day on, by day and then by status."""
        ...

    async def prune(self, *, before: date, limit: int) -> int:
        """Drop what was counted before a day, with all keys; return how many rows.

        ``limit`` at most go at a time. When a key was last used stays.
        """
        ...
