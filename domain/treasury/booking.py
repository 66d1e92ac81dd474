"""What moves between hot and cold wallets mean in the books.

Both are custody. While a transfer waits, its money is promised (``treasury:<rail>:moving``), and
what it is promised to is ourselves: ``treasury:<rail>`` owes that much less than nothing. From the
signature on it is in flight like every payout. At the end both come to zero.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.ledger.holds import Hold
from domain.ledger.model import Transaction, credit, debit, movement

if TYPE_CHECKING:
    from datetime import datetime

    from domain.chains.places import Places
    from domain.shared.ids import HoldId
    from domain.shared.money import Money
    from domain.treasury.model import ColdTransfer


def promise(transfer: ColdTransfer, places: Places, *, hold_id: HoldId) -> Hold:
    """Set a transfer's money aside. Only the chain ends it."""
    return Hold(
        id=hold_id,
        reference=transfer.id,
        source=places.treasury_due,
        aside=places.moving,
        money=transfer.money,
        expires_at=None,
    )


def arrival(transfer: ColdTransfer, places: Places, *, at: datetime) -> Transaction:
    """Book money that a payout has taken out of the hot wallet as what the cold one holds."""
    return Transaction(
        kind="to_cold",
        reference=transfer.id,
        postings=(
            debit(places.cold, transfer.money),
            credit(places.treasury_due, transfer.money),
        ),
        effective_at=at,
    )


def brought_back(money: Money, places: Places, *, reference: str, at: datetime) -> Transaction:
    """Book money that a person has brought from the cold wallet to the hot one."""
    return movement(
        kind="from_cold",
        reference=reference,
        source=places.cold,
        target=places.pays_from(money.asset),
        money=money,
        at=at,
    )
