"""The books, in memory."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING

import attrs

from adapters.memory.rows import add, find, lock, save
from adapters.memory.seals import InMemorySeals
from domain.ledger.accounts import is_constrained
from domain.ledger.holds import HoldState
from domain.ledger.model import AlreadyReversed, BookedTransaction, InsufficientFunds, balance
from domain.shared.ids import TransactionId
from domain.shared.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime

    from adapters.memory.store import Tables
    from domain.ledger.accounts import Account
    from domain.ledger.holds import Hold
    from domain.ledger.model import Balance, Posting, Transaction
    from domain.shared.ids import HoldId
    from domain.shared.money import AssetId


@attrs.frozen
class InMemoryLedger(InMemorySeals):
    """Double-entry books with a balance row for each constrained account."""

    async def book(self, *transactions: Transaction) -> None:
        """Add transactions, in order.

        An overdraft is judged by a transaction's postings to an account together. It loses the
        unit of work, as a second reversal does: nothing of it can be committed any more.
        """
        tables = await self._turn.tables()
        for transaction in transactions:
            if transaction.reverses is not None:
                if transaction.reverses in tables.reversed:
                    self._turn.refuse(AlreadyReversed(transaction.reverses))
                tables.reversed.put(transaction.reverses, transaction.reference)
            for (account, asset), change in _by_account(transaction.postings).items():
                self._change(tables, account, asset, change)
            id = TransactionId(self._turn.store.ids.new("transaction"))
            now = self._turn.store.clock.now()
            self._enter(tables, BookedTransaction(id, now, transaction))

    async def lock_balance(self, account: Account, asset: AssetId) -> Money:
        """Return the balance of a constrained account and keep others from changing it."""
        kept = (await self._turn.tables()).kept.get((account, asset))
        return balance(account, Money(kept or 0, asset)).money

    async def balances(
        self,
        *,
        prefix: str,
        booked_by: datetime | None = None,
        effective_by: datetime | None = None,
    ) -> Sequence[Balance]:
        """Return the balances of all accounts whose name begins so, now or as of a time."""
        tables = await self._turn.tables()
        sums = {key: total for key, total in tables.sums.items() if key[0].startswith(prefix)}
        if booked_by is None and effective_by is None:
            return _balances(sums)
        counted = (
            booked.transaction.postings
            for booked in tables.transactions
            if (booked_by is None or booked.booked_at <= booked_by)
            and (effective_by is None or booked.transaction.effective_at <= effective_by)
        )
        then = _by_account(posting for postings in counted for posting in postings)
        return _balances({key: total for key, total in then.items() if key[0].startswith(prefix)})

    async def kept_balances(self, *, prefix: str = "") -> Sequence[Balance]:
        """Return the balance rows of constrained accounts whose name begins so."""
        kept = (await self._turn.tables()).kept.items()
        return _balances({key: sum_ for key, sum_ in kept if key[0].startswith(prefix)})

    async def get(self, transaction_id: TransactionId) -> BookedTransaction:
        """Return a transaction."""
        return find("transaction", (await self._turn.tables()).transactions, transaction_id)

    async def transactions(self, *, reference: str) -> Sequence[BookedTransaction]:
        """Return what was booked for an object, oldest first."""
        return (await self._turn.tables()).transactions.where(reference=reference)

    async def taking_effect(
        self,
        account: Account,
        asset: AssetId,
        *,
        after: datetime | None,
        until: datetime | None,
        limit: int,
    ) -> Sequence[BookedTransaction]:
        """Return transactions with a posting to an account in an asset, by time of effect."""
        found = [
            booked
            for booked in (await self._turn.tables()).transactions
            if (account, asset) in _by_account(booked.transaction.postings)
            and (after is None or booked.transaction.effective_at > after)
            and (until is None or booked.transaction.effective_at <= until)
        ]
        return sorted(found, key=lambda booked: booked.transaction.effective_at)[:limit]

    async def lapsed_holds(self, *, at: datetime, limit: int) -> Sequence[HoldId]:
        """Return pending holds whose time is over, the longest over first."""
        pending = (await self._turn.tables()).holds.where(state=HoldState.PENDING)
        over = [(it.expires_at, it.id) for it in pending if it.expires_at and it.expires_at <= at]
        return [id for _, id in sorted(over)[:limit]]

    async def unbalanced(self) -> Sequence[str]:
        """Return the ids of transactions whose postings do not sum to zero: there are none."""
        return [
            booked.id
            for booked in (await self._turn.tables()).transactions
            if any(_by_asset(booked.transaction.postings).values())
        ]

    async def add_hold(self, hold: Hold) -> None:
        """Store a new hold."""
        add(self._turn, "hold", (await self._turn.tables()).holds, hold.id, hold)

    async def save_hold(self, hold: Hold) -> None:
        """Store a hold as it is now; only one that was locked in this unit of work."""
        save(self._turn, "hold", (await self._turn.tables()).holds, hold.id, hold)

    async def lock_hold(self, hold_id: HoldId) -> Hold:
        """Return a hold and keep others from changing it."""
        return lock(self._turn, "hold", (await self._turn.tables()).holds, hold_id)

    def _change(self, tables: Tables, account: Account, asset: AssetId, change: int) -> None:
        key = account, asset
        tables.sums.put(key, (tables.sums.get(key) or 0) + change)
        if not is_constrained(account):
            return
        kept = (tables.kept.get(key) or 0) + change
        if balance(account, Money(kept, asset)).money.amount < 0:
            self._turn.refuse(InsufficientFunds(account, asset))
        tables.kept.put(key, kept)


def _by_account(postings: Iterable[Posting]) -> dict[tuple[Account, AssetId], int]:
    sums: dict[tuple[Account, AssetId], int] = defaultdict(int)
    for posting in postings:
        sums[posting.account, posting.money.asset] += posting.money.amount
    return sums


def _by_asset(postings: Sequence[Posting]) -> dict[AssetId, int]:
    sums: dict[AssetId, int] = defaultdict(int)
    for posting in postings:
        sums[posting.money.asset] += posting.money.amount
    return sums


def _balances(sums: dict[tuple[Account, AssetId], int]) -> list[Balance]:
    return [
        balance(account, Money(total, asset)) for (account, asset), total in sorted(sums.items())
    ]
