"""Payments in Telegram Stars, and how far Telegram's list of them has been read."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Index, Table

from adapters.postgres.tables.columns import METADATA, amount, instant, key, name, text, whole

STAR_PAYMENT = Table(
    "star_payment",
    METADATA,
    key(),
    whole("payer"),
    text("payload"),
    amount("amount"),
    instant("paid_at"),
    name("role"),
    name("intent_id", nullable=True),
    instant("matures_at"),
    name("state"),
    Column("listed", Boolean, nullable=False),
    text("reason", nullable=True),
)
"""``id`` is Telegram's own name of the charge: a second row of it is a second credit."""

Index(
    "star_payment_of_intent_key",
    STAR_PAYMENT.c.intent_id,
    unique=True,
    postgresql_where=STAR_PAYMENT.c.role == "payment",
)
Index(
    "star_payment_maturing_idx",
    STAR_PAYMENT.c.matures_at,
    postgresql_where=STAR_PAYMENT.c.state == "held",
)
Index(
    "star_payment_refunding_idx",
    STAR_PAYMENT.c.paid_at,
    postgresql_where=STAR_PAYMENT.c.state == "refunding",
)
Index(
    "star_payment_unlisted_idx",
    STAR_PAYMENT.c.paid_at,
    postgresql_where=~STAR_PAYMENT.c.listed,
)

STAR_READING = Table("star_reading", METADATA, key(), whole("lines"))
"""One row, made when it is first locked."""
