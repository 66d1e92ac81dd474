"""Changes of where merchants are paid out to; what is effective is the merchant's own column."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table
from sqlalchemy import text as sql
from sqlalchemy.dialects.postgresql import JSONB

from adapters.postgres.tables.columns import METADATA, NAME, instant, key, name, text

PAYOUT_DESTINATION_CHANGE = Table(
    "payout_destination_change",
    METADATA,
    key(),
    Column("merchant_id", NAME, ForeignKey("merchant.id"), nullable=False),
    name("chain"),
    name("address"),
    name("replaces", nullable=True),
    name("requested_by"),
    instant("requested_at"),
    instant("lapses_at"),
    name("state"),
    name("approved_by", nullable=True),
    instant("approved_at", nullable=True),
    instant("effective_at", nullable=True),
    name("ended_by", nullable=True),
    instant("ended_at", nullable=True),
    text("reason", nullable=True),
    Column("metadata", JSONB, nullable=False, server_default=sql("'{}'")),
)
"""Parties are written ``key:<id>`` and ``operator:<name>``."""

_C = PAYOUT_DESTINATION_CHANGE.c
Index(
    "payout_destination_change_open_key",
    _C.merchant_id,
    _C.chain,
    unique=True,
    postgresql_where=_C.state.in_(["awaiting_approval", "cooling_down"]),
)
Index("payout_destination_change_of_merchant_idx", _C.merchant_id, _C.id)
