"""Quotes and payment intents.

An intent does not refer to its merchant by a foreign key: every insertion would lock the
merchant's row, and merchants are never deleted.
"""

from __future__ import annotations

from sqlalchemy import Column, Computed, ForeignKey, Index, Numeric, Sequence, Table

from adapters.postgres.tables.columns import (
    METADATA,
    NAME,
    amount,
    document,
    instant,
    key,
    name,
    small,
    text,
)

QUOTE = Table(
    "quote",
    METADATA,
    key(),
    name("merchant_id"),
    amount("price_amount"),
    name("price_asset"),
    amount("due_amount"),
    name("due_asset"),
    Column("rate", Numeric, nullable=False),
    small("spread_bps"),
    document("sources"),
    instant("created_at"),
    instant("expires_at"),
)

PAYMENT_INTENT = Table(
    "payment_intent",
    METADATA,
    key(),
    name("merchant_id"),
    amount("price_amount"),
    name("price_asset"),
    amount("due_amount"),
    name("due_asset"),
    Column("quote_id", NAME, ForeignKey("quote.id"), nullable=False),
    name("method"),
    document("pay_to"),
    document("fees"),
    document("policy"),
    instant("created_at"),
    instant("expires_at"),
    document("attempt"),
    name("status"),
    name("exception"),
    amount("received"),
    amount("final"),
    amount("captured"),
    text("description", nullable=True),
    document("metadata"),
    name("memo", nullable=True),
    Column("chain", NAME, Computed("pay_to ->> 'chain'", persisted=True)),
    Column("deposit_address", NAME, Computed("pay_to ->> 'address'", persisted=True)),
)
"""``chain`` and ``deposit_address`` are read off ``pay_to`` by the database, for its indexes.

``memo`` repeats a part of it as well, in a column that was added without writing the table anew.
"""

_IN_LISTS = (PAYMENT_INTENT.c.created_at, PAYMENT_INTENT.c.id)
Index("payment_intent_of_merchant_idx", PAYMENT_INTENT.c.merchant_id, *_IN_LISTS)
Index(
    "payment_intent_standing_idx",
    PAYMENT_INTENT.c.merchant_id,
    PAYMENT_INTENT.c.method,
    PAYMENT_INTENT.c.status,
    *_IN_LISTS,
)
Index(
    "payment_intent_of_asset_idx",
    PAYMENT_INTENT.c.merchant_id,
    PAYMENT_INTENT.c.due_asset,
    PAYMENT_INTENT.c.method,
    PAYMENT_INTENT.c.status,
    *_IN_LISTS,
)
Index(
    "payment_intent_deposit_address_key",
    PAYMENT_INTENT.c.chain,
    PAYMENT_INTENT.c.deposit_address,
    unique=True,
    postgresql_where=PAYMENT_INTENT.c.deposit_address.is_not(None),
)
Index(
    "payment_intent_memo_key",
    PAYMENT_INTENT.c.chain,
    PAYMENT_INTENT.c.memo,
    unique=True,
    postgresql_where=PAYMENT_INTENT.c.memo.is_not(None),
)
Index(
    "payment_intent_unpaid_idx",
    PAYMENT_INTENT.c.chain,
    PAYMENT_INTENT.c.expires_at,
    postgresql_where=PAYMENT_INTENT.c.status == "requires_payment",
)

DEPOSIT_INDEX = Sequence("deposit_index", metadata=METADATA, start=0, minvalue=0)
"""Blocks of places under the extended public key, reserved by one process each."""
