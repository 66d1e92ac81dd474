"""What Stars mean in the books.

What comes in is held with Telegram, where it cannot be withdrawn for a while, and is in suspense
until an intent captures it into what its merchant has pending. When the while is over both become
free in one transaction. A refund first undoes the bookings of its intent, so that the Stars are
in suspense again and nobody's, and takes them from there once Telegram has carried it out.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from domain.intents import booking as intent_booking
from domain.ledger.accounts import available, custody, pending, suspense
from domain.ledger.model import Transaction, credit, debit
from domain.shared.money import Money
from domain.stars.model import STARS

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.ledger.accounts import Account
    from domain.ledger.model import BookedTransaction
    from domain.shared.ids import MerchantId
    from domain.stars.model import StarPayment

HELD: Final = custody("stars", "held")
"""Stars that Telegram does not let us withdraw yet."""
WITHDRAWABLE: Final = custody("stars", "withdrawable")
SUSPENSE: Final = suspense("stars")

_UNDONE: Final = frozenset({"capture", "mature"})
"""The kinds of transactions that a refund reverses; a receipt stands, the Stars did come."""


def receipt(payment: StarPayment) -> Transaction:
    """Book Stars that have come in."""
    return intent_booking.deposit(
        reference=payment.reference,
        into=HELD,
        suspense=SUSPENSE,
        money=payment.money,
        at=payment.paid_at,
    )


def mature(
    payment: StarPayment, *, owner: MerchantId | None, net: Money, at: datetime
) -> Transaction:
    """Book that Stars can be withdrawn, and that a merchant can have what it earned of them."""
    postings = [debit(WITHDRAWABLE, payment.money), credit(HELD, payment.money)]
    if owner is not None and net:
        postings += [debit(pending(owner), net), credit(available(owner), net)]
    return Transaction(
        kind="mature", reference=payment.reference, postings=tuple(postings), effective_at=at
    )


def refund(payment: StarPayment, *, source: Account, at: datetime) -> Transaction:
    """Book Stars that have left us for the payer; what they were for must be in suspense."""
    return Transaction(
        kind="refund",
        reference=payment.reference,
        postings=(debit(SUSPENSE, payment.money), credit(source, payment.money)),
        effective_at=at,
    )


def standing(booked: Sequence[BookedTransaction]) -> Sequence[BookedTransaction]:
    """Return what a refund has to reverse of what was booked for a payment, newest first."""
    undone = {it.transaction.reverses for it in booked}
    return [
        it for it in reversed(booked) if it.transaction.kind in _UNDONE and it.id not in undone
    ]


def earned(booked: Sequence[BookedTransaction], owner: MerchantId) -> Money:
    """Return what a merchant has of captures that stand, the fees taken off."""
    net = sum(
        -posting.money.amount
        for it in standing(booked)
        if it.transaction.kind == "capture"
        for posting in it.transaction.postings
        if posting.account == pending(owner)
    )
    return Money(net, STARS)
