"""Customers' addresses and deposits as rows, and back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from adapters.postgres import documents
from domain.chains.model import ObservationKey
from domain.customers.model import CustomerAddress, Deposit, DepositStatus
from domain.fees.model import FeeSchedule
from domain.shared.money import Money

if TYPE_CHECKING:
    from adapters.postgres.session import Row


def row_of_address(address: CustomerAddress) -> Row:
    """Return an address's row."""
    return {
        "id": address.id,
        "merchant_id": address.merchant_id,
        "customer": address.customer,
        "reach": address.reach,
        "address": address.address,
        "index": address.index,
        "metadata": documents.write(address.metadata, dict[str, str]),
        "created_at": address.created_at,
    }


def address_of(row: Row) -> CustomerAddress:
    """Return the address of a row."""
    return CustomerAddress(
        id=row["id"],
        merchant_id=row["merchant_id"],
        customer=row["customer"],
        reach=row["reach"],
        address=row["address"],
        index=row["index"],
        metadata=documents.read(row["metadata"], dict[str, str]),
        created_at=row["created_at"],
    )


def row_of_deposit(deposit: Deposit) -> Row:
    """Return a deposit's row."""
    return {
        "id": deposit.id,
        "merchant_id": deposit.merchant_id,
        "address_id": deposit.address_id,
        "customer": deposit.customer,
        "chain": deposit.key.chain,
        "transaction": deposit.key.transaction,
        "position": deposit.key.position,
        "source": deposit.source,
        "address": deposit.address,
        "amount": deposit.money.amount,
        "asset": deposit.money.asset,
        "fees": documents.write(deposit.fees),
        "paid_at": deposit.paid_at,
        "created_at": deposit.created_at,
        "changed_at": deposit.changed_at,
        "status": deposit.status,
        "fee": deposit.fee,
    }


def deposit_of(row: Row) -> Deposit:
    """Return the deposit of a row."""
    return Deposit(
        id=row["id"],
        merchant_id=row["merchant_id"],
        address_id=row["address_id"],
        customer=row["customer"],
        key=ObservationKey(row["chain"], row["transaction"], row["position"]),
        source=row["source"],
        address=row["address"],
        money=Money(int(row["amount"]), row["asset"]),
        fees=documents.read(row["fees"], FeeSchedule),
        paid_at=row["paid_at"],
        created_at=row["created_at"],
        changed_at=row["changed_at"],
        status=DepositStatus(row["status"]),
        fee=None if row["fee"] is None else int(row["fee"]),
    )
