"""What test accounts have ordered, stored, and the deadlines that they have brought nearer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime, timedelta

    from domain.sandbox.model import SandboxOrder
    from domain.shared.ids import MerchantId, SandboxOrderId


class SandboxOrders(Protocol):
    """Orders of test accounts."""

    async def add(self, order: SandboxOrder) -> None:
        """Store a new order."""
        ...

    async def save(self, order: SandboxOrder) -> None:
        """Store an order as it is now; only one that was locked in this unit of work."""
        ...

    async def get(self, order_id: SandboxOrderId, *, owner: MerchantId) -> SandboxOrder:
        """Return an order.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
        """
        ...

    async def lock(self, order_id: SandboxOrderId) -> SandboxOrder:
        """Return an order and keep others from changing it.

        Raises:
            NotFound: there is none.
        """
        ...

    async def bring_nearer(self, *, owner: MerchantId, by: timedelta, at: datetime) -> None:
        """Have all that a merchant's account waits for come sooner.

        That is: the end of intents that are not paid; of quotes that count, ``at`` this time; the
        release of escrows that are held, by the gateway's own count; the next try of deliveries
        that are pending; and, of endpoints, how long they rest, how long a former secret signs,
        and since when they fail. What has happened keeps its time.
        """
        ...

    async def prune(self, *, ended_before: datetime, limit: int) -> int:
        """Drop orders, of all merchants, that ended before a time; return how many.

        ``limit`` at most go at a time; those that have not ended stay.
        """
        ...
