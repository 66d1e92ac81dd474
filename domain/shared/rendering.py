"""How values look to merchants, in the API and in events alike."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from domain.shared.events import Json
    from domain.shared.money import Assets, Money


def render_money(money: Money, assets: Assets) -> dict[str, Json]:
    """Render an amount: the smallest units as a string, and whole units beside them."""
    asset = assets.find(money.asset)
    return {
        "asset": money.asset,
        "amount": str(money.amount),
        "decimal": asset.render(money.amount),
        "symbol": asset.symbol,
    }


def render_time(at: datetime) -> str:
    """Render a time as RFC 3339 in UTC with microseconds."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def render_time_or_none(at: datetime | None) -> str | None:
    """Render a time that may not have come yet."""
    return None if at is None else render_time(at)
