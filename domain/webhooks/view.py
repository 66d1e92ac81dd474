"""Webhook endpoints and deliveries as their merchant sees them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from domain.shared.rendering import render_time, render_time_or_none
from domain.webhooks.message import render, view_event

if TYPE_CHECKING:
    from domain.shared.events import Json, RecordedEvent
    from domain.webhooks.endpoint import Endpoint
    from domain.webhooks.model import Delivery, Try


def view_endpoint(endpoint: Endpoint) -> dict[str, Json]:
    """Show an endpoint, without its secret."""
    return {
        "id": endpoint.id,
        "object": "webhook_endpoint",
        "url": endpoint.url,
        "description": endpoint.description,
        "enabled": endpoint.enabled,
        "disabled_reason": endpoint.disabled_reason,
        "types": sorted(endpoint.types),
        "hex_signature": endpoint.hex_signature,
        "former_secret_until": render_time_or_none(endpoint.former_secret_until),
        "failing_since": render_time_or_none(endpoint.failing_since),
        "metadata": dict(endpoint.metadata),
        "created_at": render_time(endpoint.created_at),
    }


def view_secret(endpoint: Endpoint) -> dict[str, Json]:
    """Show an endpoint with its secret: to whoever has made either, and to nobody later."""
    return {**view_endpoint(endpoint), "secret": endpoint.secret}


def view_delivery(delivery: Delivery) -> dict[str, Json]:
    """Show a delivery without what was sent and answered."""
    last = delivery.tries[-1] if delivery.tries else None
    return {
        "id": delivery.id,
        "object": "webhook_delivery",
        "endpoint": delivery.endpoint_id,
        "event": delivery.event_id,
        "sequence": delivery.sequence,
        "previous_sequence": delivery.previous_sequence,
        "state": delivery.state,
        "attempts": len(delivery.tries),
        "last_status": None if last is None else last.status,
        "next_try_at": render_time_or_none(delivery.next_try_at),
        "created_at": render_time(delivery.created_at),
    }


def view_beside(event: RecordedEvent | None, endpoint: Endpoint | None) -> dict[str, Json]:
    """Show what stands beside a delivery, the event as in the feed; null where it does not."""
    return {
        "event": None if event is None else view_event(event, previous=event.sequence - 1),
        "endpoint": None if endpoint is None else view_endpoint(endpoint),
    }


def view_delivery_log(delivery: Delivery, recorded: RecordedEvent) -> dict[str, Json]:
    """Show a delivery, the body that each try sends, and what came of each."""
    body = json.loads(render(recorded, previous=delivery.previous_sequence))
    return {
        **view_delivery(delivery),
        "body": body,
        "tries": [_view_try(tried, recorded) for tried in delivery.tries],
    }


def _view_try(tried: Try, recorded: RecordedEvent) -> dict[str, Json]:
    answered = tried.status is not None
    return {
        "at": render_time(tried.at),
        "accepted": tried.accepted,
        "simulated": tried.simulated,
        "duration_ms": tried.milliseconds,
        "request": {
            "url": tried.url,
            "headers": {
                "webhook-id": recorded.id,
                "webhook-timestamp": str(int(tried.at.timestamp())),
            },
        },
        "response": {
            "status": tried.status,
            "headers": dict(tried.headers),
            "body": tried.detail,
        }
        if answered
        else None,
        "error": None if answered else tried.detail,
    }
