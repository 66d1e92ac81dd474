"""Use cases of usage: count requests by key, store the counts, show them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import attrs

from domain.usage.model import Meter
from ports.clock import Clock
from ports.unit_of_work import Begin, StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.shared.ids import KeyId, MerchantId
    from domain.usage.model import Requests

KEPT: Final = timedelta(days=400)
"""How long counts are kept: a year, and a month of the year before to compare it with."""
PRUNED_MAX: Final = 1000
"""How many rows are dropped in one transaction."""


@attrs.frozen
class UsageService:
    """Counts in memory, so that no request writes for it; ``flush`` stores what was counted."""

    begin: Begin
    clock: Clock
    _meter: Meter = attrs.field(factory=Meter, init=False, eq=False, repr=False)

    def count(self, key_id: KeyId, *, status: int) -> None:
        """Count one request that was answered."""
        self._meter.count(key_id, status=status, at=self.clock.now())

    async def flush(self) -> int:
        """Store what was counted, and return of how many requests.

        Where the storage does not say whether it has, the requests are counted again: a failure
        in a commit can count them twice, and never loses them.

        Raises:
            StorageUnavailable: it will be stored the next time.
        """
        counted = self._meter.take()
        if not counted.requests:
            return 0
        try:
            async with self.begin() as work:
                await work.key_usage.count(counted.requests)
                await work.key_usage.note_used(counted.used)
                await work.commit()
        except StorageUnavailable:
            self._meter.put_back(counted)
            raise
        return sum(it.count for it in counted.requests)

    async def of_key(self, *, owner: MerchantId, key_id: KeyId, days: int) -> Sequence[Requests]:
        """Return the requests with a key in the last days, today included.

        Raises:
            NotFound: the merchant has no such key.
        """
        since = self.clock.now().date() - timedelta(days=days - 1)
        async with self.begin() as work:
            await work.merchants.get_key(key_id, owner=owner)
            return await work.key_usage.days(key_id, since=since)

    async def prune(self) -> int:
        """Drop some counts of days that are not kept any longer; return of how many rows."""
        before = self.clock.now().date() - KEPT
        async with self.begin() as work:
            pruned = await work.key_usage.prune(before=before, limit=PRUNED_MAX)
            await work.commit()
        return pruned
