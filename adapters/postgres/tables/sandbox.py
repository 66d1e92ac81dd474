"""What test accounts have ordered."""

from __future__ import annotations

from sqlalchemy import Table

from adapters.postgres.tables.columns import METADATA, document, instant, key, name, text

SANDBOX_ORDER = Table(
    "sandbox_order",
    METADATA,
    key(),
    name("merchant_id"),
    document("task"),
    name("state"),
    instant("created_at"),
    instant("begun_at", nullable=True),
    instant("ended_at", nullable=True),
    text("reason", nullable=True),
    name("transaction_hash", nullable=True),
)
