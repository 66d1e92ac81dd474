"""Customers' own addresses, and the deposits that were made to them."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, Table

from adapters.postgres.tables.columns import (
    AMOUNT,
    METADATA,
    NAME,
    amount,
    document,
    instant,
    key,
    name,
    whole,
)

CUSTOMER_ADDRESS = Table(
    "customer_address",
    METADATA,
    key(),
    name("merchant_id"),
    name("customer"),
    name("reach"),
    name("address"),
    whole("index"),
    document("metadata"),
    instant("created_at"),
)
"""Of a row only the metadata is ever changed: what was given to a customer stays his."""

_A = CUSTOMER_ADDRESS.c
Index("customer_address_customer_key", _A.merchant_id, _A.customer, _A.reach, unique=True)
Index("customer_address_address_key", _A.address, unique=True)
Index("customer_address_index_key", _A.index, unique=True)
Index("customer_address_of_merchant_idx", _A.merchant_id, _A.created_at, _A.id)

DEPOSIT = Table(
    "deposit",
    METADATA,
    key(),
    name("merchant_id"),
    Column("address_id", NAME, ForeignKey("customer_address.id"), nullable=False),
    name("customer"),
    name("chain"),
    name("transaction"),
    whole("position"),
    name("source"),
    name("address"),
    amount("amount"),
    name("asset"),
    document("fees"),
    instant("paid_at"),
    instant("created_at"),
    instant("changed_at"),
    name("status"),
    Column("fee", AMOUNT, nullable=True),
)

_D = DEPOSIT.c
Index(
    "deposit_transfer_key",
    *(_D.chain, _D.transaction, _D.position, _D.address_id),
    unique=True,
    postgresql_where=_D.status != "retracted",
)
Index(
    "deposit_retracted_idx",
    *(_D.chain, _D.transaction),
    postgresql_where=_D.status == "retracted",
)
Index("deposit_of_merchant_idx", _D.merchant_id, _D.created_at, _D.id)
Index("deposit_standing_idx", _D.merchant_id, _D.status, _D.created_at, _D.id)
Index("deposit_of_customer_idx", _D.merchant_id, _D.customer, _D.created_at, _D.id)
