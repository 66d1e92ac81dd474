"""What an observation changes: intents, deposits, escrows and the books, in one unit of work.

Seen money only shows in its intent or deposit. Final money is booked, in the same transaction in
which its observation becomes final, so that a chain event is credited once whatever dies in
between.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING

import attrs

from domain.chains.contract_moves import ContractMoves, Move
from domain.chains.model import EscrowPaid, Transfer, WalletCharged
from domain.chains.recipients import Recipients
from domain.customers.crediting import CustomerDeposits
from domain.intents import booking, events
from domain.settlements.booking import network_fee
from domain.suspense import keeping
from domain.sweeps import booking as sweep_booking
from domain.treasury import following

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from domain.chains.model import Fact, Observation
    from domain.chains.places import Places
    from domain.chains.recipients import Owners
    from domain.customers.model import CustomerAddress
    from domain.ledger.accounts import Account
    from domain.shared.money import Money
    from ports.unit_of_work import UnitOfWork


@attrs.frozen
class Crediting:
    """Applies the observations of one chain."""

    recipients: Recipients
    deposits: CustomerDeposits

    @property
    def places(self) -> Places:
        """Where the gateway's money lies on the chain."""
        return self.recipients.places

    async def ours(
        self, work: UnitOfWork, observations: Sequence[Observation]
    ) -> list[Observation]:
        """Return the observations that concern the gateway; a token has many other holders."""
        owners = await self.recipients.owners(work, observations)
        places = self.places
        into = {places.hot_wallet, places.escrow_contract, *owners.issued}
        return [
            observation for observation in observations if self._concerns(observation.fact, into)
        ]

    def _concerns(self, fact: Fact, into: Collection[str | None]) -> bool:
        match fact:
            case Transfer(money=money, target=target):
                return target in into and money.amount > 0 and not self._is_gas_of_ours(fact)
            case WalletCharged(wallet=wallet):
                return wallet is None or wallet in into
            case _:
                return True

    def _is_gas_of_ours(self, fact: Transfer) -> bool:
        """Tell whether the hot wallet pays for a sweep: its transaction's end books that."""
        native = fact.money.asset == self.places.native
        return native and fact.source == self.places.hot_wallet

    async def see(
        self, work: UnitOfWork, observations: Sequence[Observation], *, at: datetime
    ) -> None:
        """Show money that may still be taken back."""
        owners = await self.recipients.owners(work, observations)
        for observation in observations:
            fact, customer = observation.fact, _customer(observation, owners)
            if customer and isinstance(fact, Transfer):
                await self.deposits.see(work, observation, fact, customer, at=at)
                continue
            intent = await self.recipients.lock_paid(work, observation, owners)
            if intent is None:
                continue
            money = _paid_money(observation)
            if money.asset == intent.due.asset:
                seen = intent.see(money.amount, paid_at=observation.block.time, at=at)
            else:
                seen = intent.see_wrong_asset()
            await self.recipients.save(work, intent, seen, events.RECEIVED, at=at)

    async def retract(
        self, work: UnitOfWork, observations: Sequence[Observation], *, at: datetime
    ) -> None:
        """Take back what was shown and is gone. It was never booked."""
        owners = await self.recipients.owners(work, observations)
        for observation in observations:
            if customer := _customer(observation, owners):
                await self.deposits.retract(work, observation, customer, at=at)
                continue
            intent = await self.recipients.lock_paid(work, observation, owners)
            if intent is None:
                continue
            money = _paid_money(observation)
            if money.asset == intent.due.asset:
                without = intent.retract(money.amount, was_final=False, at=at)
            else:
                without = intent.retract_wrong_asset()
            await self.recipients.save(work, intent, without, events.RETRACTED, at=at)

    async def finalize(
        self, work: UnitOfWork, observations: Sequence[Observation], *, at: datetime
    ) -> None:
        """Book what cannot be taken back any more, in the chain's order."""
        owners = await self.recipients.owners(work, observations)
        swept = await self._swept_addresses(work, observations)
        contract = ContractMoves(self.recipients)
        for _, group in groupby(observations, key=lambda o: o.key.transaction):
            explained: Counter[Move] = Counter()
            transfers: list[tuple[Observation, Transfer]] = []
            for observation in group:
                if isinstance(observation.fact, Transfer):
                    transfers.append((observation, observation.fact))
                elif isinstance(observation.fact, WalletCharged):
                    await self._charged(work, observation, observation.fact)
                else:
                    explained.update(await contract.apply(work, observation, at=at))
            for observation, fact in transfers:
                move = Move(fact.source, fact.target, fact.money.amount)
                if explained[move]:
                    explained[move] -= 1
                elif fact.target == self.places.hot_wallet and fact.source in swept:
                    await self._swept(work, observation, fact)
                else:
                    rest = await self._brought_back(work, observation, fact, owners)
                    if rest.money:
                        await self._transferred(work, observation, rest, owners, at=at)

    async def _brought_back(
        self, work: UnitOfWork, observation: Observation, fact: Transfer, owners: Owners
    ) -> Transfer:
        """Book what a person has brought from the cold wallet; return what is left to explain."""
        target, source = self.places.hot_wallet, self.places.cold_wallet
        if (fact.target, fact.source) != (target, source) or owners.of(fact) is not None:
            return fact
        reference, time = observation.key.transaction, observation.block.time
        rest = await following.bring_back(
            work, fact.money, self.places, reference=reference, at=time
        )
        return attrs.evolve(fact, money=rest)

    async def _transferred(
        self,
        work: UnitOfWork,
        observation: Observation,
        fact: Transfer,
        owners: Owners,
        *,
        at: datetime,
    ) -> None:
        """Book a transfer that no other fact accounts for."""
        if customer := _customer(observation, owners):
            await self.deposits.finalize(work, observation, fact, customer, at=at)
            return
        time, suspense = observation.block.time, self.places.suspense
        intent_id = owners.of(fact)
        into = self._custody_of(fact, is_deposit=fact.target in owners.by_address)
        if into is None:
            return
        await work.ledger.book(
            booking.deposit(
                reference=intent_id or observation.key.transaction,
                into=into,
                suspense=suspense,
                money=fact.money,
                at=time,
            )
        )
        if intent_id is None:
            await work.suspense.add(keeping.unassigned(observation, fact, self.places))
            return
        if into == self.places.deposits:
            await work.sweeps.change_holding(self.places.chain, fact.target, fact.money)
        intent = await work.intents.lock(intent_id, owner=None)
        if intent.due.asset != fact.money.asset:
            await work.suspense.add(keeping.of_other_asset(observation, fact, intent))
            # Said once more: another such payment may have been retracted meanwhile.
            wrong = intent.see_wrong_asset()
            if wrong != intent:
                await self.recipients.save(work, intent, wrong, events.CONFIRMED, at=at)
            return
        final = intent.finalize(fact.money.amount, at=at)
        new = keeping.counted(observation, fact, final)
        await keeping.keep(work, intent, final, new, at=time)
        await work.ledger.book(*booking.capture(intent, final, suspense=suspense, at=time))
        await self.recipients.save(work, intent, final, events.CONFIRMED, at=at)

    async def _swept_addresses(
        self, work: UnitOfWork, observations: Sequence[Observation]
    ) -> Collection[str]:
        """Return the deposit addresses from which something came to the hot wallet."""
        sources = {
            o.fact.source
            for o in observations
            if isinstance(o.fact, Transfer) and o.fact.target == self.places.hot_wallet
        }
        if not sources:
            return ()
        return await self.recipients.issued(work, sources)

    async def _swept(self, work: UnitOfWork, observation: Observation, fact: Transfer) -> None:
        """Book what has only changed its place with us: it is nobody's payment.

        The observation is booked once, so the sweep is; its submission's end books the fee alone.
        """
        await work.sweeps.change_holding(self.places.chain, fact.source, -fact.money)
        await work.ledger.book(
            sweep_booking.arrival(
                fact.money,
                self.places,
                reference=observation.key.transaction,
                at=observation.block.time,
            )
        )

    async def _charged(
        self, work: UnitOfWork, observation: Observation, fact: WalletCharged
    ) -> None:
        """Book what the network took for the receipt of money, or as rent."""
        fee = network_fee
        if fact.wallet is not None:
            fee = sweep_booking.network_fee
            await work.sweeps.change_holding(self.places.chain, fact.wallet, -fact.cost)
        await work.ledger.book(
            fee(
                fact.cost,
                self.places,
                reference=observation.key.transaction,
                at=observation.block.time,
            )
        )

    def _custody_of(self, fact: Transfer, *, is_deposit: bool) -> Account | None:
        if fact.target == self.places.hot_wallet:
            return self.places.pays_from(fact.money.asset)
        if is_deposit:
            return self.places.deposits
        return self.places.escrow if fact.target == self.places.escrow_contract else None


def _customer(observation: Observation, owners: Owners) -> CustomerAddress | None:
    """Return the customer's address that a transfer goes to, or None."""
    fact = observation.fact
    return owners.customers.get(fact.target) if isinstance(fact, Transfer) else None


def _paid_money(observation: Observation) -> Money:
    fact = observation.fact
    if not isinstance(fact, Transfer | EscrowPaid):
        raise TypeError(fact)
    return fact.money
