"""What the escrow contract's moves mean in the books."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.ledger.accounts import PLATFORM_FEES, available
from domain.ledger.accounts import escrow as held_by
from domain.ledger.model import Transaction, credit, debit
from domain.shared.money import Money

if TYPE_CHECKING:
    from datetime import datetime

    from domain.chains.places import Places
    from domain.escrow.model import Escrow
    from domain.ledger.accounts import Account
    from domain.ledger.model import Posting


def hold(escrow: Escrow, places: Places, *, at: datetime) -> Transaction:
    """Book a payment that the contract holds for good."""
    return _transaction(
        "escrow_hold",
        escrow.id,
        at,
        debit(places.escrow, escrow.terms.money),
        credit(held_by(escrow.id), escrow.terms.money),
    )


def end(
    escrow: Escrow, places: Places, *, merchant_pushed: bool, payer_pushed: bool, at: datetime
) -> Transaction:
    """Book the end of an escrow: the merchant's part, the fee, and the payer's part.

    What could not be pushed has not left the contract. The merchant's part is earned all the
    same; the payer's is kept in suspense until it is withdrawn.
    """
    asset = escrow.terms.money.asset
    net, back = Money(escrow.merchant_amount, asset), Money(escrow.payer_amount, asset)
    fee = escrow.terms.money - net - back
    postings = [
        debit(held_by(escrow.id), escrow.terms.money),
        credit(available(escrow.merchant_id), net),
        credit(PLATFORM_FEES, fee),
        credit(places.escrow if payer_pushed else places.suspense, back),
    ]
    if merchant_pushed:
        postings += [credit(places.escrow, net), debit(places.hot, net)]
    return _transaction(f"escrow_{escrow.state.value}", escrow.id, at, *postings)


def withdrawal(
    *, money: Money, account: str, places: Places, reference: str, at: datetime
) -> Transaction:
    """Book a credit that its owner has taken out of the contract."""
    owner: Account = places.suspense
    if account == places.hot_wallet:
        owner = places.hot
    elif account == places.treasury:
        owner = PLATFORM_FEES
    return _transaction(
        "escrow_withdrawal", reference, at, debit(owner, money), credit(places.escrow, money)
    )


def _transaction(kind: str, reference: str, at: datetime, *postings: Posting) -> Transaction:
    return Transaction(
        kind=kind,
        reference=reference,
        postings=tuple(posting for posting in postings if posting.money),
        effective_at=at,
    )
