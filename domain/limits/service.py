"""Use cases of limits: let a request with a key through, or tell when to come again.

The quota of a key is one row for all processes, from which each takes blocks in advance. So no
more requests are let through in a window than the quota, however many processes there are, and
only one request in a block waits for the storage. The price: what one process has taken and not
used, less than a block, is not there for another.
"""

from __future__ import annotations

import asyncio
from collections import Counter, OrderedDict
from collections.abc import Mapping

import attrs

from domain.limits.model import (
    BLOCKS,
    Kind,
    Purse,
    Quota,
    QuotaExceeded,
    Standing,
    TooManyAtOnce,
)
from domain.shared.ids import KeyId
from ports.clock import Clock
from ports.unit_of_work import Begin

PURSES_MAX = 8192
"""How many purses are kept at most; what is in the one not used for longest is given up."""


@attrs.define(eq=False)
class _Turn:
    """A purse, and whose turn it is to fill it."""

    purse: Purse = attrs.field(factory=Purse)
    filling: asyncio.Lock = attrs.field(factory=asyncio.Lock)


@attrs.frozen
class LimitService:
    """Lets requests through."""

    begin: Begin
    clock: Clock
    quotas: Mapping[Kind, Quota]
    at_once: int
    """How many requests with one key may be under way in one process."""
    _turns: OrderedDict[tuple[KeyId, Kind], _Turn] = attrs.field(
        factory=OrderedDict, init=False, eq=False, repr=False
    )
    _under_way: Counter[KeyId] = attrs.field(factory=Counter, init=False, eq=False, repr=False)

    async def take(self, key_id: KeyId, kind: Kind) -> Standing:
        """Let one request through.

        Raises:
            QuotaExceeded: as many were let through in this window as may be.
            StorageUnavailable: the storage, which was to be asked, does not answer.
        """
        quota = self.quotas[kind]
        turn = self._turn(key_id, kind)
        purse = turn.purse
        now = int(self.clock.now().timestamp())
        window, elapsed = divmod(now, quota.window_seconds)
        resets_in = quota.window_seconds - elapsed
        purse.turn_to(window, quota=quota)
        # Others may have spent what this one has leased before it goes on; after as many blocks
        # as there are nothing is left for anybody.
        for _ in range(2 * BLOCKS):
            if purse.own:
                purse.own -= 1
                return Standing(purse.own + purse.others, resets_in)
            if purse.is_spent:
                break
            async with turn.filling:
                if not purse.own and not purse.is_spent:
                    await self._fill(purse, key_id, kind)
        raise QuotaExceeded(kind, Standing(0, resets_in))

    def enter(self, key_id: KeyId) -> None:
        """Count a request as under way, until ``leave``.

        Raises:
            TooManyAtOnce: as many are as may be.
        """
        if self._under_way[key_id] >= self.at_once:
            raise TooManyAtOnce(self.at_once)
        self._under_way[key_id] += 1

    def leave(self, key_id: KeyId) -> None:
        """Count a request that was under way as done."""
        self._under_way[key_id] -= 1
        if not self._under_way[key_id]:
            del self._under_way[key_id]

    async def _fill(self, purse: Purse, key_id: KeyId, kind: Kind) -> None:
        quota = self.quotas[kind]
        async with self.begin() as work:
            lease = await work.key_usage.lease(
                key_id, kind, window=purse.window, wanted=quota.block, quota=quota.requests
            )
            await work.commit()
        purse.receive(lease)

    def _turn(self, key_id: KeyId, kind: Kind) -> _Turn:
        turn = self._turns.get((key_id, kind))
        if turn is None:
            turn = self._turns[key_id, kind] = _Turn()
            if len(self._turns) > PURSES_MAX:
                self._turns.popitem(last=False)
        self._turns.move_to_end((key_id, kind))
        return turn
