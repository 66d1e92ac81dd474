"""Idempotency keys, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.turn import Turn

if TYPE_CHECKING:
    from domain.shared.idempotency import Answer
    from domain.shared.ids import MerchantId


@attrs.frozen
class InMemoryIdempotencyKeys:
    """Keys that merchants send so that a repeated request has one effect."""

    _turn: Turn

    async def claim(self, *, owner: MerchantId, key: str) -> Answer | None:
        """Take a key for this unit of work; return the answer it has led to before, if any.

        The key is taken before the turn is waited for: whoever comes second learns at once that
        the key is in flight, instead of waiting for the first to finish.
        """
        self._turn.take_key(owner, key)
        return (await self._turn.tables()).answers.get((owner, key))

    async def keep(self, *, owner: MerchantId, key: str, answer: Answer) -> None:
        """Store the answer that a claimed key has led to."""
        (await self._turn.tables()).answers.put((owner, key), answer)
