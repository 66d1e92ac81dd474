"""Parked assets, and up to where books and chains were seen to agree."""

from __future__ import annotations

from sqlalchemy import Table

from adapters.postgres.tables.columns import METADATA, instant, key, name, text, whole

PARKED_ASSET = Table(
    "parked_asset",
    METADATA,
    key("asset"),
    text("reason"),
    name("entry", nullable=True),
    instant("at"),
)

CHECKPOINT = Table("checkpoint", METADATA, key("account"), key("asset"), whole("block"))
