"""A statement as a document: what is in it, and the bytes that are signed.

The document is JSON. Amounts are strings of smallest units, counted so that what the merchant
has grows; times are RFC 3339 in UTC. Signed are the bytes of ``signed_bytes``: everything but the
signature, keys sorted, without spaces.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from domain.ledger.model import balance
from domain.shared.rendering import render_time

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from domain.ledger.model import Balance, Posting
    from domain.ledger.seals import Seal, SealedTransaction
    from domain.shared.events import Json
    from domain.shared.ids import MerchantId
    from domain.shared.money import Assets, Money

FORMAT = "switchyard-statement/1"


@attrs.frozen(kw_only=True)
class Period:
    """From a time on, and before another."""

    since: datetime
    until: datetime

    def __contains__(self, at: datetime) -> bool:
        return self.since <= at < self.until


def document(
    *,
    merchant_id: MerchantId,
    period: Period,
    opening: Sequence[Balance],
    closing: Sequence[Balance],
    entries: Sequence[SealedTransaction],
    head: Seal | None,
    assets: Assets,
    public_key: str,
    at: datetime,
) -> dict[str, Json]:
    """Write a statement down, all but its signature."""
    numbers = [entry.seal.number for entry in entries]
    return {
        "format": FORMAT,
        "merchant": merchant_id,
        "from": render_time(period.since),
        "to": render_time(period.until),
        "issued_at": render_time(at),
        "accounts": _accounts(opening, closing, assets),
        "transactions": [_transaction(entry, owner=merchant_id) for entry in entries],
        "seals": {
            "first": numbers[0] if numbers else None,
            "last": numbers[-1] if numbers else None,
            "head": _seal(head) if head else None,
        },
        "public_key": public_key,
    }


def signed_bytes(statement: Mapping[str, Json]) -> bytes:
    """Return the bytes that are signed: the whole statement without its signature."""
    unsigned = {name: value for name, value in statement.items() if name != "signature"}
    return json.dumps(unsigned, separators=(",", ":"), sort_keys=True).encode()


def _accounts(
    opening: Sequence[Balance], closing: Sequence[Balance], assets: Assets
) -> list[Json]:
    before = {(it.account, it.money.asset): it.money.amount for it in opening}
    return [
        {
            "account": it.account,
            "asset": it.money.asset,
            "symbol": known.symbol if (known := assets.by_id.get(it.money.asset)) else None,
            "decimals": known.decimals if known else None,
            "opening": str(before.get((it.account, it.money.asset), 0)),
            "closing": str(it.money.amount),
        }
        for it in closing
    ]


def _transaction(entry: SealedTransaction, *, owner: MerchantId) -> Json:
    booked, it = entry.booked, entry.booked.transaction
    values = booked.values or (None,) * len(it.postings)
    return {
        "id": booked.id,
        "kind": it.kind,
        "reference": it.reference,
        "reverses": it.reverses,
        "booked_at": render_time(booked.booked_at),
        "effective_at": render_time(it.effective_at),
        "postings": [
            _posting(posting, value)
            for posting, value in zip(it.postings, values, strict=True)
            if posting.account.startswith(f"merchant:{owner}:")
        ],
        "seal": _seal(entry.seal),
    }


def _posting(posting: Posting, value: Money | None) -> Json:
    worth = balance(posting.account, value).money if value else None
    return {
        "account": posting.account,
        "asset": posting.money.asset,
        "amount": str(balance(posting.account, posting.money).money.amount),
        "value": {"asset": worth.asset, "amount": str(worth.amount)} if worth else None,
    }


def _seal(seal: Seal) -> Json:
    return {"number": seal.number, "hash": seal.hash.hex()}
