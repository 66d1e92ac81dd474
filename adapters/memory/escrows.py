"""Escrows, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.rows import add, save
from adapters.memory.turn import Turn
from domain.escrow.claims import Side
from domain.escrow.model import DueRelease
from ports.unit_of_work import AlreadyExists, NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.escrow.model import Escrow
    from domain.shared.ids import EscrowId, IntentId, MerchantId
    from domain.shared.money import AssetId, ChainId


@attrs.frozen
class InMemoryEscrows:
    """Payments held by an escrow contract."""

    _turn: Turn

    async def add(self, escrow: Escrow) -> None:
        """Store a new escrow; an intent has one."""
        tables = await self._turn.tables()
        if tables.escrows.where(intent=escrow.intent_id):
            self._turn.refuse(AlreadyExists("escrow", escrow.id))
        add(self._turn, "escrow", tables.escrows, escrow.id, escrow)

    async def save(self, escrow: Escrow) -> None:
        """Store an escrow as it is now; only one that was locked in this unit of work."""
        save(self._turn, "escrow", (await self._turn.tables()).escrows, escrow.id, escrow)

    async def of_intent(self, intent_id: IntentId, *, owner: MerchantId) -> Escrow:
        """Return the escrow of an intent."""
        for escrow in (await self._turn.tables()).escrows.where(intent=intent_id):
            if escrow.merchant_id == owner:
                return escrow
        raise NotFound("escrow of intent", intent_id)

    async def of_intents(
        self, intent_ids: Sequence[IntentId], *, owner: MerchantId
    ) -> Sequence[Escrow]:
        """Return the escrows of a merchant's intents of these names, in any order; no others."""
        escrows = (await self._turn.tables()).escrows
        found = [it for id in dict.fromkeys(intent_ids) for it in escrows.where(intent=id)]
        return [it for it in found if it.merchant_id == owner]

    async def lock_of_intent(self, intent_id: IntentId, *, owner: MerchantId) -> Escrow:
        """Return the escrow of an intent and keep others from changing it."""
        escrow = await self.of_intent(intent_id, owner=owner)
        self._turn.lock("escrow", escrow.id)
        return escrow

    async def lock(self, escrow_id: EscrowId) -> Escrow | None:
        """Return an escrow and keep others from changing it, or None if it is not ours."""
        escrow = (await self._turn.tables()).escrows.get(escrow_id)
        if escrow is not None:
            self._turn.lock("escrow", escrow_id)
        return escrow

    async def due_for_release(self, *, at: datetime, limit: int) -> Sequence[DueRelease]:
        """Return held escrows with no request under way whose auto-release time has come."""
        escrows = (await self._turn.tables()).escrows
        due = [it for it in escrows if it.may_auto_release(at=at)]
        due.sort(key=lambda it: it.auto_release_at)
        return [DueRelease(it.id, it.terms.chain) for it in due[:limit]]

    async def with_open_claims(
        self, *, chain: ChainId, contract: str, account: str, asset: AssetId
    ) -> Sequence[EscrowId]:
        """Return the escrows of which a contract keeps a part for an account, in an asset."""
        return [
            it.id
            for it in (await self._turn.tables()).escrows
            if (it.terms.chain, it.terms.contract) == (chain, contract)
            and it.terms.money.asset == asset
            and account in map(it.open_claim_of, Side)
        ]
