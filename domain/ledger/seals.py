"""Seals: a chain of hashes over the books, so that no past transaction can be changed unseen.

Seal ``n`` hashes the hash of seal ``n - 1`` and the canonical text of one transaction. The order
is that of sealing: transactions commit in any order, and are sealed a moment later, one by one.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs

from domain.ledger.model import BookedTransaction
from domain.shared.chaining import GENESIS, linked
from domain.shared.ids import TransactionId
from domain.shared.rendering import render_time

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


@attrs.frozen
class Seal:
    """One link of the chain."""

    number: int
    """1 for the first, then without gaps."""
    transaction_id: TransactionId
    hash: bytes
    """SHA-256 of the hash before it (32 bytes) and of ``canonical`` of the transaction."""


@attrs.frozen
class SealedTransaction:
    """A transaction as it stands in the books now, with the seal it was given."""

    seal: Seal
    booked: BookedTransaction


def canonical(booked: BookedTransaction) -> bytes:
    """Write a transaction as the bytes that are hashed: JSON, keys sorted, without spaces."""
    transaction = booked.transaction
    return json.dumps(
        {
            "id": booked.id,
            "kind": transaction.kind,
            "reference": transaction.reference,
            "effective_at": render_time(transaction.effective_at),
            "booked_at": render_time(booked.booked_at),
            "reverses": transaction.reverses,
            "note": transaction.note,
            "postings": [
                [posting.account, posting.money.asset, str(posting.money.amount)]
                for posting in transaction.postings
            ],
        },
        separators=(",", ":"),
        sort_keys=True,
    ).encode()


def link(before: bytes, booked: BookedTransaction) -> bytes:
    """Return the hash that continues a chain over one more transaction."""
    return linked(before, [canonical(booked)])


def continued(last: Seal | None, booked: Iterable[BookedTransaction]) -> Iterator[Seal]:
    """Seal transactions, in order, after the newest seal."""
    number, hash = (last.number, last.hash) if last else (0, GENESIS)
    for each in booked:
        number, hash = number + 1, link(hash, each)
        yield Seal(number, each.id, hash)
