"""API keys as their merchant sees them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.shared.rendering import render_time, render_time_or_none

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.merchants.model import ApiKey, Merchant
    from domain.shared.events import Json
    from domain.shared.ids import KeyId
    from domain.usage.model import Requests


def view_key(key: ApiKey, *, of: Merchant, at: datetime) -> dict[str, Json]:
    """Render a key, which nobody can use who sees this."""
    return {
        "id": key.id,
        "object": "api_key",
        "name": key.name,
        "masked": key.masked,
        "mode": of.mode,
        "scopes": [*sorted(key.scopes)],
        "networks": [str(network) for network in key.networks],
        "active": key.is_active(at=at),
        "created_at": render_time(key.created_at),
        "expires_at": render_time_or_none(key.expires_at),
        "revoked_at": render_time_or_none(key.revoked_at),
        "last_used_at": render_time_or_none(key.last_used_at),
    }


def view_usage(key_id: KeyId, days: Sequence[Requests]) -> dict[str, Json]:
    """Render the requests with a key."""
    return {
        "object": "api_key_usage",
        "api_key": key_id,
        "data": [
            {
                "day": it.day.isoformat(),
                "status_class": f"{it.status_class}xx",
                "requests": it.count,
            }
            for it in days
        ],
    }
