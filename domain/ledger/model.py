"""Double entry: transactions whose postings sum to zero per asset, and balances of accounts."""

from __future__ import annotations

from collections import defaultdict
from datetime import datetime

import attrs

from domain.ledger.accounts import Account, Side, side
from domain.shared.ids import TransactionId
from domain.shared.money import AssetId, Money

OF_HOLDS = frozenset({"hold", "post", "void"})
"""The kinds of transactions by which holds begin and end."""


@attrs.frozen
class Unbalanced(ValueError):
    """The postings of one transaction do not sum to zero in an asset."""

    asset: AssetId
    excess: int


@attrs.frozen
class EmptyTransaction(ValueError):
    """A transaction moves nothing."""

    reference: str


@attrs.frozen
class InsufficientFunds(Exception):
    """A constrained account would fall below zero."""

    account: Account
    asset: AssetId


@attrs.frozen
class SidesDiffer(ValueError):
    """Money cannot simply move between an account of what we hold and one of what we owe."""

    source: Account
    target: Account


@attrs.frozen
class AlreadyReversed(Exception):
    """The transaction has been reversed before, once and for all."""

    id: TransactionId


@attrs.frozen
class NotReversible(Exception):
    """The transaction cannot be undone by its opposite."""

    id: TransactionId
    why: str


@attrs.frozen
class Posting:
    """One side of a movement: a debit is positive, a credit negative."""

    account: Account
    money: Money


def debit(account: Account, money: Money) -> Posting:
    """Post to the left: assets and expenses grow, liabilities and income shrink."""
    return Posting(account, money)


def credit(account: Account, money: Money) -> Posting:
    """Post to the right: liabilities and income grow, assets and expenses shrink."""
    return Posting(account, -money)


@attrs.frozen
class Transaction:
    """A movement of money, complete or not at all. Never changed once booked.

    Raises:
        Unbalanced: the postings do not sum to zero per asset.
        EmptyTransaction: there are no postings, or one of them moves nothing.
        NotInChart: a posting names an account outside the chart.
    """

    kind: str
    """What happened, as a word of the field: ``capture``, ``release``, ``payout``."""
    reference: str
    """The object that caused it: an intent, escrow, payout or chain transaction."""
    postings: tuple[Posting, ...]
    effective_at: datetime
    """When it took effect outside; the time of booking is the ledger's."""
    reverses: TransactionId | None = None
    note: str | None = None
    """Why, in the words of the person who booked it; None for what the gateway books itself."""

    def __attrs_post_init__(self) -> None:
        if not self.postings or not all(posting.money for posting in self.postings):
            raise EmptyTransaction(self.reference)
        sums: dict[AssetId, int] = defaultdict(int)
        for posting in self.postings:
            side(posting.account)
            sums[posting.money.asset] += posting.money.amount
        for asset, excess in sums.items():
            if excess:
                raise Unbalanced(asset, excess)


@attrs.frozen
class BookedTransaction:
    """A transaction as the ledger keeps it."""

    id: TransactionId
    booked_at: datetime
    transaction: Transaction
    values: tuple[Money | None, ...] = ()
    """What each posting was worth when it was booked, in the books' currency: a report, no money
    that anybody holds, and no part of the hash. None where there was no rate."""

    def reversal(self, *, at: datetime, note: str | None = None) -> Transaction:
        """Return the transaction that undoes this one by new postings.

        Raises:
            NotReversible: it is a reversal, or belongs to a hold, which ends by its own rules.
        """
        if self.transaction.reverses is not None:
            raise NotReversible(self.id, "it is a reversal itself")
        if self.transaction.kind in OF_HOLDS:
            raise NotReversible(self.id, "the hold's state would no longer be what is booked")
        return Transaction(
            kind="reversal",
            reference=self.transaction.reference,
            postings=tuple(
                Posting(posting.account, -posting.money) for posting in self.transaction.postings
            ),
            effective_at=at,
            reverses=self.id,
            note=note,
        )


@attrs.frozen
class Balance:
    """What an account holds of an asset, counted on the side where it grows."""

    account: Account
    money: Money


def balance(account: Account, debits_less_credits: Money) -> Balance:
    """Turn the sum of an account's postings into its balance."""
    natural = debits_less_credits if side(account) is Side.DEBIT else -debits_less_credits
    return Balance(account, natural)


def movement(
    *, kind: str, reference: str, source: Account, target: Account, money: Money, at: datetime
) -> Transaction:
    """Move money between two accounts of the same side: out of ``source``, into ``target``.

    Raises:
        SidesDiffer: one of them is what we hold, the other what we owe.
    """
    if side(source) is not side(target):
        raise SidesDiffer(source, target)
    grow, shrink = (debit, credit) if side(target) is Side.DEBIT else (credit, debit)
    return Transaction(
        kind=kind,
        reference=reference,
        postings=(shrink(source, money), grow(target, money)),
        effective_at=at,
    )
