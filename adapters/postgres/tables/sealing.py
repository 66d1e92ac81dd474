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
    CheckConstraint("id = 1", name="one_row"),
)
"""One row, which ``begin_sealing`` reads and writes; the migration says what is in it."""
