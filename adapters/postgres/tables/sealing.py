"""Seals of the books, and how far sealing has come."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    Text,
)

from adapters.postgres.tables.columns import METADATA, NAME, whole

LEDGER_SEAL = Table(
    "ledger_seal",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column(
        "transaction_id", NAME, ForeignKey("ledger_transaction.id"), nullable=False, unique=True
    ),
    Column("hash", LargeBinary, nullable=False),
)

SEALING_PROGRESS = Table(
    "sealing_progress",
    METADATA,
    Column("id", Integer, primary_key=True, autoincrement=False),
    whole("sealed"),
    whole("settled"),
    whole("ahead"),
    Column("writers", ARRAY(Text), nullable=False),
    CheckConstraint("id in (1, 2)", name="two_rows"),
)
"""A row for the books and one for the audit log, which the functions that begin sealing read and
write; the migrations say what is in them."""
