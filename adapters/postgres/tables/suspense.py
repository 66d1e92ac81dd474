"""Suspense, piece by piece, and what was decided of it."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table

from adapters.postgres.tables.columns import (
    METADATA,
    NAME,
    amount,
    instant,
    key,
    name,
    small,
    text,
    whole,
)

SUSPENSE_ITEM = Table(
    "suspense_item",
    METADATA,
    key(),
    name("chain"),
    name("transaction"),
    whole("position"),
    small("part"),
    amount("amount"),
    amount("remaining"),
    name("asset"),
    name("source"),
    name("target"),
    text("memo", nullable=True),
    name("why"),
    name("paid_to", nullable=True),
    name("counted_by", nullable=True),
    instant("paid_at"),
    instant("changed_at"),
    name("state"),
    name("payout_id", nullable=True),
)
Index(
    "suspense_item_waiting_idx",
    SUSPENSE_ITEM.c.paid_at,
    SUSPENSE_ITEM.c.id,
    postgresql_where=SUSPENSE_ITEM.c.state.in_(["open", "returning"]),
)
Index("suspense_item_paid_idx", SUSPENSE_ITEM.c.paid_at, SUSPENSE_ITEM.c.id)
Index(
    "suspense_item_counted_idx",
    SUSPENSE_ITEM.c.counted_by,
    postgresql_where=SUSPENSE_ITEM.c.counted_by.is_not(None),
)
Index(
    "suspense_item_paid_to_idx",
    SUSPENSE_ITEM.c.paid_to,
    postgresql_where=SUSPENSE_ITEM.c.paid_to.is_not(None),
)
Index(
    "suspense_item_payout_key",
    SUSPENSE_ITEM.c.payout_id,
    unique=True,
    postgresql_where=SUSPENSE_ITEM.c.payout_id.is_not(None),
)

SUSPENSE_DECISION = Table(
    "suspense_decision",
    METADATA,
    key(),
    Column("item_id", NAME, ForeignKey("suspense_item.id"), nullable=False, index=True),
    name("verdict"),
    amount("amount"),
    name("asset"),
    text("by"),
    text("note"),
    instant("at"),
    name("intent_id", nullable=True),
    name("taken_from", nullable=True),
    name("destination", nullable=True),
    name("payout_id", nullable=True),
)
"""Rows are added and never changed; the database refuses anything else."""
