"""Use cases of the books: show balances, check them, compare them with chains, correct them."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from domain.chains.places import Places
from domain.ledger.accounts import WORLD
from domain.ledger.checking import Checking
from domain.ledger.comparing import BROUGHT_IN, Comparing
from domain.ledger.holds import HoldNotDue, HoldNotPending
from domain.ledger.model import Transaction, credit, debit
from domain.shared.money import Assets, ChainId, chain_of, zero
from ports.chain import ChainReader, ChainUnavailable
from ports.clock import Clock
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from domain.chains.model import Block, Cursor
    from domain.ledger.checking import Finding
    from domain.ledger.comparing import Comparison
    from domain.ledger.model import Balance, BookedTransaction
    from domain.shared.ids import HoldId, MerchantId, TransactionId
    from domain.shared.money import Money

log = logging.getLogger(__name__)

GAS_TRIES = 10
"""How often the gas tank is looked at before giving up on a chain that moves all the time."""


@attrs.frozen
class TankMoved(Exception):
    """The chain was read on while its gas tank was looked at. Try again."""

    chain: ChainId


@attrs.frozen
class LedgerService:
    """Reads the books and corrects them. What is booked, the other contexts book."""

    begin: Begin
    clock: Clock
    assets: Assets
    readers: Mapping[ChainId, ChainReader]
    places: Mapping[ChainId, Places]

    async def merchant_balances(self, *, owner: MerchantId) -> Sequence[Balance]:
        """Return what a merchant has pending, available and reserved, per asset."""
        async with self.begin() as work:
            return await work.ledger.kept_balances(prefix=f"merchant:{owner}:")

    async def balances(self, *, prefix: str = "", at: datetime | None = None) -> Sequence[Balance]:
        """Return the balances of accounts whose name begins so: now, or as of a time.

        As of a time they are those of all that had been booked by then.
        """
        async with self.begin() as work:
            return await work.ledger.balances(prefix=prefix, booked_by=at)

    async def check(self) -> Sequence[Finding]:
        """Check the books against themselves; nothing found is what is expected."""
        return await Checking(self.begin, self.clock).check()

    async def compare(self, *, chain: ChainId) -> Sequence[Comparison]:
        """Compare the books with the chain after the last block that is booked as final.

        Raises:
            ChainUnavailable: no node answered.
            CoverageMissing: the chain has not been read yet.
        """
        comparing = Comparing(self.begin, self.assets, self.readers, self.places)
        return await comparing.compare(chain=chain)

    async def reverse(self, *, transaction_id: TransactionId, reason: str) -> BookedTransaction:
        """Undo a booking by its opposite, by a person's decision; return what was booked.

        Raises:
            NotFound: there is no such transaction.
            NotReversible: it is a reversal, or belongs to a hold, which ends by its own rules.
            AlreadyReversed: it was reversed before.
            InsufficientFunds: what it has credited is spent.
        """
        async with self.begin() as work:
            booked = await work.ledger.get(transaction_id)
            # As whoever books more than once, so that none who does can wait for the other.
            for chain in sorted(_chains_of(booked.transaction)):
                await work.chains.lock_cursor(chain)
            await work.ledger.book(booked.reversal(at=self.clock.now(), note=reason))
            [*_, reversal] = [
                each
                for each in await work.ledger.transactions(reference=booked.transaction.reference)
                if each.transaction.reverses == transaction_id
            ]
            await work.commit()
        log.warning("%s reverses %s: %s", reversal.id, transaction_id, reason)
        return reversal

    async def expire_holds(self, *, limit: int = 100) -> int:
        """Give back what was held for longer than it may be; return how many holds that ended.

        Each ends in a unit of work of its own, under its lock: one that is posted or voided
        meanwhile is left as it is.
        """
        at = self.clock.now()
        async with self.begin() as work:
            lapsed = await work.ledger.lapsed_holds(at=at, limit=limit)
        ended = 0
        for hold_id in lapsed:
            ended += await self._expire(hold_id, at=at)
        return ended

    async def _expire(self, hold_id: HoldId, *, at: datetime) -> bool:
        async with self.begin() as work:
            hold = await work.ledger.lock_hold(hold_id)
            try:
                expired, transaction = hold.expire(at=at)
            except (HoldNotPending, HoldNotDue):
                return False
            await work.ledger.save_hold(expired)
            await work.ledger.book(transaction)
            await work.commit()
        return True

    async def book_gas(self, *, chain: ChainId) -> Money:
        """Book native coin that came to the hot wallet from outside; return how much that was.

        On most chains coins leave no event by which the watcher could see them arrive, so an
        operator says when the tank was filled; elsewhere, what was there before reading began.
        What is missing is not booked: that is a finding of ``compare``.

        Raises:
            ChainUnavailable: no node answered.
            TankMoved: the chain was read on meanwhile, time after time. Try again.
        """
        places, reader = self.places[chain], self.readers[chain]
        for _ in range(GAS_TRIES):
            async with self.begin() as work:
                cursor = await work.chains.cursor(chain)
            block = await _last_read(cursor, reader, places)
            held = await reader.balance(places.hot_wallet, places.native, at_block=block.number)
            async with self.begin() as work:
                if await work.chains.lock_cursor(chain) != cursor:
                    continue
                more = held
                for balance in await work.ledger.balances(prefix=places.gas):
                    if (balance.account, balance.money.asset) == (places.gas, places.native):
                        more = held - balance.money
                if more.amount <= 0:
                    return zero(places.native)
                await work.ledger.book(
                    Transaction(
                        kind=BROUGHT_IN,
                        reference=places.gas,
                        postings=(debit(places.gas, more), credit(WORLD, more)),
                        effective_at=block.time,
                    )
                )
                await work.commit()
            return more
        raise TankMoved(chain)


def _chains_of(transaction: Transaction) -> set[ChainId]:
    chains = {chain_of(posting.money.asset) for posting in transaction.postings}
    return {chain for chain in chains if chain is not None}


async def _last_read(cursor: Cursor | None, reader: ChainReader, places: Places) -> Block:
    """Return the block up to which all is booked: the newest, where nothing was read yet.

    Where coins are seen to come, what the first block to be read brings will be booked then.
    """
    if cursor is not None:
        return cursor.final
    number = places.first_block - 1 if places.shows_coins else (await reader.head()).latest
    newest = await reader.block(max(number, 0))
    if newest is None:
        raise ChainUnavailable("the block up to which all is booked is missing")
    return newest
