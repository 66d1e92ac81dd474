"""What a payout's way to the chain means in the books.

``reserved`` while it waits, ``payouts:in_flight`` from the signature on, and out of custody when
the chain's word is final. A payout that the chain has thrown out goes back to ``reserved``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.ledger.accounts import NETWORK_FEES, PAYOUTS_IN_FLIGHT, available, reserved
from domain.ledger.holds import Hold
from domain.ledger.model import Transaction, credit, debit, movement

if TYPE_CHECKING:
    from datetime import datetime

    from domain.chains.places import Places
    from domain.ledger.accounts import Account
    from domain.settlements.model import Settlement
    from domain.settlements.payouts import Payout
    from domain.shared.money import Money


def reserve(settlement: Settlement) -> Hold:
    """Set a settlement's money aside. It has no time-out: a person or the chain ends it."""
    return Hold(
        id=settlement.hold_id,
        reference=settlement.id,
        source=available(settlement.merchant_id),
        aside=reserved(settlement.merchant_id),
        money=settlement.money,
        expires_at=None,
    )


def leave(payout: Payout, places: Places, *, at: datetime) -> Transaction:
    """Book a payout that has arrived for good."""
    return Transaction(
        kind="payout",
        reference=payout.id,
        postings=(
            debit(PAYOUTS_IN_FLIGHT, payout.money),
            credit(places.pays_from(payout.money.asset), payout.money),
        ),
        effective_at=at,
    )


def come_back(payout: Payout, *, aside: Account, at: datetime) -> Transaction:
    """Book a payout that was in flight and has not left, as the chain proves: it is set aside."""
    return movement(
        kind="payout_reverted",
        reference=payout.id,
        source=PAYOUTS_IN_FLIGHT,
        target=aside,
        money=payout.money,
        at=at,
    )


def network_fee(cost: Money, places: Places, *, reference: str, at: datetime) -> Transaction:
    """Book what the network took for a transaction of ours."""
    return Transaction(
        kind="network_fee",
        reference=reference,
        postings=(debit(NETWORK_FEES, cost), credit(places.gas, cost)),
        effective_at=at,
    )
