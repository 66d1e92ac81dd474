"""Webhook endpoints and deliveries."""

from __future__ import annotations

from sqlalchemy import ARRAY, Boolean, Column, ForeignKey, Table, Text, UniqueConstraint

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

WEBHOOK_ENDPOINT = Table(
    "webhook_endpoint",
    METADATA,
    key(),
    Column("merchant_id", NAME, nullable=False, index=True),
    text("url"),
    text("secret"),
    instant("created_at"),
    Column("enabled", Boolean, nullable=False),
    Column("types", ARRAY(Text), nullable=False),
)

WEBHOOK_DELIVERY = Table(
    "webhook_delivery",
    METADATA,
    key(),
    Column("endpoint_id", NAME, ForeignKey("webhook_endpoint.id"), nullable=False),
    Column("event_id", NAME, nullable=False, index=True),
    name("merchant_id"),
    instant("created_at"),
    name("state"),
    document("tries"),
    instant("next_try_at", nullable=True),
    whole("sequence"),
    whole("previous_sequence"),
    UniqueConstraint("endpoint_id", "sequence"),
)
