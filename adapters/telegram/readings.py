"""What Telegram's updates and transactions say of payments in Stars."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING, Final, TypeGuard

from aiogram.types import TransactionPartnerUser

from domain.shared.money import Money
from domain.stars.model import (
    STARS,
    Charge,
    ChargeId,
    PreCheckout,
    Recurrence,
    Reversal,
    Unexplained,
    UserId,
)

if TYPE_CHECKING:
    from aiogram.types import Message, StarTransaction, SuccessfulPayment, Update

    from domain.stars.model import Listed, StarUpdate

_STARS: Final = "XTR"
_BY_INVOICE: Final = "invoice_payment"
"""The kind of transaction with a user by which invoices are paid and given back."""


def update_of(update: Update) -> StarUpdate | None:
    """Return what an update says of payments in Stars; None where it says nothing of them."""
    asked = update.pre_checkout_query
    if asked is not None:
        return PreCheckout(
            id=asked.id,
            payer=UserId(asked.from_user.id),
            payload=asked.invoice_payload,
            currency=asked.currency,
            amount=asked.total_amount,
        )
    message = update.message
    if message is None:
        return None
    paid, back = message.successful_payment, message.refunded_payment
    if paid is not None and paid.currency == _STARS:
        return Charge(
            id=ChargeId(paid.telegram_payment_charge_id),
            payer=_payer(message),
            payload=paid.invoice_payload,
            money=Money(paid.total_amount, STARS),
            paid_at=message.date.astimezone(UTC),
            recurrence=_recurrence(paid),
        )
    if back is not None and back.currency == _STARS:
        charge_id = ChargeId(back.telegram_payment_charge_id)
        return Reversal(charge_id=charge_id, at=message.date.astimezone(UTC))
    return None


def line_of(line: StarTransaction) -> Listed:
    """Return what a line of the list of transactions says.

    The id of a payment is the charge's, and that of its refund the same once more.
    """
    at = line.date.astimezone(UTC)
    source, receiver = line.source, line.receiver
    if _is_user(source) and source.invoice_payload is not None:
        recurs = source.subscription_period is not None
        return Charge(
            id=ChargeId(line.id),
            payer=UserId(source.user.id),
            payload=source.invoice_payload,
            money=Money(line.amount, STARS),
            paid_at=at,
            recurrence=Recurrence.UNSAID if recurs else Recurrence.ONCE,
        )
    if _is_user(receiver):
        return Reversal(charge_id=ChargeId(line.id), at=at)
    amount = line.amount if receiver is None else -line.amount
    return Unexplained(id=line.id, at=at, money=Money(amount, STARS))


def _is_user(partner: object) -> TypeGuard[TransactionPartnerUser]:
    return isinstance(partner, TransactionPartnerUser) and partner.transaction_type == _BY_INVOICE


def _payer(message: Message) -> UserId:
    """Return who has paid: invoices are paid in a chat with the bot, which has the same number."""
    return UserId(message.from_user.id if message.from_user else message.chat.id)


def _recurrence(paid: SuccessfulPayment) -> Recurrence:
    if paid.is_first_recurring:
        return Recurrence.FIRST
    return Recurrence.RENEWAL if paid.is_recurring else Recurrence.ONCE
