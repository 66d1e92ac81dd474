"""What happens to webhook endpoints, as merchants are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.shared.events import Event
from domain.shared.platform import PlatformEvent
from domain.shared.platform import happened as happened_to_gateway
from domain.webhooks.view import view_endpoint

if TYPE_CHECKING:
    from datetime import datetime

    from domain.webhooks.endpoint import Endpoint

DISABLED = "webhook_endpoint.disabled"
"""It is gone (410), or has failed for days. The merchant learns of it from the feed."""


def happened(type: str, endpoint: Endpoint, *, at: datetime) -> Event:
    """Tell what happened to an endpoint."""
    return Event(
        type=type,
        merchant_id=endpoint.merchant_id,
        object_id=endpoint.id,
        occurred_at=at,
        data=view_endpoint(endpoint),
    )


def told_operators(endpoint: Endpoint, *, at: datetime) -> Event:
    """Tell operators that an endpoint is off; its address, which may hold secrets, is left out."""
    return happened_to_gateway(
        PlatformEvent.ENDPOINT_DISABLED,
        endpoint.id,
        at=at,
        merchant=endpoint.merchant_id,
        reason=endpoint.disabled_reason,
    )


def told_unsigned(endpoint: Endpoint, *, at: datetime) -> Event:
    """Tell operators that nothing can be sent to an endpoint, because its secret does not open."""
    return happened_to_gateway(
        PlatformEvent.ENDPOINT_UNSIGNED,
        endpoint.id,
        at=at,
        merchant=endpoint.merchant_id,
        reason="secret_unreadable",
    )
