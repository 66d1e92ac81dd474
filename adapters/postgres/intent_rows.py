"""Rows of payment intents and quotes, and the values they stand for."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.postgres import documents
from domain.fees.model import FeeSchedule
from domain.intents.attempts import Attempt
from domain.intents.model import (
    IntentStatus,
    Method,
    PaymentException,
    PaymentIntent,
    PayTo,
    SharedAddress,
)
from domain.intents.quotes import Quote, RateObservation
from domain.merchants.model import PaymentPolicy
from domain.shared.money import Money

if TYPE_CHECKING:
    from adapters.postgres.session import Row

_SOURCES = tuple[RateObservation, ...]


def row_of_intent(intent: PaymentIntent) -> Row:
    """Return an intent as a row of ``payment_intent``."""
    return {
        "id": intent.id,
        "merchant_id": intent.merchant_id,
        "price_amount": intent.price.amount,
        "price_asset": intent.price.asset,
        "due_amount": intent.due.amount,
        "due_asset": intent.due.asset,
        "quote_id": intent.quote_id,
        "method": intent.method,
        "pay_to": documents.write(intent.pay_to, PayTo),
        "fees": documents.write(intent.fees),
        "policy": documents.write(intent.policy),
        "created_at": intent.created_at,
        "expires_at": intent.expires_at,
        "attempt": documents.write(intent.attempt),
        "status": intent.status,
        "exception": intent.exception,
        "received": intent.received,
        "final": intent.final,
        "captured": intent.captured,
        "description": intent.description,
        "metadata": documents.write_json(dict(intent.metadata)),
        "memo": intent.pay_to.memo if isinstance(intent.pay_to, SharedAddress) else None,
    }


def intent_of(row: Row) -> PaymentIntent:
    """Return the intent that a row of ``payment_intent`` stands for."""
    return PaymentIntent(
        id=row["id"],
        merchant_id=row["merchant_id"],
        price=Money(int(row["price_amount"]), row["price_asset"]),
        due=Money(int(row["due_amount"]), row["due_asset"]),
        quote_id=row["quote_id"],
        method=Method(row["method"]),
        pay_to=documents.read_union(row["pay_to"], PayTo),
        fees=documents.read(row["fees"], FeeSchedule),
        policy=documents.read(row["policy"], PaymentPolicy),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
        attempt=documents.read(row["attempt"], Attempt),
        status=IntentStatus(row["status"]),
        exception=PaymentException(row["exception"]),
        received=int(row["received"]),
        final=int(row["final"]),
        captured=int(row["captured"]),
        description=row["description"],
        metadata=documents.read(row["metadata"], dict[str, str]),
    )


def row_of_quote(quote: Quote) -> Row:
    """Return a quote as a row of ``quote``."""
    return {
        "id": quote.id,
        "merchant_id": quote.merchant_id,
        "price_amount": quote.price.amount,
        "price_asset": quote.price.asset,
        "due_amount": quote.due.amount,
        "due_asset": quote.due.asset,
        "rate": quote.rate,
        "spread_bps": quote.spread_bps,
        "sources": documents.write(quote.sources, _SOURCES),
        "created_at": quote.created_at,
        "expires_at": quote.expires_at,
    }


def quote_of(row: Row) -> Quote:
    """Return the quote that a row of ``quote`` stands for."""
    return Quote(
        id=row["id"],
        merchant_id=row["merchant_id"],
        price=Money(int(row["price_amount"]), row["price_asset"]),
        due=Money(int(row["due_amount"]), row["due_asset"]),
        rate=row["rate"],
        spread_bps=row["spread_bps"],
        sources=documents.read(row["sources"], _SOURCES),
        created_at=row["created_at"],
        expires_at=row["expires_at"],
    )
