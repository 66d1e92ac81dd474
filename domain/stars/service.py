"""Use cases of payments in Telegram Stars: invoice, pre-checkout, credit, refund, mature."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final

import attrs

from domain.intents.model import Method
from domain.shared.ids import IntentId
from domain.shared.money import Assets, zero
from domain.stars import booking, checkout
from domain.stars.crediting import StarCrediting
from domain.stars.model import (
    STARS,
    Charge,
    Invoice,
    PaymentState,
    PreCheckout,
)
from domain.stars.refunding import StarRefunding, lock_with_intent
from ports.clock import Clock
from ports.ids import Ids
from ports.stars import StarsBot
from ports.unit_of_work import Begin, NotFound, StorageUnavailable

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent
    from domain.shared.idempotency import Idempotency
    from domain.shared.ids import MerchantId
    from domain.stars.model import ChargeId, StarPayment, StarUpdate

MATURE_MAX: Final = 100
"""How many charges one run looks at."""

UNDECIDED: Final = timedelta(days=1)
"""When a charge is looked at again whose intent nobody has decided on."""


@attrs.frozen
class NotPaidInStars(ValueError):
    """The intent is paid in another way, so there is no invoice for it."""

    id: IntentId
    method: Method


@attrs.frozen
class StarsService:
    """What merchants, payers and time do with payments in Stars."""

    begin: Begin
    clock: Clock
    ids: Ids
    assets: Assets
    bot: StarsBot

    async def invoice_link(
        self,
        *,
        owner: MerchantId,
        intent_id: IntentId,
        title: str,
        description: str,
        is_subscription: bool = False,
        idempotency: Idempotency[str] | None = None,
    ) -> str:
        """Return a link by which an intent can be paid. However many are made, it is paid once.

        Raises:
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
            NotFound: the merchant has none of that name.
            NotPaidInStars: it is paid in another way.
            InvoiceMalformed: Telegram does not take such a title, description or price.
            StarsRefused, StarsUnavailable: no link was made.
        """
        async with self.begin() as work:
            if idempotency:
                await idempotency.claim(work, owner=owner)
            intent = await work.intents.get(intent_id, owner=owner)
        if intent.method is not Method.STARS:
            raise NotPaidInStars(intent.id, intent.method)
        invoice = Invoice(
            title=title,
            description=description,
            payload=intent.id,
            money=intent.due,
            is_subscription=is_subscription,
        )
        # No transaction waits for Telegram: of two requests with one key both may have a link
        # made, and both are told the one that was kept.
        link = await self.bot.create_invoice_link(invoice)
        if idempotency:
            async with self.begin() as work:
                await idempotency.claim(work, owner=owner)
                await idempotency.keep(work, link, owner=owner)
                await work.commit()
        return link

    async def receive(self, update: StarUpdate) -> None:
        """Take in what Telegram tells, once or often.

        Where it raises, Telegram has to tell it again; nothing of it has been done then.

        Raises:
            StarsRefused, StarsUnavailable: an answer to a pre-checkout did not get through.
            StorageUnavailable: the storage did not answer.
        """
        if isinstance(update, PreCheckout):
            await self.answer(update)
        elif isinstance(update, Charge):
            await self.credit(update)
        else:
            await self._refunding.reversed_outside(update.charge_id)

    async def answer(self, asked: PreCheckout) -> str | None:
        """Let a payer pay, or say why not; return what was said. Nothing is written.

        Raises:
            StarsRefused, StarsUnavailable: the answer did not get through.
        """
        try:
            refusal = await self._refusal(asked)
        except StorageUnavailable:
            refusal = checkout.TRY_AGAIN
        await self.bot.answer_pre_checkout(asked.id, refusal=refusal)
        return refusal

    async def credit(self, charge: Charge) -> StarPayment | None:
        """Credit a charge, or say by None that it has been.

        Raises:
            StorageUnavailable: the storage did not answer; whether it was credited is unknown.
        """
        return await StarCrediting(self.begin, self.clock, self.ids, self.assets).credit(charge)

    async def refund(
        self,
        *,
        owner: MerchantId,
        intent_id: IntentId,
        idempotency: Idempotency[StarPayment] | None = None,
    ) -> StarPayment:
        """Give a payer back what was paid for an intent. To do it again is no error.

        Raises:
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
            NotFound: the merchant has no such intent, or nobody has paid it.
            InsufficientFunds: the merchant has spent what it earned of it.
        """
        async with self.begin() as work:
            intent = await work.intents.get(intent_id, owner=owner)
            payment = await work.star_payments.of_intent(intent.id)
        if payment is None:
            raise NotFound("payment of intent", intent_id)
        return await self._refunding.promise(payment.id, owner=owner, idempotency=idempotency)

    async def refund_charge(self, *, charge_id: ChargeId) -> StarPayment:
        """Give a charge back by an operator's decision: a stray one, or one refused before.

        Raises:
            NotFound: nobody has claimed such a charge.
            InsufficientFunds: the merchant has spent what it earned of it.
        """
        return await self._refunding.promise(charge_id)

    async def carry_out_refunds(self) -> int:
        """Ask Telegram for the refunds that are promised; return how many are done.

        Raises:
            StarsUnavailable: Telegram has left one of them open.
        """
        return await self._refunding.carry_out()

    async def mature(self) -> int:
        """Free the Stars whose time with Telegram is over; return of how many charges.

        A charge whose intent waits for a decision is looked at again a day later.
        """
        at = self.clock.now()
        async with self.begin() as work:
            due = await work.star_payments.maturing(at=at, limit=MATURE_MAX)
        return sum([await self._mature(charge_id) for charge_id in due])

    @property
    def _refunding(self) -> StarRefunding:
        return StarRefunding(self.begin, self.clock, self.assets, self.bot)

    async def _refusal(self, asked: PreCheckout) -> str | None:
        async with self.begin() as work:
            intent: PaymentIntent | None
            try:
                intent = await work.intents.get(IntentId(asked.payload), owner=None)
            except NotFound:
                intent = None
            charged = bool(intent and await work.star_payments.of_intent(intent.id))
        return checkout.refusal(asked, intent, charged=charged, at=self.clock.now())

    async def _mature(self, charge_id: ChargeId) -> bool:
        at = self.clock.now()
        async with self.begin() as work:
            payment, intent = await lock_with_intent(work, charge_id)
            if payment.state is not PaymentState.HELD or payment.matures_at > at:
                return False
            if intent is not None and intent.captured < intent.final:
                await work.star_payments.save(payment.postpone(until=at + UNDECIDED))
                await work.commit()
                return False
            booked = await work.ledger.transactions(reference=payment.reference)
            owner = intent.merchant_id if intent else None
            net = booking.earned(booked, owner) if owner else zero(STARS)
            await work.ledger.book(booking.mature(payment, owner=owner, net=net, at=at))
            await work.star_payments.save(payment.mature())
            await work.commit()
        return True
