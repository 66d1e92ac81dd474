"""What assets were worth in the books' currency."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Identity, Numeric, Table

from adapters.postgres.tables.columns import METADATA, instant, key, name

BOOK_RATE = Table(
    "book_rate",
    METADATA,
    Column("id", BigInteger, Identity(always=True), primary_key=True),
    name("asset"),
    name("currency"),
    Column("per_unit", Numeric, nullable=False),
    instant("observed_at"),
)
"""Every rate that postings were or could have been valued by."""

NEWEST_RATE = Table(
    "newest_rate",
    METADATA,
    key("asset"),
    Column("rate_id", BigInteger, ForeignKey("book_rate.id"), nullable=False),
    Column("per_unit", Numeric, nullable=False),
    instant("observed_at"),
)
"""Which rate is the newest of each asset: what each posting is joined with is a small table."""
