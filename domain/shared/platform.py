"""The gateway's own events: what operators are told, in the log that merchants' events are in.

They have an owner of their own, so that one feed, one sequence without gaps and one fan-out serve
operators as they serve merchants. Nothing of them is handed to anybody's webhooks.
"""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Final

from domain.shared.events import Event
from domain.shared.ids import MerchantId

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from domain.shared.events import Json

PLATFORM: Final = MerchantId("platform")
"""Whose events these are. No merchant is called so: their ids have an underscore."""


class PlatformEvent(enum.StrEnum):
    """What operators are told of."""

    CHAIN_PARKED = "chain.parked"
    CHAIN_RESUMED = "chain.resumed"
    GAP_OPENED = "chain.gap_opened"
    """Blocks that should have been read by now were not."""
    GAP_CLOSED = "chain.gap_closed"
    ASSET_PARKED = "asset.parked"
    ASSET_RESUMED = "asset.resumed"
    WALLET_OK = "wallet.ok"
    WALLET_LOW = "wallet.low"
    WALLET_EMPTY = "wallet.empty"
    JOB_DEAD = "job.dead"
    JOB_RETRIED = "job.retried"
    QUEUE_PAUSED = "queue.paused"
    QUEUE_RESUMED = "queue.resumed"
    QUEUE_RETRIED = "queue.retried"
    """Dead jobs of a queue were made ready again, many at once."""
    QUEUE_STATS = "queue.stats"
    """A queue has grown or shrunk by much, or its jobs wait for long, or do no longer."""
    ENDPOINT_DISABLED = "webhook_endpoint.disabled"
    ENDPOINT_UNSIGNED = "webhook_endpoint.unsigned"
    """Its secret does not open, so nothing is sent to it."""
    HEALTH = "gateway.health"
    """How a chain is read, and which of its providers serve, is not what it was."""


def happened(
    type: PlatformEvent, id: str, *, at: datetime, key: str | None = None, **data: Json
) -> Event:
    """Tell operators what happened to something.

    Args:
        type: What.
        id: To what; it is the first thing that the event's data says.
        at: When.
        key: What the event is found by in the log; the id where nothing is said.
        data: What else there is to say.
    """
    about: Mapping[str, Json] = {"id": id, "object": type.partition(".")[0], **data}
    return Event(
        type=type.value,
        merchant_id=PLATFORM,
        object_id=key or id,
        occurred_at=at,
        data=about,
    )
