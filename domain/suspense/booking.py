"""What decisions about suspense mean in the books.

Money that is assigned stays where it is until its intent captures it, by the intent's own booking.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.ledger.accounts import WORLD
from domain.ledger.comparing import BROUGHT_IN
from domain.ledger.holds import Hold
from domain.ledger.model import Transaction, credit, debit
from domain.shared.money import Money

if TYPE_CHECKING:
    from datetime import datetime

    from domain.chains.places import Places
    from domain.shared.ids import HoldId
    from domain.suspense.model import SuspenseItem


def promise(item: SuspenseItem, places: Places, *, hold_id: HoldId) -> Hold:
    """Set an item's money aside to be given back. Only the chain or a person ends it."""
    return Hold(
        id=hold_id,
        reference=item.id,
        source=places.suspense,
        aside=places.returning,
        money=Money(item.left, item.money.asset),
        expires_at=None,
    )


def top_up(item: SuspenseItem, places: Places, *, note: str, at: datetime) -> Transaction:
    """Book an item's money as the platform's own, brought in by an operator."""
    money = Money(item.left, item.money.asset)
    return Transaction(
        kind=BROUGHT_IN,
        reference=item.id,
        postings=(debit(places.suspense, money), credit(WORLD, money)),
        effective_at=at,
        note=note,
    )
