"""What happens to settlements and payouts, as merchants are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.settlements.view import view_payout, view_settlement
from domain.shared.events import Event

if TYPE_CHECKING:
    from datetime import datetime

    from domain.settlements.model import Settlement
    from domain.settlements.payouts import Payout
    from domain.shared.money import Assets


def settlement_changed(settlement: Settlement, *, at: datetime, assets: Assets) -> Event:
    """Tell which state a settlement is in now."""
    return Event(
        type=f"settlement.{settlement.state.value}",
        merchant_id=settlement.merchant_id,
        object_id=settlement.id,
        occurred_at=at,
        data=view_settlement(settlement, assets),
    )


def payout_changed(payout: Payout, *, at: datetime, assets: Assets) -> tuple[Event, ...]:
    """Tell which state a payout is in now; nobody where it is no merchant's."""
    if payout.merchant_id is None:
        return ()
    told = Event(
        type=f"payout.{payout.state.value}",
        merchant_id=payout.merchant_id,
        object_id=payout.id,
        occurred_at=at,
        data=view_payout(payout, assets),
    )
    return (told,)
