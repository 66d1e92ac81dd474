"""Whether a payer may pay: decided from what the intent is at this moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domain.intents.model import IntentStatus, Method

if TYPE_CHECKING:
    from datetime import datetime

    from domain.intents.model import PaymentIntent
    from domain.stars.model import PreCheckout

CURRENCY: Final = "XTR"
"""What the Bot API calls Stars."""

UNKNOWN: Final = "This invoice is not known here. Please ask the shop for a new one."
EXPIRED: Final = "The time to pay this invoice is over. Please ask the shop for a new one."
CANCELED: Final = "This invoice was withdrawn by the shop."
PAID: Final = "This invoice has been paid already."
WRONG_AMOUNT: Final = "The price has changed. Please ask the shop for a new invoice."
TRY_AGAIN: Final = "The shop cannot be reached at the moment. Please try again in a minute."
"""What payers read, who cannot be told more."""


def refusal(
    asked: PreCheckout, intent: PaymentIntent | None, *, charged: bool, at: datetime
) -> str | None:
    """Return why a payment must not be made, in words for the payer; None where it may.

    Args:
        asked: What the payer is about to do.
        intent: The intent that the payload names, if there is one.
        charged: Whether a charge for it is here already, whatever has become of that.
        at: Now.
    """
    if intent is None or intent.method is not Method.STARS:
        return UNKNOWN
    if charged or intent.status in {IntentStatus.PROCESSING, IntentStatus.SUCCEEDED}:
        return PAID
    if intent.status is IntentStatus.CANCELED:
        return CANCELED
    if intent.status is not IntentStatus.REQUIRES_PAYMENT or at >= intent.expires_at:
        return EXPIRED
    if (asked.currency, asked.amount) != (CURRENCY, intent.due.amount):
        return WRONG_AMOUNT
    return None
