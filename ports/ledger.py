"""The books, stored. Postings are added; none is ever changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.ledger.accounts import Account
    from domain.ledger.holds import Hold
    from domain.ledger.model import Balance, BookedTransaction, Transaction
    from domain.shared.ids import HoldId
    from domain.shared.money import AssetId, Money


class Ledger(Protocol):
    """Double-entry books with a balance row for each constrained account."""

    async def book(self, *transactions: Transaction) -> None:
        """Add transactions, in order.

        Balance rows are locked in the order of their account and asset, so that two units of
        work cannot wait for each other; accounts without a constraint are appended to without
        any lock.

        Raises:
            InsufficientFunds: a constrained account would fall below zero.
        """
        ...

    async def lock_balance(self, account: Account, asset: AssetId) -> Money:
        """Return the balance of a constrained account and keep others from changing it."""
        ...

    async def balances(self, *, prefix: str) -> Sequence[Balance]:
        """Return the balances of all accounts whose name begins so, by account and asset.

        They are summed from the postings. Accounts that come to zero are included.
        """
        ...

    async def kept_balances(self, *, prefix: str = "") -> Sequence[Balance]:
        """Return the balance rows of constrained accounts whose name begins so, as they are kept.

        They come by account and asset.
        """
        ...

    async def transactions(self, *, reference: str) -> Sequence[BookedTransaction]:
        """Return what was booked for an object, oldest first."""
        ...

    async def unbalanced(self) -> Sequence[str]:
        """Return the ids of transactions whose postings do not sum to zero: there are none."""
        ...

    async def add_hold(self, hold: Hold) -> None:
        """Store a new hold."""
        ...

    async def save_hold(self, hold: Hold) -> None:
        """Store a hold as it is now; only one that was locked in this unit of work."""
        ...

    async def lock_hold(self, hold_id: HoldId) -> Hold:
        """Return a hold and keep others from changing it.

        Raises:
            NotFound: there is none.
        """
        ...
