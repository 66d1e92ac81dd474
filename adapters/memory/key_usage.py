"""What API keys are used for, and what is taken of their quotas, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.turn import Turn
from domain.limits.model import Lease
from domain.usage.model import USED_EVERY

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import date, datetime

    from domain.limits.model import Kind
    from domain.shared.ids import KeyId
    from domain.usage.model import Requests


@attrs.frozen
class InMemoryKeyUsage:
    """See ``ports.key_usage.KeyUsage``."""

    _turn: Turn

    async def lease(
        self, key_id: KeyId, kind: Kind, *, window: int, wanted: int, quota: int
    ) -> Lease:
        """Take as much of a window's quota as is wanted, or what is left of it."""
        quotas = (await self._turn.tables()).key_quotas
        newest, taken = quotas.get((key_id, kind)) or (window, 0)
        if window > newest:
            newest, taken = window, 0
        granted = max(0, min(wanted, quota - taken))
        quotas.put((key_id, kind), (newest, taken + granted))
        return Lease(newest, granted=granted, left=max(0, quota - taken - granted))

    async def count(self, requests: Sequence[Requests]) -> None:
        """Add requests to those counted before."""
        table = (await self._turn.tables()).key_usage
        for it in requests:
            name = (it.key_id, it.day, it.status_class)
            before = table.get(name)
            count = it.count + (before.count if before else 0)
            table.put(name, attrs.evolve(it, count=count))

    async def note_used(self, used: Mapping[KeyId, datetime]) -> None:
        """Note when keys were last used, where what is noted is a minute older or more."""
        keys = (await self._turn.tables()).api_keys
        for key_id, at in used.items():
            key = keys.get(key_id)
            if key and (key.last_used_at is None or key.last_used_at <= at - USED_EVERY):
                keys.put(key_id, attrs.evolve(key, last_used_at=at))

    async def days(self, key_id: KeyId, *, since: date) -> Sequence[Requests]:
        """Return what was counted from a day on, by day and then by status."""
        table = (await self._turn.tables()).key_usage
        return sorted(it for it in table.where(key=key_id) if it.day >= since)

    async def prune(self, *, before: date, limit: int) -> int:
        """Drop what was counted before a day; return how many rows."""
        table = (await self._turn.tables()).key_usage
        old = [(it.key_id, it.day, it.status_class) for it in table if it.day < before][:limit]
        for name in old:
            table.remove(name)
        return len(old)
