"""What was read from chains, and our own transactions on them."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, Table
from sqlalchemy import text as sql_text

from adapters.postgres.tables.columns import (
    METADATA,
    NAME,
    document,
    instant,
    key,
    name,
    text,
    whole,
)

CHAIN_CURSOR = Table(
    "chain_cursor",
    METADATA,
    key("chain"),
    whole("first"),
    document("seen"),
    document("final"),
    text("parked", nullable=True),
)

CHAIN_BLOCK = Table(
    "chain_block",
    METADATA,
    Column("chain", NAME, primary_key=True),
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    name("hash"),
    name("parent"),
    instant("time"),
)

OBSERVATION = Table(
    "observation",
    METADATA,
    Column("chain", NAME, primary_key=True),
    Column("transaction", NAME, primary_key=True),
    Column("position", BigInteger, primary_key=True, autoincrement=False),
    whole("block_number"),
    name("block_hash"),
    name("block_parent"),
    instant("block_time"),
    document("fact"),
    name("finality"),
    name("paid_escrow", nullable=True),
)
"""``paid_escrow`` repeats a part of the fact, for its index."""

Index(
    "observation_paid_escrow_idx",
    OBSERVATION.c.paid_escrow,
    postgresql_where=OBSERVATION.c.paid_escrow.is_not(None),
)
Index(
    "observation_block_idx",
    OBSERVATION.c.chain,
    OBSERVATION.c.block_number,
    OBSERVATION.c.position,
)

SUBMISSION = Table(
    "submission",
    METADATA,
    key(),
    name("chain"),
    document("instruction"),
    name("purpose"),
    instant("created_at"),
    name("state"),
    name("hash", nullable=True),
    Column("raw", LargeBinary, nullable=True),
    name("sender", nullable=True),
    whole("sequence", nullable=True),
    instant("signed_at", nullable=True),
    text("reason", nullable=True),
    instant("valid_until", nullable=True),
    Column("issue", Integer, nullable=False, server_default=sql_text("1")),
)
Index(
    "submission_hash_key",
    SUBMISSION.c.chain,
    SUBMISSION.c.hash,
    unique=True,
    postgresql_where=SUBMISSION.c.hash.is_not(None),
)
Index(
    "submission_open_idx",
    SUBMISSION.c.chain,
    SUBMISSION.c.created_at,
    postgresql_where=SUBMISSION.c.state.in_(["queued", "signed", "broadcast", "unknown"]),
)

SENDER_SEQUENCE = Table(
    "sender_sequence",
    METADATA,
    Column("chain", NAME, primary_key=True),
    Column("sender", NAME, primary_key=True),
    whole("last"),
)
