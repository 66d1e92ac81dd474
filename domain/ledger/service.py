"""Use cases of the books: show balances, check them, compare them with the chains."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from domain.chains.places import Places
from domain.ledger.accounts import WORLD, Account, is_constrained
from domain.ledger.model import Transaction, credit, debit
from domain.shared.money import AssetId, Assets, ChainId, zero
from ports.chain import ChainReader
from ports.clock import Clock
from ports.unit_of_work import Begin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.ledger.model import Balance
    from domain.shared.ids import MerchantId
    from domain.shared.money import Money


GAS_TRIES = 10
"""How often the gas tank is looked at before giving up on a chain that moves all the time."""


@attrs.frozen
class CoverageMissing(Exception):
    """The chain has not been read yet, so there is nothing to compare the books with."""

    chain: ChainId


@attrs.frozen
class TankMoved(Exception):
    """The chain was read on while its gas tank was looked at. Try again."""

    chain: ChainId


@attrs.frozen
class Finding:
    """Something in the books that cannot be right."""

    what: str
    where: str


@attrs.frozen
class Comparison:
    """What the books say a place holds, and what the chain says, after one block."""

    account: Account
    asset: AssetId
    block: int
    books: int
    chain: int

    @property
    def agree(self) -> bool:
        """Tell whether they agree, to the last unit."""
        return self.books == self.chain


@attrs.frozen
class LedgerService:
    """Reads the books. What is booked, the other contexts book."""

    begin: Begin
    clock: Clock
    assets: Assets
    readers: Mapping[ChainId, ChainReader]
    places: Mapping[ChainId, Places]

    async def merchant_balances(self, *, owner: MerchantId) -> Sequence[Balance]:
        """Return what a merchant has pending, available and reserved, per asset."""
        async with self.begin() as work:
            return await work.ledger.kept_balances(prefix=f"merchant:{owner}:")

    async def check(self) -> Sequence[Finding]:
        """Check the books against themselves; nothing found is what is expected.

        Every transaction sums to zero per asset; so does the whole; no constrained account is
        below zero; every kept balance is the sum of its postings.
        """
        async with self.begin() as work:
            unbalanced = await work.ledger.unbalanced()
            balances = await work.ledger.balances(prefix="")
            kept = await work.ledger.kept_balances()
        findings = [Finding("transaction does not sum to zero", id) for id in unbalanced]
        summed = {(balance.account, balance.money.asset): balance for balance in balances}
        findings += [
            Finding("constrained account below zero", f"{balance.account} {balance.money.asset}")
            for balance in balances
            if is_constrained(balance.account) and balance.money.amount < 0
        ]
        for row in kept:
            balance = summed.pop((row.account, row.money.asset), None)
            if (balance.money.amount if balance else 0) != row.money.amount:
                findings.append(
                    Finding("kept balance differs from postings", f"{row.account} {row.money}")
                )
        findings += [
            Finding("constrained account without a balance row", f"{account} {asset}")
            for account, asset in summed
            if is_constrained(account)
        ]
        return findings

    async def book_gas(self, *, chain: ChainId) -> Money:
        """Book native coin that came to the hot wallet from outside; return how much that was.

        Coins leave no event by which the watcher could see them arrive, so an operator says when
        the tank was filled. What is missing is not booked: that is a finding of ``compare``.

        Raises:
            ChainUnavailable: no node answered.
            TankMoved: the chain was read on meanwhile, time after time. Try again.
        """
        places, reader = self.places[chain], self.readers[chain]
        for _ in range(GAS_TRIES):
            async with self.begin() as work:
                cursor = await work.chains.cursor(chain)
            block = cursor.final.number if cursor else (await reader.head()).latest
            held = await reader.balance(places.hot_wallet, places.native, at_block=block)
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
                        kind="brought_in",
                        reference=places.gas,
                        postings=(debit(places.gas, more), credit(WORLD, more)),
                        effective_at=self.clock.now(),
                    )
                )
                await work.commit()
            return more
        raise TankMoved(chain)

    async def compare(self, *, chain: ChainId) -> Sequence[Comparison]:
        """Compare the books with the chain after the last block that is booked as final.

        Raises:
            ChainUnavailable: no node answered.
            CoverageMissing: the chain has not been read yet.
        """
        places, reader = self.places[chain], self.readers[chain]
        async with self.begin() as work:
            cursor = await work.chains.cursor(chain)
            if cursor is None:
                raise CoverageMissing(chain)
            balances = await work.ledger.balances(prefix="")
            deposit_addresses = await work.intents.deposit_addresses(chain=chain)
        block = cursor.final.number
        booked: dict[tuple[Account, AssetId], int] = defaultdict(int)
        for balance in balances:
            booked[balance.account, balance.money.asset] = balance.money.amount
        found = []
        for asset in self.assets.by_id:
            if not asset.startswith(f"{chain}/"):
                continue
            spots: list[tuple[Account, Sequence[str]]] = [
                (places.pays_from(asset), [places.hot_wallet]),
                (places.escrow, [places.escrow_contract]),
                (places.deposits, deposit_addresses),
            ]
            for account, addresses in spots:
                held = 0
                for address in addresses:
                    held += (await reader.balance(address, asset, at_block=block)).amount
                found.append(Comparison(account, asset, block, booked[account, asset], held))
        return found
