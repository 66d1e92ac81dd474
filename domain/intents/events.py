"""What happens to payment intents, as merchants are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.intents.view import view_intent
from domain.shared.events import Event

if TYPE_CHECKING:
    from datetime import datetime

    from domain.intents.model import PaymentIntent
    from domain.shared.money import Assets

CREATED = "payment_intent.created"
RECEIVED = "payment.received"
"""Money has been seen; it may still be taken back."""
CONFIRMED = "payment.confirmed"
"""Money seen before is final."""
CAPTURED = "payment.captured"
"""The merchant has accepted money that waited in suspense."""
RETURNED = "payment.returned"
"""Money that waited in suspense is counted no more: it goes back, or is another intent's."""
RETRACTED = "payment.retracted"
"""Money seen before is gone: the chain has taken another way."""


def happened(type: str, intent: PaymentIntent, *, at: datetime, assets: Assets) -> Event:
    """Tell what happened to an intent."""
    return Event(
        type=type,
        merchant_id=intent.merchant_id,
        object_id=intent.id,
        occurred_at=at,
        data=view_intent(intent, assets),
    )


def changed(
    before: PaymentIntent, after: PaymentIntent, *types: str, at: datetime, assets: Assets
) -> tuple[Event, ...]:
    """Tell what happened and, where the status is another one now, which it is."""
    if after.status is not before.status:
        types = (*types, f"payment_intent.{after.status.value}")
    return tuple(happened(type, after, at=at, assets=assets) for type in types)
