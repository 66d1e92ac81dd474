"""Idempotency keys and the answers they led to."""

from __future__ import annotations

from sqlalchemy import Column, LargeBinary, Table, func

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
"""``kept_at`` is the database's own time: it serves to purge old keys and nothing else."""
