"""What happens to deposits, as merchants are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.customers.view import view_deposit
from domain.shared.events import Event

if TYPE_CHECKING:
    from datetime import datetime

    from domain.customers.model import Deposit
    from domain.shared.money import Assets

RECEIVED = "deposit.received"
"""Money has been seen; it may still be taken back."""
SUCCEEDED = "deposit.succeeded"
"""It is final, and credited."""
BELOW_MINIMUM = "deposit.below_minimum"
"""It is final, and too little to be credited: it waits in suspense."""
RETRACTED = "deposit.retracted"
"""Money seen before is gone: the chain has taken another way."""


def happened(type: str, deposit: Deposit, *, at: datetime, assets: Assets) -> Event:
    """Tell what happened to a deposit."""
    return Event(
        type=type,
        merchant_id=deposit.merchant_id,
        object_id=deposit.id,
        occurred_at=at,
        data=view_deposit(deposit, assets),
    )
