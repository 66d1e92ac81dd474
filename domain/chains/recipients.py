"""Whose money an observation is: found by address, memo or contract reference, never by amount."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from domain.chains.model import EscrowPaid, Transfer, WalletCharged
from domain.chains.places import Places
from domain.customers.model import CustomerAddress
from domain.customers.reach import reach_of
from domain.escrow.model import EscrowTerms
from domain.intents import events, memos
from domain.shared.ids import IntentId
from domain.shared.money import Assets
from ports.escrow_contract import EscrowContracts
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from domain.chains.model import Observation
    from domain.customers.reach import Reach
    from domain.intents.model import PaymentIntent
    from ports.unit_of_work import UnitOfWork


@attrs.frozen
class Owners:
    """Which of the addresses and memos of some observations are of which intents or customers."""

    hot_wallet: str
    by_address: Mapping[str, IntentId]
    by_memo: Mapping[str, IntentId]
    customers: Mapping[str, CustomerAddress] = attrs.field(factory=dict)

    @property
    def issued(self) -> frozenset[str]:
        """The addresses that are deposit addresses, whosever."""
        return frozenset({*self.by_address, *self.customers})

    def of(self, fact: Transfer) -> IntentId | None:
        """Return the intent that a transfer pays, or None where nothing says whose it is."""
        if fact.target == self.hot_wallet:
            return self.by_memo.get(memos.read(fact.memo) or "")
        return self.by_address.get(fact.target)


NOBODY = Owners("", {}, {})
"""For what is paid by reference: its intent is named in the observation itself."""


@attrs.frozen
class Recipients:
    """Finds the intents that a chain's observations pay, and stores what becomes of them."""

    assets: Assets
    contracts: EscrowContracts
    places: Places

    @property
    def reach(self) -> Reach:
        """Which customers' addresses count on the chain."""
        return reach_of(self.places.chain, self.places.mode)

    async def owners(self, work: UnitOfWork, observations: Sequence[Observation]) -> Owners:
        """Return whose the addresses and memos are that were paid to.

        So are addresses that were charged for what they took in.
        """
        chain, hot_wallet = self.places.chain, self.places.hot_wallet
        paid = [o.fact for o in observations if isinstance(o.fact, Transfer)]
        addresses = {fact.target for fact in paid}
        for observation in observations:
            match observation.fact:
                case WalletCharged(wallet=str(charged)):
                    addresses.add(charged)
        by_address = await work.intents.owners_of(chain=chain, addresses=sorted(addresses))
        left = sorted(addresses - by_address.keys() - {hot_wallet})
        customers = await work.customers.at(left, reach=self.reach) if left else {}
        written = (memos.read(fact.memo) for fact in paid if fact.target == hot_wallet)
        named = sorted({memo for memo in written if memo is not None})
        by_memo: Mapping[str, IntentId] = {}
        if named:
            by_memo = await work.intents.owners_by_memo(chain=chain, memos=named)
        return Owners(hot_wallet, by_address, by_memo, customers)

    async def among(self, work: UnitOfWork, addresses: Collection[str]) -> Collection[str]:
        """Return which of some addresses are watched: deposit addresses, and our own two."""
        own = {self.places.hot_wallet, self.places.escrow_contract}
        issued = await self.issued(work, addresses)
        return {address for address in addresses if address in own or address in issued}

    async def issued(self, work: UnitOfWork, addresses: Collection[str]) -> Collection[str]:
        """Return which of some addresses are deposit addresses: intents' own, or customers'."""
        asked = sorted(addresses)
        intents = await work.intents.owners_of(chain=self.places.chain, addresses=asked)
        customers = await work.customers.at(asked, reach=self.reach)
        return frozenset({*intents, *customers})

    async def lock_paid(
        self, work: UnitOfWork, observation: Observation, owners: Owners
    ) -> PaymentIntent | None:
        """Lock the intent that an observation pays: never by amount, never by sender."""
        fact = observation.fact
        if isinstance(fact, Transfer):
            owner = owners.of(fact)
            return None if owner is None else await work.intents.lock(owner, owner=None)
        if not isinstance(fact, EscrowPaid):
            return None
        try:
            intent = await work.intents.lock(IntentId(fact.reference), owner=None)
        except NotFound:
            return None
        # Who changes a letter of the terms pays another escrow, of which we know nothing.
        terms = intent.pay_to
        ours = isinstance(terms, EscrowTerms) and self.contracts.escrow_id(terms) == fact.escrow_id
        return intent if ours else None

    async def save(
        self,
        work: UnitOfWork,
        before: PaymentIntent,
        after: PaymentIntent,
        *types: str,
        at: datetime,
    ) -> None:
        """Store an intent and tell what happened to it."""
        await work.intents.save(after)
        told = events.changed(before, after, *types, at=at, assets=self.assets)
        await work.events.record(*told)
