"""What the escrow contract's events change: escrows, their intents and the books."""

from __future__ import annotations

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
    WalletCharged,
)
from domain.chains.recipients import NOBODY, Recipients
from domain.escrow import booking as escrow_booking
from domain.escrow import events as escrow_events
from domain.escrow.model import Escrow, EscrowTerms
from domain.intents import booking as intent_booking
from domain.intents import events as intent_events
from domain.shared.ids import EscrowId

if TYPE_CHECKING:
    from datetime import datetime

    from domain.chains.model import Observation
    from ports.unit_of_work import UnitOfWork


@attrs.frozen
class ChainDisagrees(Exception):
    """The chain says something that our own terms rule out: a person has to look."""

    escrow_id: EscrowId
    expected: tuple[int, int]
    """What should have gone to the merchant and to the platform, smallest units."""
    got: tuple[int, int]


@attrs.frozen
class Move:
    """A transfer that another fact of the same transaction has accounted for."""

    source: str
    target: str
    amount: int


@attrs.frozen
class ContractMoves:
    """Applies what the escrow contract of one chain says, once it is final."""

    recipients: Recipients

    async def apply(
        self, work: UnitOfWork, observation: Observation, *, at: datetime
    ) -> list[Move]:
        """Apply what the escrow contract says; return the transfers this accounts for."""
        contract, fact = self.recipients.places.escrow_contract or "", observation.fact
        match fact:
            case EscrowPaid():
                await self._paid(work, observation, fact, at=at)
                return [Move(fact.payer, contract, fact.money.amount)]
            case CreditWithdrawn():
                await self._withdrawn(work, observation, fact, at=at)
                await work.ledger.book(
                    escrow_booking.withdrawal(
                        money=fact.money,
                        account=fact.account,
                        target=fact.target,
                        places=self.recipients.places,
                        reference=observation.key.transaction,
                        at=observation.block.time,
                    )
                )
                hot = self.recipients.places.hot_wallet
                own = fact.account == hot == fact.target
                return [Move(contract, hot, fact.money.amount)] if own else []
            case EscrowReleased() | EscrowRefunded() | EscrowDisputed() | EscrowResolved():
                ended = await self._moved_on(work, observation, fact, at=at)
                if ended is None:
                    return []
                return [Move(contract, ended.terms.merchant, ended.merchant_amount)]
            case Transfer() | WalletCharged():
                raise TypeError(fact)
            case _:
                assert_never(fact)

    async def _paid(
        self, work: UnitOfWork, observation: Observation, fact: EscrowPaid, *, at: datetime
    ) -> None:
        time = observation.block.time
        intent = await self.recipients.lock_paid(work, observation, NOBODY)
        if intent is None or not isinstance(intent.pay_to, EscrowTerms):
            await work.ledger.book(
                intent_booking.deposit(
                    reference=observation.key.transaction,
                    into=self.recipients.places.escrow,
                    suspense=self.recipients.places.suspense,
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
        await work.ledger.book(escrow_booking.hold(escrow, self.recipients.places, at=time))
        final = intent.finalize(fact.money.amount, at=at)
        await self.recipients.save(work, intent, final, intent_events.CONFIRMED, at=at)
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
        if escrow.ended_at is not None:
            escrow = escrow.keep_credits(
                merchant_pushed=merchant_pushed, payer_pushed=payer_pushed, at=time
            )
            await work.ledger.book(
                escrow_booking.end(
                    escrow,
                    self.recipients.places,
                    merchant_pushed=merchant_pushed,
                    payer_pushed=payer_pushed,
                    at=time,
                )
            )
        await work.escrows.save(escrow)
        await self.recipients.save(work, intent, after, at=at)
        await self._tell(work, told, escrow, at=at)
        if escrow.claims:
            await self._tell(work, escrow_events.CREDITED, escrow, at=at)
        return escrow

    async def _withdrawn(
        self, work: UnitOfWork, observation: Observation, fact: CreditWithdrawn, *, at: datetime
    ) -> None:
        """Close the claims that somebody has taken out: the contract gives all there is."""
        places = self.recipients.places
        claimed = await work.escrows.with_open_claims(
            chain=places.chain,
            contract=places.escrow_contract or "",
            account=fact.account,
            asset=fact.money.asset,
        )
        for escrow_id in claimed:
            escrow = await work.escrows.lock(escrow_id)
            if escrow is None:
                continue
            taken = escrow.withdraw(
                account=fact.account, to=fact.target, at=observation.block.time
            )
            await work.escrows.save(taken)
            await self._tell(work, escrow_events.WITHDRAWN, taken, at=at)

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
                places=self.recipients.places,
                reference=observation.key.transaction,
                at=observation.block.time,
            )
        )

    async def _tell(self, work: UnitOfWork, type: str, escrow: Escrow, *, at: datetime) -> None:
        await work.events.record(
            escrow_events.happened(type, escrow, at=at, assets=self.recipients.assets)
        )


def _must_agree(escrow: Escrow, merchant_amount: int, fee: int) -> None:
    expected, got = (escrow.merchant_amount, escrow.fee.fee.amount), (merchant_amount, fee)
    if got != expected:
        raise ChainDisagrees(escrow.id, expected, got)
