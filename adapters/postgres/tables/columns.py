"""The column types that all tables share, and the catalogue the tables are listed in."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, MetaData, Numeric, Text
from sqlalchemy.dialects.postgresql import JSONB, TIMESTAMP

METADATA = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(column_0_name)s_fkey",
        "uq": "%(table_name)s_%(column_0_N_name)s_key",
        "ix": "%(table_name)s_%(column_0_N_name)s_idx",
        "ck": "%(table_name)s_%(constraint_name)s_check",
    }
)
"""Every table of the schema. The names of constraints are those PostgreSQL would give."""

NAME = Text(collation="C")
"""Identifiers, accounts, assets: compared byte by byte, so that order and prefixes are exact."""

AMOUNT = Numeric(78, 0)
"""A whole number of smallest units; 78 digits hold a uint256."""

INSTANT = TIMESTAMP(timezone=True)


def key(name: str = "id") -> Column[str]:
    """Return the column by which rows are named."""
    return Column(name, NAME, primary_key=True)


def name(name: str, *, nullable: bool = False) -> Column[Any]:
    """Return a column for an identifier, an account, an asset or a word of a small set."""
    return Column(name, NAME, nullable=nullable)


def text(name: str, *, nullable: bool = False) -> Column[Any]:
    """Return a column for text that people wrote."""
    return Column(name, Text, nullable=nullable)


def amount(name: str) -> Column[Any]:
    """Return a column for smallest units."""
    return Column(name, AMOUNT, nullable=False)


def whole(name: str, *, nullable: bool = False) -> Column[Any]:
    """Return a column for a count or a block number."""
    return Column(name, BigInteger, nullable=nullable)


def small(name: str) -> Column[Any]:
    """Return a column for a count that stays small."""
    return Column(name, Integer, nullable=False)


def instant(name: str, *, nullable: bool = False) -> Column[Any]:
    """Return a column for a time."""
    return Column(name, INSTANT, nullable=nullable)


def document(name: str, *, nullable: bool = False) -> Column[Any]:
    """Return a column for a nested value, written by ``adapters.postgres.documents``."""
    return Column(name, JSONB(none_as_null=True), nullable=nullable)
