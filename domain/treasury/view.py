"""Wallets and gas tanks, as operators see them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.shared.rendering import render_amount, render_time, render_time_or_none
from domain.treasury.model import Condition

if TYPE_CHECKING:
    from domain.shared.events import Json
    from domain.shared.money import AssetId, Assets
    from domain.treasury.model import Alarm, ColdTransfer
    from domain.treasury.overview import GasTank, Holdings


def view_holdings(holdings: Holdings, assets: Assets) -> dict[str, Json]:
    """Show what there is of an asset, and where. What is unswept is shown as such."""
    asset, position = assets.find(holdings.asset), holdings.position
    unswept = holdings.unswept
    return {
        "object": "holdings",
        "asset": holdings.asset,
        "hot": render_amount(holdings.hot, asset),
        "can_be_paid_out": render_amount(position.free, asset),
        "owed": render_amount(position.owed, asset),
        "cold": render_amount(position.cold, asset),
        "deposits": render_amount(position.unswept, asset),
        "unswept": {
            **render_amount(unswept.money.amount, asset),
            "addresses": unswept.addresses,
            "oldest_address_at": render_time_or_none(unswept.oldest),
        },
        "bring_from_cold": render_amount(holdings.bring, asset),
        "moving_to_cold": _view_transfer(holdings.moving, assets),
        **_view_alarm(holdings.alarm),
    }


def view_tank(found: GasTank, assets: Assets) -> dict[str, Json]:
    """Show a gas tank, and how long it lasts at the pace of late."""
    coin, tank = found.coin, found.tank
    return {
        "object": "gas_tank",
        "chain": found.chain,
        "held": _view_coins(tank.held, coin, assets),
        "spent_per_day": _view_coins(tank.per_day, coin, assets),
        "days_left": tank.days_left,
        **_view_alarm(found.alarm),
    }


def _view_coins(amount: int, coin: AssetId, assets: Assets) -> dict[str, Json]:
    """Show an amount of a coin, which pays for fees whether it is on the list or not."""
    known = assets.by_id.get(coin)
    if known is not None:
        return render_amount(amount, known)
    return {"asset": coin, "amount": str(amount), "decimal": None, "symbol": None}


def _view_transfer(transfer: ColdTransfer | None, assets: Assets) -> Json:
    if transfer is None:
        return None
    return {
        **render_amount(transfer.money.amount, assets.find(transfer.money.asset)),
        "id": transfer.id,
        "payout": transfer.payout_id,
        "target": transfer.target,
        "created_at": render_time(transfer.created_at),
    }


def _view_alarm(alarm: Alarm | None) -> dict[str, Json]:
    """Show a condition; what nobody has been told anything of has always been well."""
    condition = alarm.condition if alarm else Condition.OK
    return {"condition": condition.value, "since": render_time(alarm.since) if alarm else None}
