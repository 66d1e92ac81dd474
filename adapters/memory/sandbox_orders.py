"""Orders of test accounts, in memory, and deadlines brought nearer."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.rows import add, find, lock, save
from adapters.memory.turn import Turn
from domain.escrow.model import EscrowState
from domain.intents.model import IntentStatus
from domain.webhooks.model import DeliveryState
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from adapters.memory.store import Tables
    from domain.sandbox.model import SandboxOrder
    from domain.shared.ids import MerchantId, SandboxOrderId


@attrs.frozen
class InMemorySandboxOrders:
    """Orders of test accounts."""

    _turn: Turn

    async def add(self, order: SandboxOrder) -> None:
        """Store a new order."""
        tables = await self._turn.tables()
        add(self._turn, "test order", tables.sandbox_orders, order.id, order)

    async def save(self, order: SandboxOrder) -> None:
        """Store an order as it is now; only one that was locked in this unit of work."""
        tables = await self._turn.tables()
        save(self._turn, "test order", tables.sandbox_orders, order.id, order)

    async def get(self, order_id: SandboxOrderId, *, owner: MerchantId) -> SandboxOrder:
        """Return an order of a merchant's."""
        order = find("test order", (await self._turn.tables()).sandbox_orders, order_id)
        if order.merchant_id != owner:
            raise NotFound("test order", order_id)
        return order

    async def lock(self, order_id: SandboxOrderId) -> SandboxOrder:
        """Return an order and keep others from changing it."""
        tables = await self._turn.tables()
        return lock(self._turn, "test order", tables.sandbox_orders, order_id)

    async def bring_nearer(self, *, owner: MerchantId, by: timedelta, at: datetime) -> None:
        """Have all that a merchant's account waits for come sooner."""
        tables = await self._turn.tables()
        for intent in tables.intents.where(owner=owner):
            if intent.status is IntentStatus.REQUIRES_PAYMENT:
                sooner = attrs.evolve(intent, expires_at=intent.expires_at - by)
                tables.intents.put(intent.id, sooner)
        for quote in tables.quotes:
            if quote.merchant_id == owner and quote.expires_at > at:
                tables.quotes.put(quote.id, attrs.evolve(quote, expires_at=quote.expires_at - by))
        for escrow in tables.escrows:
            if escrow.merchant_id == owner and escrow.state is EscrowState.HELD:
                due = escrow.auto_release_at - by
                tables.escrows.put(escrow.id, attrs.evolve(escrow, auto_release_at=due))
        _messages_nearer(tables, owner, by)

    async def prune(self, *, ended_before: datetime, limit: int) -> int:
        """Drop orders that ended before a time; return how many."""
        orders = (await self._turn.tables()).sandbox_orders
        old = [it.id for it in orders if it.ended_at is not None and it.ended_at < ended_before]
        for order_id in old[:limit]:
            orders.remove(order_id)
        return len(old[:limit])


def _messages_nearer(tables: Tables, owner: MerchantId, by: timedelta) -> None:
    for endpoint in tables.endpoints.where(owner=owner):
        if endpoint.deleted_at is None:
            sooner = attrs.evolve(
                endpoint,
                rest_until=_nearer(endpoint.rest_until, by),
                former_secret_until=_nearer(endpoint.former_secret_until, by),
                failing_since=_nearer(endpoint.failing_since, by),
            )
            tables.endpoints.put(endpoint.id, sooner)
    for delivery in tables.deliveries:
        if delivery.merchant_id == owner and delivery.state is DeliveryState.PENDING:
            next_try_at = _nearer(delivery.next_try_at, by)
            tables.deliveries.put(delivery.id, attrs.evolve(delivery, next_try_at=next_try_at))


def _nearer(at: datetime | None, by: timedelta) -> datetime | None:
    return None if at is None else at - by
