"""Orders of test accounts in PostgreSQL, and deadlines brought nearer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import Interval, bindparam, delete, select, update

from adapters.postgres import documents
from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, insertion, select_by_id, update_by_id
from adapters.postgres.tables.columns import INSTANT, NAME
from adapters.postgres.tables.escrows import ESCROW
from adapters.postgres.tables.intents import PAYMENT_INTENT, QUOTE
from adapters.postgres.tables.sandbox import SANDBOX_ORDER
from adapters.postgres.tables.webhooks import WEBHOOK_DELIVERY, WEBHOOK_ENDPOINT
from domain.sandbox.model import OrderState, SandboxOrder, Task
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from sqlalchemy import ColumnElement, Table

    from adapters.postgres.session import Row
    from adapters.postgres.statements import Statement
    from domain.shared.ids import MerchantId, SandboxOrderId

_ADD = insertion(SANDBOX_ORDER)
_SAVE = update_by_id(SANDBOX_ORDER, fixed=["merchant_id", "task", "created_at"])
_LOCK = select_by_id(SANDBOX_ORDER, lock=True)
_GET = compiled(
    select(SANDBOX_ORDER).where(
        SANDBOX_ORDER.c.id == bindparam("id"), SANDBOX_ORDER.c.merchant_id == bindparam("owner")
    )
)


def _nearer(table: Table, *columns: str, only: ColumnElement[bool]) -> Statement:
    """Compile the statement that brings a merchant's times nearer, where there are any."""
    by = bindparam("by", type_=Interval)
    return compiled(
        update(table)
        .values({name: table.c[name] - by for name in columns})
        .where(table.c.merchant_id == bindparam("owner", type_=NAME), only)
        .returning(table.c.id)
    )


_AT = bindparam("at", type_=INSTANT)
_E = WEBHOOK_ENDPOINT.c
_NEARER = (
    _nearer(PAYMENT_INTENT, "expires_at", only=PAYMENT_INTENT.c.status == "requires_payment"),
    _nearer(QUOTE, "expires_at", only=QUOTE.c.expires_at > _AT),
    _nearer(ESCROW, "auto_release_at", only=ESCROW.c.state == "held"),
    _nearer(WEBHOOK_DELIVERY, "next_try_at", only=WEBHOOK_DELIVERY.c.state == "pending"),
    _nearer(
        WEBHOOK_ENDPOINT,
        "rest_until",
        "former_secret_until",
        "failing_since",
        only=_E.deleted_at.is_(None),
    ),
)

_S = SANDBOX_ORDER.c
_old = (
    select(_S.id)
    .where(_S.ended_at < bindparam("ended_before", type_=INSTANT))
    .limit(bindparam("limit"))
    .with_for_update(skip_locked=True)
)
_PRUNE = compiled(delete(SANDBOX_ORDER).where(_S.id.in_(_old)).returning(_S.id))


@attrs.frozen
class PostgresSandboxOrders:
    """See ``ports.sandbox_orders.SandboxOrders``."""

    _session: Session

    async def add(self, order: SandboxOrder) -> None:
        """Store a new order."""
        await self._session.write(_ADD, _row(order), order.id)

    async def save(self, order: SandboxOrder) -> None:
        """Store an order as it is now."""
        await self._session.write(_SAVE, _row(order), order.id)

    async def get(self, order_id: SandboxOrderId, *, owner: MerchantId) -> SandboxOrder:
        """Return an order of a merchant's, or raise NotFound."""
        row = await self._session.row(_GET, id=order_id, owner=owner)
        if row is None:
            raise NotFound("test order", order_id)
        return _order(row)

    async def lock(self, order_id: SandboxOrderId) -> SandboxOrder:
        """Return an order and lock its row, or raise NotFound."""
        row = await self._session.row(_LOCK, id=order_id)
        if row is None:
            raise NotFound("test order", order_id)
        return _order(row)

    async def bring_nearer(self, *, owner: MerchantId, by: timedelta, at: datetime) -> None:
        """Have all that a merchant's account waits for come sooner: a statement for each table."""
        for statement in _NEARER:
            given = {"owner": owner, "by": by, "at": at}
            await self._session.rows(statement, **{name: given[name] for name in statement.names})

    async def prune(self, *, ended_before: datetime, limit: int) -> int:
        """Drop orders that ended before a time; return how many."""
        return len(await self._session.rows(_PRUNE, ended_before=ended_before, limit=limit))


def _row(order: SandboxOrder) -> Row:
    return {
        "id": order.id,
        "merchant_id": order.merchant_id,
        "task": documents.write(order.task, Task),
        "state": order.state,
        "created_at": order.created_at,
        "begun_at": order.begun_at,
        "ended_at": order.ended_at,
        "reason": order.reason,
        "transaction_hash": order.transaction,
    }


def _order(row: Row) -> SandboxOrder:
    return SandboxOrder(
        id=row["id"],
        merchant_id=row["merchant_id"],
        task=documents.read_union(row["task"], Task),
        created_at=row["created_at"],
        state=OrderState(row["state"]),
        begun_at=row["begun_at"],
        ended_at=row["ended_at"],
        reason=row["reason"],
        transaction=row["transaction_hash"],
    )
