"""An order of a test account as its merchant sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.sandbox.model import AdvanceClock, FailDeliveries, Pay, Reorganize
from domain.shared.rendering import render_money, render_time, render_time_or_none

if TYPE_CHECKING:
    from domain.sandbox.model import SandboxOrder, Task
    from domain.shared.events import Json
    from domain.shared.money import Assets

_WITHOUT: dict[str, Json] = {
    "payment_intent": None,
    "amount": None,
    "seconds": None,
    "chain": None,
    "depth": None,
    "webhook_endpoint": None,
    "answer": None,
    "times": None,
}


def view_order(order: SandboxOrder, assets: Assets) -> dict[str, Json]:
    """Show an order and what came of it."""
    late = isinstance(order.task, Pay) and order.task.late
    return {
        "id": order.id,
        "object": "test_order",
        "action": "pay_late" if late else order.task.action,
        "status": order.state.value,
        "reason": order.reason,
        "transaction": order.transaction,
        **_WITHOUT,
        **_particulars(order.task, assets),
        "created_at": render_time(order.created_at),
        "ended_at": render_time_or_none(order.ended_at),
    }


def _particulars(task: Task, assets: Assets) -> dict[str, Json]:
    match task:
        case Pay(intent_id=intent, money=money):
            return {"payment_intent": intent, "amount": render_money(money, assets)}
        case AdvanceClock(seconds=seconds):
            return {"seconds": seconds}
        case Reorganize(chain=chain, depth=depth):
            return {"chain": chain, "depth": depth}
        case FailDeliveries(endpoint_id=endpoint, answer=answer, times=times):
            shown = None if answer is None else answer.value
            return {"webhook_endpoint": endpoint, "answer": shown, "times": times}
