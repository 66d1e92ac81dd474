"""The books, stored. Postings are added; none is ever changed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.ledger.accounts import Account
    from domain.ledger.holds import Hold
    from domain.ledger.model import Balance, BookedTransaction, Transaction
    from domain.ledger.seals import Seal, SealedTransaction
    from domain.ledger.values import BookRate
    from domain.shared.ids import HoldId, TransactionId
    from domain.shared.money import AssetId, Money


class Ledger(Protocol):
    """Double-entry books with a balance row for each constrained account."""

    async def book(self, *transactions: Transaction) -> None:
        """Add transactions, in order: all of them or none.

        Each posting is kept with its value by the newest rate of its asset (``keep_rate``), or
        without one where there is none. Balance rows are locked in the order of their account
        and asset, so that two units of work cannot wait for each other; accounts without a
        constraint are appended to without any lock.

        Raises:
            InsufficientFunds: a constrained account would fall below zero.
            AlreadyReversed: one of them reverses what was reversed before.
        """
        ...

    async def lock_balance(self, account: Account, asset: AssetId) -> Money:
        """Return the balance of a constrained account and keep others from changing it."""
        ...

    async def balances(
        self,
        *,
        prefix: str,
        booked_by: datetime | None = None,
        effective_by: datetime | None = None,
    ) -> Sequence[Balance]:
        """Return the balances of all accounts whose name begins so, by account and asset.

        They are summed from the postings: of all transactions, or of those that were booked, or
        took effect, at a time or before. Accounts that come to zero are included.
        """
        ...

    async def kept_balances(self, *, prefix: str = "") -> Sequence[Balance]:
        """Return the balance rows of constrained accounts whose name begins so, as they are kept.

        They come by account and asset.
        """
        ...

    async def get(self, transaction_id: TransactionId) -> BookedTransaction:
        """Return a transaction.

        Raises:
            NotFound: there is none.
        """
        ...

    async def transactions(self, *, reference: str) -> Sequence[BookedTransaction]:
        """Return what was booked for an object, oldest first."""
        ...

    async def taking_effect(
        self,
        account: Account,
        asset: AssetId,
        *,
        after: datetime | None,
        until: datetime | None,
        limit: int,
    ) -> Sequence[BookedTransaction]:
        """Return transactions with a posting to an account in an asset, by time of effect.

        They took effect after a time (None: since ever) and at another or before (None: or later
        on); at most ``limit`` of them, in the order of effect, then of booking.
        """
        ...

    async def lapsed_holds(self, *, at: datetime, limit: int) -> Sequence[HoldId]:
        """Return pending holds whose time is over, the longest over first."""
        ...

    async def keep_rate(self, rate: BookRate) -> None:
        """Value what is booked from now on by this rate; earlier rates are kept beside it."""
        ...

    async def wrong_values(self) -> Sequence[str]:
        """Return the ids of transactions with a posting whose value is not what its rate gives."""
        ...

    async def unsealed(self, *, limit: int) -> Sequence[BookedTransaction]:
        """Return transactions without a seal, oldest first, and let nobody else seal meanwhile.

        A transaction that commits late is not passed over: it is returned by a later call.
        """
        ...

    async def last_seal(self) -> Seal | None:
        """Return the newest seal."""
        ...

    async def add_seals(self, *seals: Seal) -> None:
        """Store seals, which continue the chain."""
        ...

    async def sealed(
        self, *, after: int, limit: int, prefix: str = ""
    ) -> Sequence[SealedTransaction]:
        """Return seals that follow a number, in order, with what they seal.

        A prefix leaves only transactions with a posting to an account whose name begins so.
        """
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
