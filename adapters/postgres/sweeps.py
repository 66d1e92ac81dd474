"""Sweeps and the holdings of deposit addresses in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import ARRAY, BigInteger, any_, bindparam, cast, exists, func, or_, select
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.session import Session
from adapters.postgres.statements import (
    compiled,
    insertion,
    select_by_id,
    update_by_id,
    written,
)
from adapters.postgres.tables.columns import NAME
from adapters.postgres.tables.customers import CUSTOMER_ADDRESS
from adapters.postgres.tables.intents import PAYMENT_INTENT
from adapters.postgres.tables.sweeps import DEPOSIT_HOLDING, SWEEP
from domain.shared.money import Money
from domain.sweeps.model import OPEN, Holding, Sweep, SweepState
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from adapters.postgres.session import Row
    from domain.shared.ids import SweepId
    from domain.shared.money import AssetId, ChainId

_ADD = insertion(SWEEP)
_SAVE = update_by_id(SWEEP, fixed=["chain", "address", "index", "asset", "created_at"])
_LOCK = select_by_id(SWEEP, lock=True)
_is_open = SWEEP.c.state.in_(sorted(state.value for state in OPEN))
_OPEN = compiled(
    select(SWEEP)
    .where(SWEEP.c.chain == bindparam("chain"), _is_open)
    .order_by(SWEEP.c.created_at, SWEEP.c.id)
    .limit(bindparam("limit"))
)

_H = DEPOSIT_HOLDING.c
_changing = insert(DEPOSIT_HOLDING)
_CHANGE = compiled(
    _changing.on_conflict_do_update(
        index_elements=[_H.chain, _H.address, _H.asset],
        set_={"amount": _H.amount + _changing.excluded.amount},
    ),
    columns=written(DEPOSIT_HOLDING),
)
_HOLDING = compiled(
    select(_H.amount).where(
        _H.chain == bindparam("chain"),
        _H.address == bindparam("address"),
        _H.asset == bindparam("asset"),
    )
)
_HOLDINGS = compiled(
    select(_H.address, _H.amount).where(
        _H.chain == bindparam("chain"),
        _H.address == any_(bindparam("addresses", type_=ARRAY(NAME))),
        _H.asset == bindparam("asset"),
    )
)
_barred = exists().where(
    SWEEP.c.chain == _H.chain,
    SWEEP.c.address == _H.address,
    or_(
        _is_open,
        (SWEEP.c.state == SweepState.REFUSED.value)
        & (SWEEP.c.changed_at >= bindparam("refused_before")),
    ),
)
_index = func.coalesce(
    CUSTOMER_ADDRESS.c.index, cast(PAYMENT_INTENT.c.pay_to["index"].astext, BigInteger)
)
_due = (
    select(DEPOSIT_HOLDING, _index.label("index"))
    .outerjoin(
        PAYMENT_INTENT,
        (PAYMENT_INTENT.c.chain == _H.chain) & (PAYMENT_INTENT.c.deposit_address == _H.address),
    )
    .outerjoin(CUSTOMER_ADDRESS, CUSTOMER_ADDRESS.c.address == _H.address)
    .where(
        _H.chain == bindparam("chain"),
        _H.asset == bindparam("asset"),
        _H.amount >= bindparam("at_least"),
        _index.is_not(None),
        ~_barred,
    )
    .order_by(_H.amount.desc(), _H.address)
    .limit(bindparam("limit"))
)
_DUE = compiled(_due)
_DUE_NEXT = compiled(
    _due.where(
        _H.amount <= bindparam("amount"),
        or_(_H.amount < bindparam("amount"), _H.address > bindparam("address")),
    )
)


@attrs.frozen
class PostgresSweeps:
    """See ``ports.sweeps.Sweeps``."""

    _session: Session

    async def add(self, sweep: Sweep) -> None:
        """Store a new sweep; the database refuses a second open one of its address."""
        await self._session.write(_ADD, _row(sweep), sweep.id)

    async def save(self, sweep: Sweep) -> None:
        """Store a sweep as it is now."""
        await self._session.write(_SAVE, _row(sweep), sweep.id)

    async def lock(self, sweep_id: SweepId) -> Sweep:
        """Return a sweep and lock its row, or raise NotFound."""
        row = await self._session.row(_LOCK, id=sweep_id)
        if row is None:
            raise NotFound("sweep", sweep_id)
        return _sweep(row)

    async def open(self, chain: ChainId, *, limit: int) -> Sequence[Sweep]:
        """Return sweeps on a chain that are not at their end, oldest first."""
        rows = await self._session.rows(_OPEN, chain=chain, limit=limit)
        return [_sweep(row) for row in rows]

    async def change_holding(self, chain: ChainId, address: str, by: Money) -> None:
        """Add to what a deposit address holds of an asset, or take from it."""
        row = {"chain": chain, "address": address, "asset": by.asset, "amount": by.amount}
        await self._session.write(_CHANGE, row, ("holding", chain, address, by.asset))

    async def holding(self, chain: ChainId, address: str, asset: AssetId) -> Money:
        """Return what a deposit address holds of an asset, as far as it is final and booked."""
        row = await self._session.row(_HOLDING, chain=chain, address=address, asset=asset)
        return Money(int(row["amount"]) if row else 0, asset)

    async def holdings(
        self, chain: ChainId, addresses: Sequence[str], asset: AssetId
    ) -> Mapping[str, Money]:
        """Return what each of many addresses holds of an asset, if it has ever held any."""
        rows = await self._session.rows(
            _HOLDINGS, chain=chain, addresses=[*addresses], asset=asset
        )
        return {row["address"]: Money(int(row["amount"]), asset) for row in rows}

    async def due(
        self,
        chain: ChainId,
        asset: AssetId,
        *,
        at_least: int,
        refused_before: datetime,
        limit: int,
        after: Holding | None = None,
    ) -> Sequence[Holding]:
        """Return what deposit addresses hold that is worth a sweep now, most first."""
        rows = await self._session.rows(
            _DUE if after is None else _DUE_NEXT,
            chain=chain,
            asset=asset,
            at_least=at_least,
            refused_before=refused_before,
            limit=limit,
            **({} if after is None else {"amount": after.money.amount, "address": after.address}),
        )
        return [
            Holding(chain, row["address"], row["index"], Money(int(row["amount"]), asset))
            for row in rows
        ]


def _row(sweep: Sweep) -> Row:
    return {
        "id": sweep.id,
        "chain": sweep.chain,
        "address": sweep.address,
        "index": sweep.index,
        "amount": sweep.money.amount,
        "asset": sweep.money.asset,
        "created_at": sweep.created_at,
        "changed_at": sweep.changed_at,
        "state": sweep.state,
        "submission_id": sweep.submission_id,
        "reason": sweep.reason,
    }


def _sweep(row: Row) -> Sweep:
    return Sweep(
        id=row["id"],
        chain=row["chain"],
        address=row["address"],
        index=row["index"],
        money=Money(int(row["amount"]), row["asset"]),
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        state=SweepState(row["state"]),
        submission_id=row["submission_id"],
        reason=row["reason"],
    )
