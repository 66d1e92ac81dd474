"""Idempotency keys and the answers they led to."""

from __future__ import annotations

from sqlalchemy import Column, Index, LargeBinary, Table, func

from adapters.postgres.tables.columns import INSTANT, METADATA, NAME

IDEMPOTENCY_KEY = Table(
    "idempotency_key",
    METADATA,
    Column("owner", NAME, primary_key=True),
    Column("key", NAME, primary_key=True),
    Column("fingerprint", LargeBinary, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("kept_at", INSTANT, nullable=False, server_default=func.now()),
)
"""``kept_at`` is the program's time; the default is for programs older than that."""

Index(
    "idempotency_key_kept_at_idx",
    IDEMPOTENCY_KEY.c.kept_at,
    postgresql_using="brin",
    postgresql_with={"autosummarize": "on"},
)
