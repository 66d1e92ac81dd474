"""Idempotency keys, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.turn import Turn
from domain.shared.idempotency import KeyTaken

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from domain.shared.idempotency import Answer
    from domain.shared.ids import MerchantId


@attrs.frozen
class InMemoryIdempotencyKeys:
    """Keys that merchants send so that a repeated request has one effect."""

    _turn: Turn

    async def claim(self, *, owner: MerchantId, key: str, life: timedelta) -> Answer | None:
        """Take a key for this unit of work; return the answer it has led to before, if any.

        The key is taken before the turn is waited for: whoever comes second learns at once that
        the key is in flight, instead of waiting for the first to finish.
        """
        self._turn.take_key(owner, key)
        answers = (await self._turn.tables()).answers
        kept = answers.get((owner, key))
        if kept is None:
            return None
        answer, kept_at = kept
        if kept_at + life <= self._turn.store.clock.now():
            answers.remove((owner, key))
            return None
        return answer

    async def keep(self, *, owner: MerchantId, key: str, answer: Answer) -> None:
        """Store the answer that a key has led to; take the key where it was not claimed."""
        self._turn.take_key(owner, key)
        answers = (await self._turn.tables()).answers
        if (owner, key) in answers:
            self._turn.refuse(KeyTaken())
        answers.put((owner, key), (answer, self._turn.store.clock.now()))

    async def forget(self, *, kept_before: datetime, limit: int) -> int:
        """Remove at most so many answers kept before a time; return how many they were."""
        answers = (await self._turn.tables()).answers
        old = [key for key, (_, kept_at) in answers.items() if kept_at < kept_before][:limit]
        for key in old:
            answers.remove(key)
        return len(old)
