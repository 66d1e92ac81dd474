"""Use cases of sealing: the past is chained by hashes, soon after it was booked."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.ledger.seals import continued
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from domain.ledger.seals import Seal


@attrs.frozen
class Sealing:
    """Seals what is booked. It locks nothing that a booking needs."""

    begin: Begin

    async def seal(self, *, limit: int = 500) -> int:
        """Seal the oldest transactions without a seal; return how many, at most ``limit``.

        Two at once seal one after the other: ``unsealed`` lets nobody else in until the commit.
        """
        async with self.begin() as work:
            booked = await work.ledger.unsealed(limit=limit)
            if booked:
                seals = continued(await work.ledger.last_seal(), booked)
                await work.ledger.add_seals(*seals)
                await work.commit()
        return len(booked)

    async def head(self) -> Seal | None:
        """Return the newest seal: published elsewhere, it proves what came before it."""
        async with self.begin() as work:
            return await work.ledger.last_seal()
