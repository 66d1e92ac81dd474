"""Settlements and payouts in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import bindparam, select

from adapters.postgres.payout_lists import listing
from adapters.postgres.session import Session
from adapters.postgres.statements import (
    compiled,
    insertion,
    select_by_id,
    select_named,
    update_by_id,
)
from adapters.postgres.tables.settlements import PAYOUT, SETTLEMENT
from domain.settlements.model import Settlement, SettlementState
from domain.settlements.payouts import Payout, PayoutState
from domain.shared.money import Money
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.postgres.session import Row
    from domain.settlements.listing import Place, Wanted
    from domain.shared.ids import MerchantId, PayoutId, SettlementId

_ADD = insertion(SETTLEMENT)
_SAVE = update_by_id(SETTLEMENT, fixed=["merchant_id", "asset", "created_at", "hold_id"])
_LOCK = select_by_id(SETTLEMENT, lock=True)
_NAMED = select_named(SETTLEMENT)
_mine = (
    select(SETTLEMENT)
    .where(SETTLEMENT.c.merchant_id == bindparam("owner"))
    .order_by(SETTLEMENT.c.id.desc())
    .limit(bindparam("limit"))
)
_NEWEST = compiled(_mine)
_OLDER = compiled(_mine.where(SETTLEMENT.c.id < bindparam("before")))
_ADD_PAYOUT = insertion(PAYOUT)
_SAVE_PAYOUT = update_by_id(
    PAYOUT,
    fixed=["settlement_id", "merchant_id", "amount", "asset", "destination", "created_at"],
)
_GET_PAYOUT = select_by_id(PAYOUT)
_PAYOUTS_NAMED = select_named(PAYOUT)
_LOCK_PAYOUT = select_by_id(PAYOUT, lock=True)


@attrs.frozen
class PostgresSettlements:
    """See ``ports.settlements.Settlements``."""

    _session: Session

    async def add(self, settlement: Settlement) -> None:
        """Store a new settlement."""
        await self._session.write(_ADD, _settlement_row(settlement), settlement.id)

    async def save(self, settlement: Settlement) -> None:
        """Store a settlement as it is now."""
        await self._session.write(_SAVE, _settlement_row(settlement), settlement.id)

    async def lock(self, settlement_id: SettlementId) -> Settlement:
        """Return a settlement and lock its row, or raise NotFound."""
        row = await self._session.row(_LOCK, id=settlement_id)
        if row is None:
            raise NotFound("settlement", settlement_id)
        return _settlement(row)

    async def list(
        self, *, owner: MerchantId, before: SettlementId | None = None, limit: int
    ) -> Sequence[Settlement]:
        """Return a merchant's settlements, newest first: later ids sort after earlier ones."""
        if before is None:
            rows = await self._session.rows(_NEWEST, owner=owner, limit=limit)
        else:
            rows = await self._session.rows(_OLDER, owner=owner, before=before, limit=limit)
        return [_settlement(row) for row in rows]

    async def named(
        self, ids: Sequence[SettlementId], *, owner: MerchantId
    ) -> Sequence[Settlement]:
        """Return a merchant's settlements of these names, in any order; no others."""
        rows = await self._session.rows(_NAMED, ids=[*ids], owner=owner)
        return [_settlement(row) for row in rows]

    async def add_payout(self, payout: Payout) -> None:
        """Store a new payout."""
        await self._session.write(_ADD_PAYOUT, _payout_row(payout), payout.id)

    async def save_payout(self, payout: Payout) -> None:
        """Store a payout as it is now."""
        await self._session.write(_SAVE_PAYOUT, _payout_row(payout), payout.id)

    async def get_payout(self, payout_id: PayoutId, *, owner: MerchantId) -> Payout:
        """Return a payout, or raise NotFound."""
        row = await self._session.row(_GET_PAYOUT, id=payout_id)
        if row is None or row["merchant_id"] != owner:
            raise NotFound("payout", payout_id)
        return _payout(row)

    async def payouts_named(
        self, ids: Sequence[PayoutId], *, owner: MerchantId
    ) -> Sequence[Payout]:
        """Return a merchant's payouts of these names, in any order; no others."""
        rows = await self._session.rows(_PAYOUTS_NAMED, ids=[*ids], owner=owner)
        return [_payout(row) for row in rows]

    async def list_payouts(
        self,
        *,
        owner: MerchantId,
        before: Place | None,
        limit: int,
        wanted: Wanted | None = None,
    ) -> Sequence[Payout]:
        """Return a merchant's payouts, newest first, from just before a place."""
        statement, parameters = listing(owner=owner, before=before, limit=limit, wanted=wanted)
        rows = await self._session.rows(statement, **parameters)
        return [_payout(row) for row in rows[:limit]]

    async def lock_payout(self, payout_id: PayoutId) -> Payout:
        """Return a payout and lock its row, or raise NotFound."""
        row = await self._session.row(_LOCK_PAYOUT, id=payout_id)
        if row is None:
            raise NotFound("payout", payout_id)
        return _payout(row)


def _settlement_row(settlement: Settlement) -> Row:
    return {
        "id": settlement.id,
        "merchant_id": settlement.merchant_id,
        "amount": settlement.money.amount,
        "asset": settlement.money.asset,
        "created_at": settlement.created_at,
        "hold_id": settlement.hold_id,
        "state": settlement.state,
        "payout_id": settlement.payout_id,
    }


def _settlement(row: Row) -> Settlement:
    return Settlement(
        id=row["id"],
        merchant_id=row["merchant_id"],
        money=Money(int(row["amount"]), row["asset"]),
        created_at=row["created_at"],
        hold_id=row["hold_id"],
        state=SettlementState(row["state"]),
        payout_id=row["payout_id"],
    )


def _payout_row(payout: Payout) -> Row:
    return {
        "id": payout.id,
        "settlement_id": payout.settlement_id,
        "merchant_id": payout.merchant_id,
        "amount": payout.money.amount,
        "asset": payout.money.asset,
        "destination": payout.destination,
        "hold_id": payout.hold_id,
        "created_at": payout.created_at,
        "state": payout.state,
        "submission_id": payout.submission_id,
        "transaction": payout.transaction,
        "reason": payout.reason,
    }


def _payout(row: Row) -> Payout:
    return Payout(
        id=row["id"],
        settlement_id=row["settlement_id"],
        merchant_id=row["merchant_id"],
        money=Money(int(row["amount"]), row["asset"]),
        destination=row["destination"],
        hold_id=row["hold_id"],
        created_at=row["created_at"],
        state=PayoutState(row["state"]),
        submission_id=row["submission_id"],
        transaction=row["transaction"],
        reason=row["reason"],
    )
