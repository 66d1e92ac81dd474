"""What was read from chains, and our own transactions on them."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    Table,
    UniqueConstraint,
)
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
    whole("gap", nullable=True),
)

CHAIN_STRETCH = Table(
    "chain_stretch",
    METADATA,
    Column("chain", NAME, primary_key=True),
    Column("first", BigInteger, primary_key=True, autoincrement=False),
    name("before", nullable=True),
    whole("last"),
    name("last_hash"),
    name("provider"),
    instant("began_at"),
    instant("ended_at"),
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
    name("paid_to", nullable=True),
    name("paid_memo", nullable=True),
)
"""``paid_escrow`` repeats a part of the fact, for its index."""

Index(
    "observation_paid_escrow_idx",
    OBSERVATION.c.paid_escrow,
    postgresql_where=OBSERVATION.c.paid_escrow.is_not(None),
)
Index(
    "observation_paid_memo_idx",
    OBSERVATION.c.chain,
    OBSERVATION.c.paid_memo,
    postgresql_where=OBSERVATION.c.paid_memo.is_not(None),
)
Index(
    "observation_paid_to_idx",
    OBSERVATION.c.chain,
    OBSERVATION.c.paid_to,
    OBSERVATION.c.block_number,
    postgresql_where=OBSERVATION.c.paid_to.is_not(None),
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
    Column("gapless", Boolean, nullable=False, server_default=sql_text("false")),
    Column("cancels", Boolean, nullable=False, server_default=sql_text("false")),
    Column("replaced", Integer, nullable=False, server_default=sql_text("0")),
    whole("signed_after", nullable=True),
    Column("unwanted", Boolean, nullable=False, server_default=sql_text("false")),
)
"""``hash``, ``raw`` and so on are of the newest bytes; ``replaced`` counts those before them."""

SUBMISSION_ATTEMPT = Table(
    "submission_attempt",
    METADATA,
    Column("submission_id", NAME, ForeignKey("submission.id"), primary_key=True),
    Column("place", Integer, primary_key=True, autoincrement=False),
    name("chain"),
    name("hash"),
    Column("raw", LargeBinary, nullable=False),
    instant("valid_until", nullable=True),
    Column("cancels", Boolean, nullable=False),
    UniqueConstraint("chain", "hash", name="submission_attempt_hash_key"),
)
"""Bytes that others with the same number have replaced, and that may still land; from place 0."""

Index(
    "submission_hash_key",
    SUBMISSION.c.chain,
    SUBMISSION.c.hash,
    unique=True,
    postgresql_where=SUBMISSION.c.hash.is_not(None),
)
Index(
    "submission_numbered_idx",
    SUBMISSION.c.chain,
    SUBMISSION.c.sender,
    SUBMISSION.c.sequence,
    postgresql_where=SUBMISSION.c.sequence.is_not(None),
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
