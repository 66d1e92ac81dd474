"""Booked transactions as they are read: one row for each posting, in order."""

from __future__ import annotations

from itertools import groupby
from operator import itemgetter
from typing import TYPE_CHECKING

from sqlalchemy import select

from adapters.postgres.tables.ledger import LEDGER_TRANSACTION, POSTING
from adapters.postgres.tables.values import BOOK_RATE
from domain.ledger.model import BookedTransaction, Posting, Transaction
from domain.shared.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from adapters.postgres.session import Row

T, P = LEDGER_TRANSACTION.c, POSTING.c

BOOKED = (
    select(LEDGER_TRANSACTION, P.account, P.asset, P.amount, P.value, BOOK_RATE.c.currency)
    .select_from(LEDGER_TRANSACTION)
    .join(POSTING, P.transaction_id == T.id)
    .outerjoin(BOOK_RATE, BOOK_RATE.c.id == P.rate_id)
)
"""All transactions; who restricts them also brings them into order, by transaction and line."""


def booked(rows: Iterable[Row]) -> list[BookedTransaction]:
    """Return transactions from the rows of their postings, which come one after the other."""
    return [_booked(list(lines)) for _, lines in groupby(rows, itemgetter("id"))]


def money_of(row: Row) -> Money:
    """Return what a row says in its columns ``amount`` and ``asset``."""
    return Money(int(row["amount"]), row["asset"])


def _booked(lines: Sequence[Row]) -> BookedTransaction:
    first = lines[0]
    return BookedTransaction(
        id=first["id"],
        booked_at=first["booked_at"],
        transaction=Transaction(
            kind=first["kind"],
            reference=first["reference"],
            postings=tuple(Posting(line["account"], money_of(line)) for line in lines),
            effective_at=first["effective_at"],
            reverses=first["reverses"],
            note=first["note"],
        ),
        values=tuple(
            None if line["value"] is None else Money(int(line["value"]), line["currency"])
            for line in lines
        ),
    )
