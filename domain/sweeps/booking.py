"""What a sweep means in the books: one place of ours holds less, another one more.

The native coin at deposit addresses is in custody there, and not in the gas tank: only the hot
wallet's pays for payouts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.ledger.accounts import NETWORK_FEES
from domain.ledger.model import Transaction, credit, debit, movement

if TYPE_CHECKING:
    from datetime import datetime

    from domain.chains.places import Places
    from domain.shared.money import Money


def arrival(money: Money, places: Places, *, reference: str, at: datetime) -> Transaction:
    """Book money that has come from a deposit address to the hot wallet for good."""
    return movement(
        kind="sweep",
        reference=reference,
        source=places.deposits,
        target=places.pays_from(money.asset),
        money=money,
        at=at,
    )


def funding(money: Money, places: Places, *, reference: str, at: datetime) -> Transaction:
    """Book native coin that has come from the gas tank to a deposit address for good."""
    return movement(
        kind="sweep_funding",
        reference=reference,
        source=places.gas,
        target=places.deposits,
        money=money,
        at=at,
    )


def network_fee(cost: Money, places: Places, *, reference: str, at: datetime) -> Transaction:
    """Book what the network took from a deposit address: for a sweep, a receipt, or as rent."""
    return Transaction(
        kind="network_fee",
        reference=reference,
        postings=(debit(NETWORK_FEES, cost), credit(places.deposits, cost)),
        effective_at=at,
    )
