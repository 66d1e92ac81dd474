"""The audit log and its seals."""

from __future__ import annotations

from sqlalchemy import (
    ARRAY,
    BigInteger,
    Column,
    Identity,
    Index,
    LargeBinary,
    Table,
)

from adapters.postgres.tables.columns import METADATA, NAME, instant, name, small, text

AUDIT_ENTRY = Table(
    "audit_entry",
    METADATA,
    Column("sequence", BigInteger, Identity(always=True), primary_key=True),
    instant("at"),
    name("actor", nullable=True),
    name("actor_id", nullable=True),
    name("merchant_id", nullable=True),
    name("action"),
    Column("objects", ARRAY(NAME), nullable=False),
    name("outcome"),
    Column("status", small("status").type, nullable=True),
    name("problem", nullable=True),
    small("times"),
    name("request_id", nullable=True),
    name("address", nullable=True),
    text("detail", nullable=True),
)

Index("audit_entry_at_idx", AUDIT_ENTRY.c.at)
Index(
    "audit_entry_of_merchant_idx",
    AUDIT_ENTRY.c.merchant_id,
    AUDIT_ENTRY.c.at,
    postgresql_where=AUDIT_ENTRY.c.merchant_id.is_not(None),
)
Index(
    "audit_entry_of_actor_idx",
    AUDIT_ENTRY.c.actor_id,
    AUDIT_ENTRY.c.at,
    postgresql_where=AUDIT_ENTRY.c.actor_id.is_not(None),
)
Index("audit_entry_of_action_idx", AUDIT_ENTRY.c.action, AUDIT_ENTRY.c.at)
Index("audit_entry_of_object_idx", AUDIT_ENTRY.c.objects, postgresql_using="gin")

AUDIT_SEAL = Table(
    "audit_seal",
    METADATA,
    Column("number", BigInteger, primary_key=True, autoincrement=False),
    Column("last", BigInteger, nullable=False, unique=True),
    Column("marks", LargeBinary, nullable=False),
    Column("hash", LargeBinary, nullable=False),
)
