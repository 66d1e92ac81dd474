"""What must hold of customers' deposits: each transfer is one, and ends as its block does."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from config.simulation.broken import must
from domain.chains.model import Finality, Transfer
from domain.customers.model import DepositStatus
from domain.customers.reach import reach_of
from domain.ledger.accounts import PLATFORM_FEES, available

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from collections.abc import Set as AbstractSet

    from config.simulation.world import World
    from domain.chains.model import Observation, ObservationKey
    from domain.customers.model import CustomerAddress, Deposit
    from domain.ledger.model import BookedTransaction
    from domain.shared.events import Event
    from domain.shared.money import ChainId, Money

ENDED = frozenset({DepositStatus.SUCCEEDED, DepositStatus.BELOW_MINIMUM})
CREDIT = "customer_deposit"
"""The kind of transaction that credits a deposit."""
TOLD_AFTER: Mapping[str, AbstractSet[str | None]] = {
    "deposit.received": {None, "deposit.retracted"},
    "deposit.succeeded": {"deposit.received"},
    "deposit.below_minimum": {"deposit.received"},
    "deposit.retracted": {"deposit.received"},
}
"""After which event of a deposit each other may be told."""


class DepositRules:
    """Looks at what each commit has changed of deposits, and sets them against the chains."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tables = world.store.tables
        self._told: dict[str, str] = {}
        self._came: Counter[ChainId] = Counter()
        """How many transfers that are deposits there are up to where a chain was looked at."""
        self._alike: Counter[tuple[object, ...]] = Counter()
        """How many of them are of the same transaction, address and money."""
        self._looked_up_to: Counter[ChainId] = Counter()
        self._minimums = {it.id: it.deposit_minimum or 1 for it in world.settings.assets}

    # After each commit.

    def address(
        self, key: str, before: CustomerAddress | None, after: CustomerAddress | None
    ) -> None:
        """See that a customer's address stays, and is nobody else's."""
        must(before is None and after is not None, "a customer's address stays", key)
        if after is not None:
            mine = (after.merchant_id, after.customer, after.reach)
            only = len(self._tables.customer_addresses.where(of=mine)) == 1
            only = only and len(self._tables.customer_addresses.where(address=after.address)) == 1
            must(only, "a customer has one address", key)

    def deposit(self, key: str, before: Deposit | None, after: Deposit | None) -> None:
        """See that a deposit stays what it is, and ends once, with its credit."""
        must(after is not None, "deposits are kept", key)
        if after is None:
            return
        if before is not None:
            must(before.status not in ENDED, "a deposit ends once", key)
            must(_what(before) == _what(after), "a deposit stays what it is", key)
        credits = [
            it
            for it in self._tables.transactions.where(reference=key)
            if it.transaction.kind == CREDIT
        ]
        if after.status is DepositStatus.SUCCEEDED:
            fee = after.fees.on(after.money).fee.amount
            must(after.fee == fee, "a deposit's fee is the merchant's", key)
            must(self._is_enough(after), "what is too little is not credited", key)
            right = len(credits) == 1 and _credits(credits[0], after)
            must(right, "a deposit is credited once", key)
        else:
            must(not credits and after.fee is None, "only what succeeds is credited", key)
        if after.status is DepositStatus.BELOW_MINIMUM:
            must(not self._is_enough(after), "what is enough is credited", key)
            aside = self._tables.transactions.where(reference=key)
            must(len(aside) == 1, "what is too little is set aside once", key)

    def told(self, event: Event) -> None:
        """See that a deposit's events tell one story, in order."""
        after = TOLD_AFTER.get(event.type)
        if after is None:
            return
        last = self._told.get(event.object_id)
        must(last in after, "a deposit's events are in order", f"{event.type} after {last}")
        self._told[event.object_id] = event.type

    def transfer(self, key: ObservationKey, before: Observation | None) -> None:
        """See that a transfer is one deposit, or none, and stands as its block does."""
        now = self._tables.observations.get(key)
        seen = now or before
        if seen is None or not isinstance(seen.fact, Transfer):
            return
        address = self._customer(key.chain, seen.fact)
        if address is None:
            return
        standing = self._tables.deposits.where(standing=(key, address.id))
        what = f"{key.transaction} {key.position}"
        if now is None or now.finality is Finality.RETRACTED:
            must(not standing, "a deposit goes with its block", what)
            return
        if seen.fact.money.asset not in self._world.assets.by_id:
            must(not standing, "what is not on the list is no deposit", what)
            return
        must(len(standing) == 1, "each transfer is one deposit", what)
        [deposit] = standing
        must(deposit.money == seen.fact.money, "a deposit is what came", what)
        ended = deposit.status in ENDED
        must(ended is (now.finality is Finality.FINAL), "a deposit ends when it is final", what)

    # As a whole.

    def at_rest(self) -> None:
        """See that the chains' final blocks have just these transfers, by the chains themselves.

        Raises:
            Broken: one was lost, or is there twice.
        """
        ended: Counter[ChainId] = Counter()
        alike: Counter[tuple[object, ...]] = Counter()
        for deposit in self._tables.deposits:
            ended[deposit.key.chain] += deposit.status in ENDED
            alike[_alike(deposit.key, deposit.address, deposit.money)] += 1
        self._look_up_to_final()
        for name, count in self._came.items():
            what = f"{ended[name]} of {count} on {name}"
            must(ended[name] == count, "each deposit is one transfer", what)
        for which, count in self._alike.items():
            must(alike[which] == count, "what comes again is the same deposit", str(which))

    def _look_up_to_final(self) -> None:
        for name, rail in self._world.rails.items():
            cursor = self._tables.cursors.get(name)
            if cursor is None:
                continue
            first = max(cursor.first, self._looked_up_to[name] + 1)
            for mined in rail.chain.blocks.mined[first : cursor.final.number + 1]:
                for it in mined.observations:
                    self._look_at(it)
            self._looked_up_to[name] = max(self._looked_up_to[name], cursor.final.number)

    def _look_at(self, observation: Observation) -> None:
        key, fact = observation.key, observation.fact
        address = self._customer(key.chain, fact)
        if address is None or not isinstance(fact, Transfer):
            return
        if fact.money.asset not in self._world.assets.by_id:
            return
        self._came[key.chain] += 1
        self._alike[_alike(key, fact.target, fact.money)] += 1
        found = self._tables.deposits.where(standing=(key, address.id))
        right = len(found) == 1 and found[0].status in ENDED
        must(right, "each transfer is one deposit", str(key))

    def left(self) -> Iterator[str]:
        """Name what is neither credited nor gone."""
        for deposit in self._tables.deposits:
            if deposit.status is DepositStatus.PENDING:
                yield f"{deposit.id} is {deposit.status}"

    def _customer(self, chain: ChainId, fact: object) -> CustomerAddress | None:
        """Return the address of a customer that a transfer by somebody else goes to."""
        places = self._world.places[chain]
        if not isinstance(fact, Transfer) or not fact.money:
            return None
        if fact.source == places.hot_wallet and fact.money.asset == places.native:
            return None  # It is given gas, to be swept.
        reach = reach_of(chain, places.mode)
        known = self._tables.customer_addresses.where(address=fact.target)
        return next((it for it in known if it.reach == reach), None)

    def _is_enough(self, deposit: Deposit) -> bool:
        return deposit.money.amount >= self._minimums[deposit.money.asset]


def _alike(key: ObservationKey, address: str, money: Money) -> tuple[object, ...]:
    """Return what a transfer keeps when another block takes it in."""
    return key.chain, key.transaction, address, money


def _what(deposit: Deposit) -> tuple[object, ...]:
    """Return what no change of a deposit touches."""
    it = deposit
    return it.merchant_id, it.address_id, it.customer, it.address, it.money, it.fees, it.created_at


def _credits(booked: BookedTransaction, deposit: Deposit) -> bool:
    """Tell whether a transaction gives the merchant what came, less the fee."""
    given: Counter[str] = Counter()
    for posting in booked.transaction.postings:
        given[posting.account] -= posting.money.amount
    fee = deposit.fee or 0
    right = given[available(deposit.merchant_id)] == deposit.money.amount - fee
    return right and given[PLATFORM_FEES] == fee
