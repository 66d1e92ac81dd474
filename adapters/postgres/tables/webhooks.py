"""Webhook endpoints and deliveries."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    Table,
    Text,
    UniqueConstraint,
    false,
)
from sqlalchemy import (
    text as sql,
)
from sqlalchemy.dialects.postgresql import JSONB

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
    Column("description", Text, nullable=False, server_default=sql("''")),
    name("disabled_reason", nullable=True),
    Column("hex_signature", Boolean, nullable=False, server_default=false()),
    text("former_secret", nullable=True),
    instant("former_secret_until", nullable=True),
    instant("failing_since", nullable=True),
    Column("silences", Integer, nullable=False, server_default=sql("0")),
    instant("rest_until", nullable=True),
    instant("deleted_at", nullable=True),
    name("simulated", nullable=True),
    Column("simulated_times", Integer, nullable=False, server_default=sql("0")),
    Column("metadata", JSONB, nullable=False, server_default=sql("'{}'")),
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

Index(
    "webhook_delivery_due_idx",
    WEBHOOK_DELIVERY.c.endpoint_id,
    WEBHOOK_DELIVERY.c.next_try_at,
    WEBHOOK_DELIVERY.c.sequence,
    postgresql_where=WEBHOOK_DELIVERY.c.state == "pending",
)
Index("webhook_delivery_merchant_id_idx", WEBHOOK_DELIVERY.c.merchant_id, WEBHOOK_DELIVERY.c.id)
Index("webhook_delivery_created_idx", WEBHOOK_DELIVERY.c.created_at, postgresql_using="brin")
