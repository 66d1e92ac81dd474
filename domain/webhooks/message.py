"""The body of a webhook: one event, in the words of the event feed."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from domain.shared.rendering import render_time

if TYPE_CHECKING:
    from domain.shared.events import Json, RecordedEvent


def view_event(recorded: RecordedEvent, *, previous: int) -> dict[str, Json]:
    """Show an event, in the feed and in a webhook alike.

    ``sequence`` counts a merchant's events without gaps. ``previous_sequence`` is that of the
    event before, as this reader is told of events: an endpoint is told only of the types it
    wants. Whoever does not know the event before has missed it, and can pull it from the feed.
    """
    event = recorded.event
    return {
        "id": recorded.id,
        "object": "event",
        "type": event.type,
        "sequence": recorded.sequence,
        "previous_sequence": previous,
        "timestamp": render_time(event.occurred_at),
        "data": dict(event.data),
    }


_encode = json.JSONEncoder(separators=(",", ":"), sort_keys=True).encode


def render(recorded: RecordedEvent, *, previous: int) -> bytes:
    """Return the bytes that are signed and sent, the same at each try."""
    return _encode(view_event(recorded, previous=previous)).encode()
