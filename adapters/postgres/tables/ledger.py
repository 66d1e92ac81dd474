"""The books. The triggers that guard them are in the migrations."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, Table

from adapters.postgres.tables.columns import METADATA, NAME, amount, instant, key, name

LEDGER_TRANSACTION = Table(
    "ledger_transaction",
    METADATA,
    key(),
    name("kind"),
    name("reference"),
    instant("effective_at"),
    instant("booked_at"),
    Column("reverses", NAME, ForeignKey("ledger_transaction.id"), nullable=True),
    Column("position", BigInteger, Identity(always=True), nullable=False),
)
"""``position`` is the order of booking."""

Index("ledger_transaction_reference_idx", LEDGER_TRANSACTION.c.reference)

POSTING = Table(
    "posting",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    Column("transaction_id", NAME, ForeignKey("ledger_transaction.id"), nullable=False),
    name("account"),
    name("asset"),
    amount("amount"),
)
"""Debits are positive, credits negative."""

Index("posting_transaction_id_idx", POSTING.c.transaction_id)
Index(
    "posting_account_idx",
    POSTING.c.account,
    POSTING.c.asset,
    postgresql_include=["amount"],
)

BALANCE = Table(
    "balance",
    METADATA,
    Column("account", NAME, primary_key=True),
    Column("asset", NAME, primary_key=True),
    amount("amount"),
)
"""Balances of the constrained accounts, counted on the side where they grow."""

HOLD = Table(
    "hold",
    METADATA,
    key(),
    name("reference"),
    name("source"),
    name("aside"),
    amount("amount"),
    name("asset"),
    instant("expires_at", nullable=True),
    name("state"),
)
