"""Settlements and payouts, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.rows import add, find, lock, save
from adapters.memory.turn import Turn
from domain.settlements.listing import ALL, Place
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.settlements.listing import Wanted
    from domain.settlements.model import Settlement
    from domain.settlements.payouts import Payout
    from domain.shared.ids import MerchantId, PayoutId, SettlementId


@attrs.frozen
class InMemorySettlements:
    """Settlements, and the payouts that carry them out."""

    _turn: Turn

    async def add(self, settlement: Settlement) -> None:
        """Store a new settlement."""
        tables = await self._turn.tables()
        add(self._turn, "settlement", tables.settlements, settlement.id, settlement)

    async def save(self, settlement: Settlement) -> None:
        """Store a settlement as it is now; only one that was locked in this unit of work."""
        tables = await self._turn.tables()
        save(self._turn, "settlement", tables.settlements, settlement.id, settlement)

    async def lock(self, settlement_id: SettlementId) -> Settlement:
        """Return a settlement and keep others from changing it."""
        tables = await self._turn.tables()
        return lock(self._turn, "settlement", tables.settlements, settlement_id)

    async def list(
        self, *, owner: MerchantId, before: SettlementId | None = None, limit: int
    ) -> Sequence[Settlement]:
        """Return a merchant's settlements, newest first."""
        mine = (await self._turn.tables()).settlements.where(owner=owner)
        older = [it for it in mine if before is None or it.id < before]
        return sorted(older, key=lambda it: it.id, reverse=True)[:limit]

    async def named(
        self, ids: Sequence[SettlementId], *, owner: MerchantId
    ) -> Sequence[Settlement]:
        """Return a merchant's settlements of these names, in any order; no others."""
        rows = (await self._turn.tables()).settlements
        found = (rows.get(id) for id in dict.fromkeys(ids))
        return [it for it in found if it is not None and it.merchant_id == owner]

    async def add_payout(self, payout: Payout) -> None:
        """Store a new payout."""
        add(self._turn, "payout", (await self._turn.tables()).payouts, payout.id, payout)

    async def save_payout(self, payout: Payout) -> None:
        """Store a payout as it is now; only one that was locked in this unit of work."""
        save(self._turn, "payout", (await self._turn.tables()).payouts, payout.id, payout)

    async def get_payout(self, payout_id: PayoutId, *, owner: MerchantId) -> Payout:
        """Return a payout."""
        payout = find("payout", (await self._turn.tables()).payouts, payout_id)
        if payout.merchant_id != owner:
            raise NotFound("payout", payout_id)
        return payout

    async def payouts_named(
        self, ids: Sequence[PayoutId], *, owner: MerchantId
    ) -> Sequence[Payout]:
        """Return a merchant's payouts of these names, in any order; no others."""
        rows = (await self._turn.tables()).payouts
        found = (rows.get(id) for id in dict.fromkeys(ids))
        return [it for it in found if it is not None and it.merchant_id == owner]

    async def list_payouts(
        self,
        *,
        owner: MerchantId,
        before: Place | None,
        limit: int,
        wanted: Wanted | None = None,
    ) -> Sequence[Payout]:
        """Return a merchant's payouts, newest first, from just before a place."""
        mine = (await self._turn.tables()).payouts.where(owner=owner)
        found = [it for it in mine if (wanted or ALL).includes(it)]
        older = [it for it in found if before is None or _place(it) < before]
        return sorted(older, key=_place, reverse=True)[:limit]

    async def lock_payout(self, payout_id: PayoutId) -> Payout:
        """Return a payout and keep others from changing it."""
        return lock(self._turn, "payout", (await self._turn.tables()).payouts, payout_id)


def _place(payout: Payout) -> Place:
    return Place(payout.created_at, payout.id)
