"""The body of a webhook: one event, in the words of the event feed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from domain.shared.rendering import render_time

if TYPE_CHECKING:
    from domain.shared.events import Json, RecordedEvent


def view_event(recorded: RecordedEvent) -> dict[str, Json]:
    """Show an event, in the feed and in a webhook alike.

    ``sequence`` counts a merchant's events without gaps, so that one which is missing is seen.
    """
    event = recorded.event
    return {
        "id": recorded.id,
        "object": "event",
        "type": event.type,
        "sequence": recorded.sequence,
        "timestamp": render_time(event.occurred_at),
        "data": dict(event.data),
    }


def render(recorded: RecordedEvent) -> bytes:
    """Return the bytes that are signed and sent; the same event gives the same bytes."""
    return json.dumps(view_event(recorded), separators=(",", ":"), sort_keys=True).encode()
