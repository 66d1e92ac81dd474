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
    document("failure", nullable=True),
    instant("try_again_at", nullable=True),
    document("claims", nullable=True),
    name("merchant_claim_of", nullable=True),
    name("payer_claim_of", nullable=True),
)
"""``auto_release_at`` is the terms', unless a test account has brought it nearer.

What is repeated so that it can be indexed: ``try_again_at`` is the failure's, and the two last
name who can withdraw the open claims.
"""

Index(
    "escrow_due_for_release_idx",
    ESCROW.c.auto_release_at,
    postgresql_where=and_(ESCROW.c.state == "held", ESCROW.c.requested.is_(None)),
)
Index(
    "escrow_merchant_claim_idx",
    ESCROW.c.merchant_claim_of,
    postgresql_where=ESCROW.c.merchant_claim_of.is_not(None),
)
Index(
    "escrow_payer_claim_idx",
    ESCROW.c.payer_claim_of,
    postgresql_where=ESCROW.c.payer_claim_of.is_not(None),
)
