"""A webhook endpoint as its merchant sees it. Its secret is shown once, elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.shared.rendering import render_time

if TYPE_CHECKING:
    from domain.shared.events import Json
    from domain.webhooks.model import Endpoint


def view_endpoint(endpoint: Endpoint) -> dict[str, Json]:
    """Show an endpoint."""
    return {
        "id": endpoint.id,
        "object": "webhook_endpoint",
        "url": endpoint.url,
        "enabled": endpoint.enabled,
        "types": sorted(endpoint.types),
        "created_at": render_time(endpoint.created_at),
    }
