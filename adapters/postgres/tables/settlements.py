"""Settlements and payouts."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table

from adapters.postgres.tables.columns import METADATA, NAME, amount, instant, key, name, text

SETTLEMENT = Table(
    "settlement",
    METADATA,
    key(),
    name("merchant_id"),
    amount("amount"),
    name("asset"),
    instant("created_at"),
    name("hold_id"),
    name("state"),
    name("payout_id", nullable=True),
)
Index("settlement_of_merchant_idx", SETTLEMENT.c.merchant_id, SETTLEMENT.c.id)

PAYOUT = Table(
    "payout",
    METADATA,
    key(),
    Column("settlement_id", NAME, ForeignKey("settlement.id"), nullable=True, index=True),
    name("merchant_id", nullable=True),
    amount("amount"),
    name("asset"),
    name("destination"),
    Column("hold_id", NAME, ForeignKey("hold.id"), nullable=False),
    instant("created_at"),
    name("state"),
    name("submission_id", nullable=True),
    name("transaction", nullable=True),
    text("reason", nullable=True),
)

_P = PAYOUT.c
Index("payout_of_merchant_idx", _P.merchant_id, _P.created_at, _P.id)
Index("payout_standing_idx", _P.merchant_id, _P.state, _P.created_at, _P.id)
Index("payout_of_asset_idx", _P.merchant_id, _P.asset, _P.state, _P.created_at, _P.id)
