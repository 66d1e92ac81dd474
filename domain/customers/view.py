"""Customers' addresses and deposits as their merchant sees them, in API and events alike."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.chains.addresses import shown
from domain.shared.rendering import render_amount, render_money, render_time

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.customers.model import CustomerAddress, Deposit
    from domain.shared.events import Json
    from domain.shared.money import Assets, ChainId


def view_address(address: CustomerAddress, chains: Sequence[ChainId]) -> dict[str, Json]:
    """Show a customer's address, with the chains on which it counts: one at least."""
    return {
        "id": address.id,
        "object": "customer_address",
        "customer": address.customer,
        "address": shown(address.address, chain=chains[0]) if chains else address.address,
        "chains": list(chains),
        "metadata": dict(address.metadata),
        "created_at": render_time(address.created_at),
    }


def view_deposit(deposit: Deposit, assets: Assets) -> dict[str, Json]:
    """Show a deposit."""
    asset, chain = assets.find(deposit.money.asset), deposit.key.chain
    fee, net = deposit.fee, deposit.net
    return {
        "id": deposit.id,
        "object": "deposit",
        "status": deposit.status.value,
        "customer": deposit.customer,
        "customer_address": deposit.address_id,
        "chain": chain,
        "address": shown(deposit.address, chain=chain),
        "amount": render_money(deposit.money, assets),
        "fee": None if fee is None else render_amount(fee, asset),
        "net": None if net is None else render_amount(net, asset),
        "fee_bps": deposit.fees.bps,
        "transaction": deposit.key.transaction,
        "source": deposit.source,
        "paid_at": render_time(deposit.paid_at),
        "created_at": render_time(deposit.created_at),
        "changed_at": render_time(deposit.changed_at),
    }
