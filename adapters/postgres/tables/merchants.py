"""Merchants and their API keys, what keys are used for, and what is taken of their quotas."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    Column,
    Date,
    ForeignKey,
    Index,
    LargeBinary,
    SmallInteger,
    Table,
    Text,
)

from adapters.postgres.tables.columns import (
    METADATA,
    NAME,
    document,
    instant,
    key,
    name,
    text,
    whole,
)

MERCHANT = Table(
    "merchant",
    METADATA,
    key(),
    text("name"),
    instant("created_at"),
    document("fees"),
    document("payments"),
    document("payouts"),
    name("mode"),
    Column("twin", NAME, ForeignKey("merchant.id"), nullable=True),
)

API_KEY = Table(
    "api_key",
    METADATA,
    key(),
    Column("merchant_id", NAME, ForeignKey("merchant.id"), nullable=False, index=True),
    Column("digest", LargeBinary, nullable=False, unique=True),
    instant("created_at"),
    instant("revoked_at", nullable=True),
    text("name"),
    text("masked"),
    Column("scopes", ARRAY(Text), nullable=False),
    Column("networks", ARRAY(Text), nullable=False),
    instant("expires_at", nullable=True),
    instant("last_used_at", nullable=True),
    name("root", nullable=True),
)

API_KEY_USAGE = Table(
    "api_key_usage",
    METADATA,
    Column("key_id", NAME, ForeignKey("api_key.id"), primary_key=True),
    Column("day", Date, primary_key=True),
    Column("status_class", SmallInteger, primary_key=True, autoincrement=False),
    whole("count"),
)

API_KEY_QUOTA = Table(
    "api_key_quota",
    METADATA,
    Column("key_id", NAME, ForeignKey("api_key.id"), primary_key=True),
    Column("kind", NAME, primary_key=True),
    whole("window_number"),
    whole("taken"),
    whole("granted"),
)

Index(
    "api_key_usage_day_idx",
    API_KEY_USAGE.c.day,
    postgresql_using="brin",
    postgresql_with={"autosummarize": "on"},
)
