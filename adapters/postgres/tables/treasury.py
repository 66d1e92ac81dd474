"""Transfers to cold wallets, and alarms about wallets."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table

from adapters.postgres.tables.columns import METADATA, NAME, amount, instant, key, name, text

COLD_TRANSFER = Table(
    "cold_transfer",
    METADATA,
    key(),
    name("chain"),
    amount("amount"),
    name("asset"),
    name("target"),
    name("payout_id"),
    instant("created_at"),
    instant("changed_at"),
    name("state"),
    text("reason", nullable=True),
)
Index(
    "cold_transfer_moving_key",
    COLD_TRANSFER.c.asset,
    unique=True,
    postgresql_where=COLD_TRANSFER.c.state == "moving",
)
Index("cold_transfer_payout_key", COLD_TRANSFER.c.payout_id, unique=True)
Index(
    "cold_transfer_of_asset_idx",
    COLD_TRANSFER.c.asset,
    COLD_TRANSFER.c.created_at,
    COLD_TRANSFER.c.id,
)

WALLET_ALARM = Table(
    "wallet_alarm",
    METADATA,
    Column("watched", NAME, primary_key=True),
    Column("asset", NAME, primary_key=True),
    name("condition"),
    instant("since"),
)
