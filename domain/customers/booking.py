"""What deposits of customers mean in the books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.ledger.accounts import PLATFORM_FEES, available
from domain.ledger.model import Transaction, credit, debit
from domain.shared.money import Money

if TYPE_CHECKING:
    from datetime import datetime

    from domain.chains.places import Places
    from domain.customers.model import Deposit


def crediting(deposit: Deposit, places: Places, *, at: datetime) -> Transaction:
    """Book a deposit that has succeeded: what has come in is the merchant's, less the fee.

    Nothing of it waits for anything, so that it does not go through suspense first.
    """
    money, fee = deposit.money, Money(deposit.fee or 0, deposit.money.asset)
    postings = (
        debit(places.deposits, money),
        credit(available(deposit.merchant_id), money - fee),
        credit(PLATFORM_FEES, fee),
    )
    return Transaction(
        kind="customer_deposit",
        reference=deposit.id,
        postings=tuple(posting for posting in postings if posting.money),
        effective_at=at,
    )
