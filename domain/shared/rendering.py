"""How values look to merchants, in the API and in events alike."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from domain.shared.events import Json
    from domain.shared.money import Asset, Assets, Money


def render_money(money: Money, assets: Assets) -> dict[str, Json]:
    """Render money: the smallest units as a string, and whole units beside them."""
    return render_amount(money.amount, assets.find(money.asset))


def render_amount(amount: int, asset: Asset) -> dict[str, Json]:
    """Render an amount of an asset's smallest units."""
    return {
        "asset": asset.id,
        "amount": str(amount),
        "decimal": asset.render(amount),
        "symbol": asset.symbol,
    }


def render_time(at: datetime) -> str:
    """Render a time as RFC 3339 in UTC with microseconds."""
    return at.astimezone(UTC).isoformat(timespec="microseconds").replace("+00:00", "Z")


def render_time_or_none(at: datetime | None) -> str | None:
    """Render a time that may not have come yet."""
    return None if at is None else render_time(at)
