"""Use cases of secrets at rest: look how they lie, and seal them by the newest key."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Final

import attrs

from domain.at_rest.model import Standing
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from domain.at_rest.model import Batch, Cursor, Kind
    from ports.unit_of_work import UnitOfWork

LOOKED_AT_MAX: Final = 1000
RESEALED_MAX: Final = 200
"""How many rows one transaction locks: a request that wants one waits for a moment."""
UNREADABLE_MAX: Final = 100
"""How many secrets that do not open are told one by one."""


@attrs.frozen
class AtRestService:
    """The operator's side of secrets in the storage. It shows none."""

    begin: Begin

    async def standing(self) -> Standing:
        """Return how all secrets lie."""
        return await self._through(reseal=False)

    async def reseal(self) -> Standing:
        """Seal each secret by the key that seals now, batch by batch; return how they lie then.

        It may end at any moment, and be begun again: what is done stays done. While it runs,
        secrets are opened and sealed as ever.
        """
        return await self._through(reseal=True)

    async def _through(self, *, reseal: bool) -> Standing:
        kinds: Counter[Kind] = Counter()
        resealed, unreadable, after = 0, list[str](), None
        while True:
            async with self.begin() as work:
                batch = await self._batch(work, after, reseal=reseal)
                sealing, ring = work.at_rest.sealing, work.at_rest.ring
            kinds.update(batch.kinds)
            resealed += batch.resealed
            unreadable += batch.unreadable[: UNREADABLE_MAX - len(unreadable)]
            after = batch.next
            if after is None:
                break
        return Standing(
            kinds=kinds, sealing=sealing, ring=ring, resealed=resealed, unreadable=unreadable
        )

    async def _batch(self, work: UnitOfWork, after: Cursor | None, *, reseal: bool) -> Batch:
        if not reseal:
            return await work.at_rest.look(after=after, limit=LOOKED_AT_MAX)
        batch = await work.at_rest.reseal(after=after, limit=RESEALED_MAX)
        if batch.resealed:
            by = work.at_rest.sealing or "no key"
            work.audit.note(f"{batch.resealed} secrets sealed by {by}")
            await work.commit()
        return batch
