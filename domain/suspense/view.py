"""Items in suspense and decisions, as operators see them and merchants may come to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.shared.rendering import render_amount, render_time

if TYPE_CHECKING:
    from datetime import datetime

    from domain.settlements.payouts import Payout
    from domain.shared.events import Json
    from domain.shared.money import AssetId, Assets
    from domain.suspense.model import Decision, SuspenseItem


def view_item(item: SuspenseItem, assets: Assets, *, at: datetime) -> dict[str, Json]:
    """Show an item, and how old it is by now."""
    asset = item.money.asset
    return {
        "id": item.id,
        "object": "suspense_item",
        "state": item.state.value,
        "why": item.why.value,
        "amount": _view_amount(item.money.amount, asset, assets),
        "amount_left": _view_amount(item.left, asset, assets),
        "chain": item.chain,
        "transaction": item.key.transaction,
        "source": item.source,
        "target": item.target,
        "memo": item.memo,
        "paid_to": item.paid_to,
        "counted_by": item.counted_by,
        "payout": item.payout_id,
        "paid_at": render_time(item.paid_at),
        "age_seconds": int((at - item.paid_at).total_seconds()),
    }


def view_decision(decision: Decision, assets: Assets) -> dict[str, Json]:
    """Show what was decided, by whom, when and why."""
    return {
        "id": decision.id,
        "object": "suspense_decision",
        "item": decision.item_id,
        "verdict": decision.verdict.value,
        "amount": _view_amount(decision.money.amount, decision.money.asset, assets),
        "by": decision.by,
        "note": decision.note,
        "at": render_time(decision.at),
        "intent": decision.intent_id,
        "taken_from": decision.taken_from,
        "destination": decision.destination,
        "payout": decision.payout_id,
    }


def view_return(payout: Payout) -> dict[str, Json]:
    """Show how far money that goes back has come."""
    return {
        "id": payout.id,
        "state": payout.state.value,
        "destination": payout.destination,
        "transaction": payout.transaction,
        "reason": payout.reason,
    }


def _view_amount(amount: int, asset: AssetId, assets: Assets) -> dict[str, Json]:
    """Show an amount, also of an asset that has been taken off the list meanwhile."""
    known = assets.by_id.get(asset)
    if known is not None:
        return render_amount(amount, known)
    return {"asset": asset, "amount": str(amount), "decimal": None, "symbol": None}
