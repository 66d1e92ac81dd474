"""What happens to escrows, as merchants are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.escrow.view import view_escrow
from domain.shared.events import Event

if TYPE_CHECKING:
    from datetime import datetime

    from domain.escrow.model import Escrow
    from domain.shared.money import Assets

HELD = "escrow.held"
DISPUTED = "escrow.disputed"
RELEASED = "escrow.released"
REFUNDED = "escrow.refunded"
RESOLVED = "escrow.resolved"
RELEASE_REQUESTED = "escrow.release_requested"
REFUND_REQUESTED = "escrow.refund_requested"
REQUEST_FAILED = "escrow.request_failed"
"""The chain has refused what was asked for, with proof; the escrow is as it was."""
CREDITED = "escrow.credited"
"""The contract could not push a part to its owner, and keeps it for him as a claim."""
WITHDRAWN = "escrow.withdrawn"
"""The owner of a claim has taken it out of the contract."""


def happened(type: str, escrow: Escrow, *, at: datetime, assets: Assets) -> Event:
    """Tell what happened to an escrow."""
    return Event(
        type=type,
        merchant_id=escrow.merchant_id,
        object_id=escrow.id,
        occurred_at=at,
        data=view_escrow(escrow, assets),
    )
