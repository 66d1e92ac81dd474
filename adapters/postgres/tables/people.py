"""People, and what they are at merchants'."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Table

from adapters.postgres.tables.columns import METADATA, NAME, instant, key, name, text

PERSON = Table(
    "person",
    METADATA,
    key(),
    Column("email", NAME, nullable=False, unique=True),
    text("name"),
    instant("created_at"),
    name("platform_role", nullable=True),
)

MEMBER = Table(
    "member",
    METADATA,
    Column("merchant_id", NAME, ForeignKey("merchant.id"), primary_key=True),
    Column("user_id", NAME, ForeignKey("person.id"), primary_key=True, index=True),
    name("role"),
)
