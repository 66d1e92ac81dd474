"""What an observation changes: intents, escrows and the books, inside one unit of work.

Seen money only shows in its intent. Final money is booked, in the same transaction in which its
observation becomes final, so that a chain event is credited once whatever dies in between.
"""

from __future__ import annotations

from collections import Counter
from itertools import groupby
from typing import TYPE_CHECKING, assert_never

import attrs

from domain.chains.model import (
    CreditWithdrawn,
    EscrowDisputed,
    EscrowPaid,
    EscrowRefunded,
    EscrowReleased,
    EscrowResolved,
    Transfer,
)
from domain.chains.places import Places
from domain.escrow import booking as escrow_booking
from domain.escrow import events as escrow_events
from domain.escrow.model import Escrow, EscrowTerms
from domain.intents import booking as intent_booking
from domain.intents import events as intent_events
from domain.shared.ids import EscrowId, IntentId
from domain.shared.money import Assets
from ports.escrow_contract import EscrowContracts
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from domain.chains.model import Observation
    from domain.intents.model import PaymentIntent
    from domain.ledger.accounts import Account
    from domain.shared.money import Money
    from ports.unit_of_work import UnitOfWork


@attrs.frozen
class ChainDisagrees(Exception):
    """The chain says something that our own terms rule out: a person has to look."""

    escrow_id: EscrowId
    expected: tuple[int, int]
    """What should have gone to the merchant and to the platform, smallest units."""
    got: tuple[int, int]


@attrs.frozen
class _Move:
    """A transfer that another fact of the same transaction has accounted for."""

    source: str
    target: str
    amount: int


@attrs.frozen
class Crediting:
    """Applies the observations of one chain."""

    assets: Assets
    contracts: EscrowContracts
    places: Places

    async def ours(
        self, work: UnitOfWork, observations: Sequence[Observation]
    ) -> list[Observation]:
        """Return the observations that concern the gateway; a token has many other holders."""
        owners = await self._owners(work, observations)
        places = self.places
        into = {places.hot_wallet, places.escrow_contract, *owners}
        return [
            observation
            for observation in observations
            if not isinstance(observation.fact, Transfer)
            or (observation.fact.target in into and observation.fact.money.amount > 0)
        ]

    async def see(
        self, work: UnitOfWork, observations: Sequence[Observation], *, at: datetime
    ) -> None:
        """Show money that may still be taken back."""
        owners = await self._owners(work, observations)
        for observation in observations:
            intent = await self._lock_paid(work, observation, owners)
            if intent is None:
                continue
            money = _paid_money(observation)
            if money.asset == intent.due.asset:
                seen = intent.see(money.amount, paid_at=observation.block.time, at=at)
            else:
                seen = intent.see_wrong_asset()
            await self._save(work, intent, seen, intent_events.RECEIVED, at=at)

    async def retract(
        self, work: UnitOfWork, observations: Sequence[Observation], *, at: datetime
    ) -> None:
        """Take back what was shown and is gone. It was never booked."""
        owners = await self._owners(work, observations)
        for observation in observations:
            intent = await self._lock_paid(work, observation, owners)
            if intent is None or _paid_money(observation).asset != intent.due.asset:
                continue
            money = _paid_money(observation)
            without = intent.retract(money.amount, was_final=False, at=at)
            await self._save(work, intent, without, intent_events.RETRACTED, at=at)

    async def finalize(
        self, work: UnitOfWork, observations: Sequence[Observation], *, at: datetime
    ) -> None:
        """Book what cannot be taken back any more, in the chain's order."""
        owners = await self._owners(work, observations)
        for _, group in groupby(observations, key=lambda o: o.key.transaction):
            explained: Counter[_Move] = Counter()
            transfers: list[tuple[Observation, Transfer]] = []
            for observation in group:
                if isinstance(observation.fact, Transfer):
                    transfers.append((observation, observation.fact))
                else:
                    explained.update(await self._contract_moved(work, observation, at=at))
            for observation, fact in transfers:
                move = _Move(fact.source, fact.target, fact.money.amount)
                if explained[move]:
                    explained[move] -= 1
                else:
                    await self._transferred(work, observation, fact, owners, at=at)

    async def _owners(
        self, work: UnitOfWork, observations: Sequence[Observation]
    ) -> Mapping[str, IntentId]:
        targets = {o.fact.target for o in observations if isinstance(o.fact, Transfer)}
        chain = self.places.chain
        return await work.intents.owners_of(chain=chain, addresses=sorted(targets))

    async def _lock_paid(
        self, work: UnitOfWork, observation: Observation, owners: Mapping[str, IntentId]
    ) -> PaymentIntent | None:
        """Lock the intent that an observation pays: by address or reference, never by amount."""
        fact = observation.fact
        if isinstance(fact, Transfer) and fact.target in owners:
            return await work.intents.lock(owners[fact.target], owner=None)
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

    async def _transferred(
        self,
        work: UnitOfWork,
        observation: Observation,
        fact: Transfer,
        owners: Mapping[str, IntentId],
        *,
        at: datetime,
    ) -> None:
        """Book a transfer that no other fact accounts for."""
        time, suspense = observation.block.time, self.places.suspense
        intent_id = owners.get(fact.target)
        into = self._custody_of(fact.target, is_deposit=intent_id is not None)
        if into is None:
            return
        await work.ledger.book(
            intent_booking.deposit(
                reference=intent_id or observation.key.transaction,
                into=into,
                suspense=suspense,
                money=fact.money,
                at=time,
            )
        )
        if intent_id is None:
            return
        intent = await work.intents.lock(intent_id, owner=None)
        if intent.due.asset != fact.money.asset:
            return
        final = intent.finalize(fact.money.amount, at=at)
        await work.ledger.book(*intent_booking.capture(intent, final, suspense=suspense, at=time))
        await self._save(work, intent, final, intent_events.CONFIRMED, at=at)

    def _custody_of(self, address: str, *, is_deposit: bool) -> Account | None:
        if is_deposit:
            return self.places.deposits
        if address == self.places.hot_wallet:
            return self.places.hot
        return self.places.escrow if address == self.places.escrow_contract else None

    async def _contract_moved(
        self, work: UnitOfWork, observation: Observation, *, at: datetime
    ) -> list[_Move]:
        """Apply what the escrow contract says; return the transfers this accounts for."""
        contract, fact = self.places.escrow_contract, observation.fact
        match fact:
            case EscrowPaid():
                await self._paid(work, observation, fact, at=at)
                return [_Move(fact.payer, contract, fact.money.amount)]
            case CreditWithdrawn():
                await work.ledger.book(
                    escrow_booking.withdrawal(
                        money=fact.money,
                        account=fact.account,
                        target=fact.target,
                        places=self.places,
                        reference=observation.key.transaction,
                        at=observation.block.time,
                    )
                )
                hot = self.places.hot_wallet
                own = fact.account == hot == fact.target
                return [_Move(contract, hot, fact.money.amount)] if own else []
            case EscrowReleased() | EscrowRefunded() | EscrowDisputed() | EscrowResolved():
                ended = await self._moved_on(work, observation, fact, at=at)
                if ended is None:
                    return []
                return [_Move(contract, ended.terms.merchant, ended.merchant_amount)]
            case Transfer():
                raise TypeError(fact)
            case _:
                assert_never(fact)

    async def _paid(
        self, work: UnitOfWork, observation: Observation, fact: EscrowPaid, *, at: datetime
    ) -> None:
        time = observation.block.time
        intent = await self._lock_paid(work, observation, {})
        if intent is None or not isinstance(intent.pay_to, EscrowTerms):
            await work.ledger.book(
                intent_booking.deposit(
                    reference=observation.key.transaction,
                    into=self.places.escrow,
                    suspense=self.places.suspense,
                    money=fact.money,
                    at=time,
                )
            )
            return
        escrow = Escrow.hold(
            id=fact.escrow_id,
            intent_id=intent.id,
            merchant_id=intent.merchant_id,
            terms=intent.pay_to,
            payer=fact.payer,
            at=time,
        )
        await work.escrows.add(escrow)
        await work.ledger.book(escrow_booking.hold(escrow, self.places, at=time))
        final = intent.finalize(fact.money.amount, at=at)
        await self._save(work, intent, final, intent_events.CONFIRMED, at=at)
        await self._tell(work, escrow_events.HELD, escrow, at=at)

    async def _moved_on(
        self,
        work: UnitOfWork,
        observation: Observation,
        fact: EscrowReleased | EscrowRefunded | EscrowDisputed | EscrowResolved,
        *,
        at: datetime,
    ) -> Escrow | None:
        """Move an escrow of ours on; return it, or None where it is somebody else's."""
        escrow = await work.escrows.lock(fact.escrow_id)
        if escrow is None:
            await self._strangers_moved_on(work, observation, fact)
            return None
        intent = await work.intents.lock(escrow.intent_id, owner=None)
        time, after = observation.block.time, intent
        merchant_pushed = payer_pushed = True
        match fact:
            case EscrowDisputed():
                escrow, told = escrow.dispute(at=time), escrow_events.DISPUTED
            case EscrowReleased():
                escrow, told = escrow.release(at=time), escrow_events.RELEASED
                after, merchant_pushed = intent.release(at=at), fact.pushed
                _must_agree(escrow, fact.merchant_amount, fact.fee)
            case EscrowRefunded():
                escrow, told = escrow.refund(at=time), escrow_events.REFUNDED
                after, payer_pushed = intent.refund(at=at), fact.pushed
            case EscrowResolved():
                escrow = escrow.resolve(payer_amount=fact.payer_amount, at=time)
                told = escrow_events.RESOLVED
                gross = fact.merchant_amount + fact.fee
                after = intent.settle_dispute(merchant_gross=gross, at=at)
                merchant_pushed, payer_pushed = fact.merchant_pushed, fact.payer_pushed
                _must_agree(escrow, fact.merchant_amount, fact.fee)
            case _:
                assert_never(fact)
        await work.escrows.save(escrow)
        if escrow.ended_at is not None:
            await work.ledger.book(
                escrow_booking.end(
                    escrow,
                    self.places,
                    merchant_pushed=merchant_pushed,
                    payer_pushed=payer_pushed,
                    at=time,
                )
            )
        await self._save(work, intent, after, at=at)
        await self._tell(work, told, escrow, at=at)
        return escrow

    async def _strangers_moved_on(
        self,
        work: UnitOfWork,
        observation: Observation,
        fact: EscrowReleased | EscrowRefunded | EscrowDisputed | EscrowResolved,
    ) -> None:
        """Book what leaves the contract from an escrow under terms that are not ours."""
        paid = await work.chains.paid_into_escrow(fact.escrow_id)
        if paid is None or isinstance(fact, EscrowDisputed):
            return
        merchant_amount = payer_amount = fee = 0
        match fact:
            case EscrowReleased():
                merchant_amount, fee = fact.merchant_amount * fact.pushed, fact.fee
            case EscrowRefunded():
                payer_amount = fact.amount * fact.pushed
            case EscrowResolved():
                merchant_amount = fact.merchant_amount * fact.merchant_pushed
                payer_amount = fact.payer_amount * fact.payer_pushed
                fee = fact.fee
            case _:
                assert_never(fact)
        if not merchant_amount + payer_amount + fee:
            return
        await work.ledger.book(
            escrow_booking.stranger_end(
                money=paid,
                merchant_amount=merchant_amount,
                payer_amount=payer_amount,
                fee=fee,
                places=self.places,
                reference=observation.key.transaction,
                at=observation.block.time,
            )
        )

    async def _save(
        self,
        work: UnitOfWork,
        before: PaymentIntent,
        after: PaymentIntent,
        *types: str,
        at: datetime,
    ) -> None:
        await work.intents.save(after)
        told = intent_events.changed(before, after, *types, at=at, assets=self.assets)
        await work.events.record(*told)

    async def _tell(self, work: UnitOfWork, type: str, escrow: Escrow, *, at: datetime) -> None:
        await work.events.record(escrow_events.happened(type, escrow, at=at, assets=self.assets))


def _paid_money(observation: Observation) -> Money:
    fact = observation.fact
    if not isinstance(fact, Transfer | EscrowPaid):
        raise TypeError(fact)
    return fact.money


def _must_agree(escrow: Escrow, merchant_amount: int, fee: int) -> None:
    expected, got = (escrow.merchant_amount, escrow.fee.fee.amount), (merchant_amount, fee)
    if got != expected:
        raise ChainDisagrees(escrow.id, expected, got)
