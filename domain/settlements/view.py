"""Settlements and payouts as their merchant sees them, in the API and in events alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.shared.rendering import render_money, render_time

if TYPE_CHECKING:
    from domain.settlements.model import Settlement
    from domain.settlements.payouts import Payout
    from domain.shared.events import Json
    from domain.shared.money import Assets


def view_settlement(settlement: Settlement, assets: Assets) -> dict[str, Json]:
    """Show a settlement."""
    return {
        "id": settlement.id,
        "object": "settlement",
        "state": settlement.state.value,
        "amount": render_money(settlement.money, assets),
        "payout": settlement.payout_id,
        "created_at": render_time(settlement.created_at),
    }


def view_payout(payout: Payout, assets: Assets) -> dict[str, Json]:
    """Show a payout."""
    return {
        "id": payout.id,
        "object": "payout",
        "state": payout.state.value,
        "settlement": payout.settlement_id,
        "amount": render_money(payout.money, assets),
        "destination": payout.destination,
        "transaction": payout.transaction,
        "reason": payout.reason,
        "created_at": render_time(payout.created_at),
    }
