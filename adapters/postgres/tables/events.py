"""The event log."""

from __future__ import annotations

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, Table, UniqueConstraint, false

from adapters.postgres.tables.columns import (
    METADATA,
    document,
    instant,
    key,
    name,
    whole,
)

EVENT_COUNTER = Table("event_counter", METADATA, key("merchant_id"), whole("last"))
"""The number of each merchant's last event."""

EVENT = Table(
    "event",
    METADATA,
    key(),
    name("merchant_id"),
    whole("sequence"),
    name("type"),
    name("object_id"),
    instant("occurred_at"),
    document("data"),
    Column("position", BigInteger, Identity(always=True), nullable=False),
    Column("relayed", Boolean, nullable=False, server_default=false()),
    UniqueConstraint("merchant_id", "sequence"),
)
"""``position`` orders the events of all merchants by when they were numbered."""

Index("event_of_object_idx", EVENT.c.object_id, EVENT.c.sequence)
Index(
    "event_unrelayed_idx",
    EVENT.c.position,
    postgresql_where=EVENT.c.relayed.is_(False),
)
