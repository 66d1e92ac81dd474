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
        postings += [credit(places.escrow, net), debit(places.pays_from(asset), net)]
    return _transaction(f"escrow_{escrow.state.value}", escrow.id, at, *postings)


def stranger_end(
    *,
    money: Money,
    merchant_amount: int,
    payer_amount: int,
    fee: int,
    places: Places,
    reference: str,
    at: datetime,
) -> Transaction:
    """Book the end of an escrow that is not ours; what was paid into it lay in suspense.

    ``merchant_amount`` and ``payer_amount`` are what has left the contract: not what could not be
    pushed. The fee is the platform's, whoever the merchant is.
    """
    left, earned = Money(merchant_amount + payer_amount, money.asset), Money(fee, money.asset)
    return _transaction(
        "stranger_end",
        reference,
        at,
        debit(places.suspense, left + earned),
        credit(places.escrow, left),
        credit(PLATFORM_FEES, earned),
    )


def withdrawal(
    *, money: Money, account: str, target: str, places: Places, reference: str, at: datetime
) -> Transaction:
    """Book a credit that its owner has taken out of the contract.

    Where it goes to an address of ours that is not its owner's, that is a payment of its own; but
    what a hot wallet that is blocked sends to the cold one has only changed its place.
    """
    owner: Account = places.suspense
    if account == places.hot_wallet == target:
        owner = places.pays_from(money.asset)
    elif (account, target) == (places.hot_wallet, places.cold_wallet):
        owner = places.cold
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
