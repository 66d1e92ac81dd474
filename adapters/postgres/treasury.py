"""Hot and cold wallets in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, insertion, update_by_id, written
from adapters.postgres.tables.columns import INSTANT
from adapters.postgres.tables.customers import CUSTOMER_ADDRESS
from adapters.postgres.tables.intents import PAYMENT_INTENT
from adapters.postgres.tables.ledger import LEDGER_TRANSACTION, POSTING
from adapters.postgres.tables.sweeps import DEPOSIT_HOLDING
from adapters.postgres.tables.treasury import COLD_TRANSFER, WALLET_ALARM
from domain.shared.money import Money
from domain.treasury.model import (
    Alarm,
    ColdTransfer,
    Condition,
    Spending,
    TransferState,
    Unswept,
)
from domain.treasury.policy import SPENT_ON

if TYPE_CHECKING:
    from datetime import datetime

    from adapters.postgres.session import Row
    from domain.ledger.accounts import Account
    from domain.shared.ids import PayoutId
    from domain.shared.money import AssetId, ChainId
    from domain.treasury.model import Watched

_C, _A, _H = COLD_TRANSFER.c, WALLET_ALARM.c, DEPOSIT_HOLDING.c
_T, _P = LEDGER_TRANSACTION.c, POSTING.c
_ADD = insertion(COLD_TRANSFER)
_SAVE = update_by_id(
    COLD_TRANSFER, fixed=["chain", "amount", "asset", "target", "payout_id", "created_at"]
)
_LOCK_CARRIED = compiled(
    select(COLD_TRANSFER).where(_C.payout_id == bindparam("payout_id")).with_for_update()
)
_LATEST = compiled(
    select(COLD_TRANSFER)
    .where(_C.asset == bindparam("asset"))
    .order_by(_C.created_at.desc(), _C.id.desc())
    .limit(1)
)
_ALARM = compiled(
    select(WALLET_ALARM).where(_A.watched == bindparam("watched"), _A.asset == bindparam("asset"))
)
_sounding = insert(WALLET_ALARM).values({name: bindparam(name) for name in written(WALLET_ALARM)})
_SOUND = compiled(
    _sounding.on_conflict_do_update(
        index_elements=[_A.watched, _A.asset],
        set_={"condition": _sounding.excluded.condition, "since": _sounding.excluded.since},
        where=_A.condition != _sounding.excluded.condition,
    ).returning(_A.asset)
)
_SPENDING = compiled(
    select(
        func.coalesce(
            -func.sum(_P.amount).filter(
                _T.kind.in_(sorted(SPENT_ON)), _T.effective_at >= bindparam("since", type_=INSTANT)
            ),
            0,
        ).label("spent"),
        func.min(_T.effective_at).label("first"),
    )
    .join(LEDGER_TRANSACTION, _T.id == _P.transaction_id)
    .where(_P.account == bindparam("account"), _P.asset == bindparam("asset"))
)
_UNSWEPT = compiled(
    select(
        func.coalesce(func.sum(_H.amount), 0).label("amount"),
        func.count().label("addresses"),
        func.min(func.coalesce(PAYMENT_INTENT.c.created_at, CUSTOMER_ADDRESS.c.created_at)).label(
            "oldest"
        ),
    )
    .outerjoin(
        PAYMENT_INTENT,
        (PAYMENT_INTENT.c.chain == _H.chain) & (PAYMENT_INTENT.c.deposit_address == _H.address),
    )
    .outerjoin(CUSTOMER_ADDRESS, CUSTOMER_ADDRESS.c.address == _H.address)
    .where(_H.chain == bindparam("chain"), _H.asset == bindparam("asset"), _H.amount > 0)
)


@attrs.frozen
class PostgresTreasury:
    """See ``ports.treasury.Treasury``."""

    _session: Session

    async def add(self, transfer: ColdTransfer) -> None:
        """Store a new transfer; the database refuses a second one of its asset that is moving."""
        await self._session.write(_ADD, _row(transfer), transfer.id)

    async def save(self, transfer: ColdTransfer) -> None:
        """Store a transfer as it is now."""
        await self._session.write(_SAVE, _row(transfer), transfer.id)

    async def lock_carried(self, payout_id: PayoutId) -> ColdTransfer | None:
        """Return the transfer that a payout makes and lock its row, or None."""
        row = await self._session.row(_LOCK_CARRIED, payout_id=payout_id)
        return _transfer(row) if row else None

    async def latest(self, asset: AssetId) -> ColdTransfer | None:
        """Return the newest transfer in an asset, or None."""
        row = await self._session.row(_LATEST, asset=asset)
        return _transfer(row) if row else None

    async def alarm(self, watched: Watched, asset: AssetId) -> Alarm | None:
        """Return the condition that was told last."""
        row = await self._session.row(_ALARM, watched=watched, asset=asset)
        if row is None:
            return None
        return Alarm(watched, asset, Condition(row["condition"]), row["since"])

    async def sound(self, alarm: Alarm) -> bool:
        """Keep a condition; return False if it is the one that was told before."""
        row = attrs.asdict(alarm)
        return bool(await self._session.rows(_SOUND, **row))

    async def spending(self, account: Account, asset: AssetId, *, since: datetime) -> Spending:
        """Return what an account has paid the network with since a time."""
        row = await self._session.row(_SPENDING, account=account, asset=asset, since=since)
        return Spending(int(row["spent"]), row["first"]) if row else Spending(0, None)

    async def unswept(self, chain: ChainId, asset: AssetId) -> Unswept:
        """Return what lies at deposit addresses, as far as it is final and booked."""
        row = await self._session.row(_UNSWEPT, chain=chain, asset=asset)
        if row is None:
            return Unswept(Money(0, asset), 0, None)
        return Unswept(Money(int(row["amount"]), asset), row["addresses"], row["oldest"])


def _row(transfer: ColdTransfer) -> Row:
    return {
        "id": transfer.id,
        "chain": transfer.chain,
        "amount": transfer.money.amount,
        "asset": transfer.money.asset,
        "target": transfer.target,
        "payout_id": transfer.payout_id,
        "created_at": transfer.created_at,
        "changed_at": transfer.changed_at,
        "state": transfer.state,
        "reason": transfer.reason,
    }


def _transfer(row: Row) -> ColdTransfer:
    return ColdTransfer(
        id=row["id"],
        chain=row["chain"],
        money=Money(int(row["amount"]), row["asset"]),
        target=row["target"],
        payout_id=row["payout_id"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        state=TransferState(row["state"]),
        reason=row["reason"],
    )
