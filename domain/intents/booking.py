"""What payments to deposit addresses mean in the books.

Final money first goes to suspense, whoever it is for; a capture then takes it from there to the
merchant and the platform. So money that is short, over or late is in the books all the time.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.intents.model import Method
from domain.ledger.accounts import PLATFORM_FEES, available, pending
from domain.ledger.model import Transaction, credit, debit
from domain.shared.money import Money

if TYPE_CHECKING:
    from datetime import datetime

    from domain.intents.model import PaymentIntent
    from domain.ledger.accounts import Account


def deposit(
    *, reference: str, into: Account, suspense: Account, money: Money, at: datetime
) -> Transaction:
    """Book money that has come in for good."""
    return Transaction(
        kind="deposit",
        reference=reference,
        postings=(debit(into, money), credit(suspense, money)),
        effective_at=at,
    )


def capture(
    before: PaymentIntent, after: PaymentIntent, *, suspense: Account, at: datetime
) -> tuple[Transaction, ...]:
    """Book what an intent has captured, the fee taken off; nothing where that is nothing."""
    gained = after.captured - before.captured
    if gained <= 0:
        return ()
    line = after.fees.on(Money(gained, after.due.asset))
    # What Telegram can still take back is the merchant's, and not to be had yet.
    earned = pending if after.method is Method.STARS else available
    return (
        Transaction(
            kind="capture",
            reference=after.id,
            postings=tuple(
                posting
                for posting in (
                    debit(suspense, line.gross),
                    credit(earned(after.merchant_id), line.net),
                    credit(PLATFORM_FEES, line.fee),
                )
                if posting.money
            ),
            effective_at=at,
        ),
    )
