"""The books. The triggers that guard them are in the migrations."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Index, SmallInteger, Table

from adapters.postgres.tables.columns import (
    AMOUNT,
    METADATA,
    NAME,
    amount,
    instant,
    key,
    name,
    text,
    whole,
)

LEDGER_TRANSACTION = Table(
    "ledger_transaction",
    METADATA,
    key(),
    name("kind"),
    name("reference"),
    instant("effective_at"),
    instant("booked_at"),
    Column("reverses", NAME, ForeignKey("ledger_transaction.id"), nullable=True),
    Column("position", BigInteger, Identity(always=True), nullable=False, unique=True),
    text("note", nullable=True),
)
"""``position`` is the order of booking; commits come in another."""

Index("ledger_transaction_reference_idx", LEDGER_TRANSACTION.c.reference)
Index(
    "ledger_transaction_reverses_key",
    LEDGER_TRANSACTION.c.reverses,
    unique=True,
    postgresql_where=LEDGER_TRANSACTION.c.reverses.is_not(None),
)
Index(
    "ledger_transaction_effective_at_idx",
    LEDGER_TRANSACTION.c.effective_at,
    postgresql_using="brin",
    postgresql_with={"pages_per_range": 32, "autosummarize": "on"},
)

POSTING = Table(
    "posting",
    METADATA,
    key("transaction_id"),
    Column("line", SmallInteger, primary_key=True, autoincrement=False),
    name("account"),
    name("asset"),
    amount("amount"),
    Column("value", AMOUNT, nullable=True),
    whole("rate_id", nullable=True),
)
"""Debits are positive, credits negative.

A trigger sees to it that the transaction exists and balances. ``value`` is what the amount was
worth by ``rate_id``; both are computed by the database when the posting is inserted.
"""

Index("posting_account_idx", POSTING.c.account)

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

Index("hold_lapsing_idx", HOLD.c.expires_at, postgresql_where=HOLD.c.state == "pending")
