"""Escrows."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table, and_

from adapters.postgres.tables.columns import (
    METADATA,
    NAME,
    amount,
    document,
    instant,
    key,
    name,
)

ESCROW = Table(
    "escrow",
    METADATA,
    key(),
    Column("intent_id", NAME, ForeignKey("payment_intent.id"), nullable=False, unique=True),
    name("merchant_id"),
    document("terms"),
    name("payer"),
    document("fee"),
    name("state"),
    instant("held_at"),
    name("requested", nullable=True),
    name("submission_id", nullable=True),
    instant("disputed_at", nullable=True),
    instant("ended_at", nullable=True),
    amount("payer_amount"),
    amount("merchant_amount"),
    instant("auto_release_at"),
)
"""``auto_release_at`` repeats the terms', which never change, so that it can be indexed."""

Index(
    "escrow_due_for_release_idx",
    ESCROW.c.auto_release_at,
    postgresql_where=and_(ESCROW.c.state == "held", ESCROW.c.requested.is_(None)),
)
