"""Merchants and their API keys."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, LargeBinary, Table

from adapters.postgres.tables.columns import METADATA, NAME, document, instant, key, text

MERCHANT = Table(
    "merchant",
    METADATA,
    key(),
    text("name"),
    instant("created_at"),
    document("fees"),
    document("payments"),
    document("payouts"),
)

API_KEY = Table(
    "api_key",
    METADATA,
    key(),
    Column("merchant_id", NAME, ForeignKey("merchant.id"), nullable=False),
    Column("digest", LargeBinary, nullable=False, unique=True),
    instant("created_at"),
    instant("revoked_at", nullable=True),
)
