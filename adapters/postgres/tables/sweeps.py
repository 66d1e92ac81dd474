"""Sweeps, and what deposit addresses hold."""

from __future__ import annotations

from sqlalchemy import Column, Index, Table

from adapters.postgres.tables.columns import (
    METADATA,
    NAME,
    amount,
    instant,
    key,
    name,
    text,
    whole,
)

SWEEP = Table(
    "sweep",
    METADATA,
    key(),
    name("chain"),
    name("address"),
    whole("index"),
    amount("amount"),
    name("asset"),
    instant("created_at"),
    instant("changed_at"),
    name("state"),
    name("submission_id", nullable=True),
    text("reason", nullable=True),
)
Index(
    "sweep_open_key",
    SWEEP.c.chain,
    SWEEP.c.address,
    unique=True,
    postgresql_where=SWEEP.c.state.in_(["funding", "moving"]),
)
Index("sweep_of_address_idx", SWEEP.c.chain, SWEEP.c.address, SWEEP.c.changed_at)

DEPOSIT_HOLDING = Table(
    "deposit_holding",
    METADATA,
    Column("chain", NAME, primary_key=True),
    Column("address", NAME, primary_key=True),
    Column("asset", NAME, primary_key=True),
    amount("amount"),
)
Index(
    "deposit_holding_amount_idx",
    DEPOSIT_HOLDING.c.chain,
    DEPOSIT_HOLDING.c.asset,
    DEPOSIT_HOLDING.c.amount,
)
