"""Giving Stars back: promised in the books first, asked of Telegram then, and ended by proof."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from domain.intents import events
from domain.ledger.accounts import available, pending
from domain.ledger.model import InsufficientFunds
from domain.shared.money import Assets
from domain.stars import booking
from domain.stars.crediting import ask_to_refund
from domain.stars.model import STARS, PaymentRole, PaymentState
from ports.clock import Clock
from ports.stars import StarsBot, StarsRefused, StarsUnavailable
from ports.unit_of_work import Begin, NotFound

if TYPE_CHECKING:
    from datetime import datetime

    from domain.intents.model import PaymentIntent
    from domain.ledger.accounts import Account
    from domain.shared.idempotency import Idempotency
    from domain.shared.ids import MerchantId
    from domain.stars.model import ChargeId, StarPayment
    from ports.unit_of_work import UnitOfWork

REFUNDED: Final = "payment.refunded"
"""The payer has been promised the money back; the books no longer count it as the merchant's."""

BACK: Final = frozenset({PaymentState.REFUNDING, PaymentState.REFUNDED, PaymentState.TAKEN_BACK})
"""The states of what is on its way to the payer, or there."""

REFUNDS_MAX: Final = 100
"""How many refunds one run asks of Telegram."""


@attrs.frozen
class StarRefunding:
    """Refunds, and what is taken back without one."""

    begin: Begin
    clock: Clock
    assets: Assets
    bot: StarsBot

    async def promise(
        self,
        charge_id: ChargeId,
        *,
        owner: MerchantId | None = None,
        idempotency: Idempotency[StarPayment] | None = None,
    ) -> StarPayment:
        """Set a charge's Stars aside for its payer and leave a job that asks Telegram.

        What is on its way back, or back, stays so.

        Args:
            charge_id: The charge.
            owner: Whose request it is; None where it is no merchant's.
            idempotency: The request's key, if the owner has given one.

        Raises:
            NotFound: nobody has claimed such a charge.
            InsufficientFunds: the merchant has spent what it earned of them.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        at = self.clock.now()
        async with self.begin() as work:
            if idempotency and owner:
                await idempotency.claim(work, owner=owner)
            payment, intent = await lock_with_intent(work, charge_id)
            promised = payment
            if payment.state not in BACK:
                promised = await self._promise(work, payment, intent, at=at)
            if idempotency and owner:
                await idempotency.keep(work, promised, owner=owner)
            await work.commit()
        return promised

    async def _promise(
        self,
        work: UnitOfWork,
        payment: StarPayment,
        intent: PaymentIntent | None,
        *,
        at: datetime,
    ) -> StarPayment:
        promised = payment.promise_back()
        if payment.state is not PaymentState.REFUND_REFUSED:
            if not await _undo(work, payment, intent, at=at):
                raise InsufficientFunds(_source(payment, intent), STARS)
            if intent is not None:
                amount = payment.money.amount
                back = intent.retract(amount, was_final=True, at=at)
                ended = back.refund(at=at) if intent.captured else back
                ended = attrs.evolve(ended, exception=intent.exception)
                await self._save(work, intent, ended, REFUNDED, at=at)
        await work.star_payments.save(promised)
        await ask_to_refund(work)
        return promised

    async def carry_out(self) -> int:
        """Ask Telegram for every refund that is promised; return how many are done.

        Asking twice gives back once, so a refund of which nothing was heard is asked for again.

        Raises:
            StarsUnavailable: Telegram has left one of them open; the others were asked for.
        """
        async with self.begin() as work:
            promised = await work.star_payments.refunding(limit=REFUNDS_MAX)
        done, unknown = 0, None
        for charge_id in promised:
            async with self.begin() as work:
                payment = await work.star_payments.find(charge_id)
            if payment is None:
                continue
            refused = None
            try:
                await self.bot.refund(payer=payment.payer, charge_id=charge_id)
            except StarsRefused as refusal:
                refused = refusal.reason
            except StarsUnavailable as silence:
                unknown = silence
                continue
            done += await self._end(charge_id, refused=refused)
        if unknown is not None:
            raise unknown
        return done

    async def reversed_outside(self, charge_id: ChargeId) -> StarPayment | None:
        """Note that a payer has a charge's Stars again; None where the charge is not known here.

        Where that is our refund it has ended. Else they were taken back without our doing: the
        intent goes to review, and what the merchant has spent already is missing in suspense.
        """
        at = self.clock.now()
        try:
            async with self.begin() as work:
                payment, intent = await lock_with_intent(work, charge_id)
                ended = await self._reverse(work, payment, intent, at=at)
                await work.commit()
        except NotFound:
            return None
        return ended

    async def _reverse(
        self,
        work: UnitOfWork,
        payment: StarPayment,
        intent: PaymentIntent | None,
        *,
        at: datetime,
    ) -> StarPayment:
        if payment.state in {PaymentState.REFUNDED, PaymentState.TAKEN_BACK}:
            return payment
        source = booking.HELD
        if payment.state in {PaymentState.REFUNDING, PaymentState.REFUND_REFUSED}:
            ended = payment.refunded()
        else:
            ended = payment.take_back()
            undone = await _undo(work, payment, intent, at=at)
            if not undone and payment.state is PaymentState.MATURED:
                source = booking.WITHDRAWABLE
            if intent is not None:
                less = intent.retract(payment.money.amount, was_final=True, at=at)
                await self._save(work, intent, less, events.RETRACTED, at=at)
        await work.ledger.book(booking.refund(payment, source=source, at=at))
        await work.star_payments.save(ended)
        return ended

    async def _end(self, charge_id: ChargeId, *, refused: str | None) -> bool:
        """Note what Telegram has answered; return whether the Stars are with the payer."""
        at = self.clock.now()
        async with self.begin() as work:
            payment = await work.star_payments.lock(charge_id)
            if payment.state is not PaymentState.REFUNDING:
                return False  # Another run, or Telegram's own word, has ended it meanwhile.
            if refused is not None:
                await work.star_payments.save(payment.refuse_refund(reason=refused))
            else:
                await work.ledger.book(booking.refund(payment, source=booking.HELD, at=at))
                await work.star_payments.save(payment.refunded())
            await work.commit()
        return refused is None

    async def _save(
        self,
        work: UnitOfWork,
        before: PaymentIntent,
        after: PaymentIntent,
        type: str,
        *,
        at: datetime,
    ) -> None:
        await work.intents.save(after)
        told = events.changed(before, after, type, at=at, assets=self.assets)
        await work.events.record(*told)


async def lock_with_intent(
    work: UnitOfWork, charge_id: ChargeId
) -> tuple[StarPayment, PaymentIntent | None]:
    """Lock a charge after the intent that it pays, if it pays one.

    Raises:
        NotFound: nobody has claimed such a charge.
    """
    known = await work.star_payments.find(charge_id)
    if known is None:
        raise NotFound("star_payment", charge_id)
    intent = None
    if known.role is PaymentRole.PAYMENT and known.intent_id is not None:
        intent = await work.intents.lock(known.intent_id, owner=None)
    return await work.star_payments.lock(charge_id), intent


async def _undo(
    work: UnitOfWork, payment: StarPayment, intent: PaymentIntent | None, *, at: datetime
) -> bool:
    """Bring a charge's Stars back to suspense; False where the merchant has spent them."""
    booked = await work.ledger.transactions(reference=payment.reference)
    if intent is not None:
        need = booking.earned(booked, intent.merchant_id)
        if need:
            source = _source(payment, intent)
            if await work.ledger.lock_balance(source, STARS) < need:
                return False
    await work.ledger.book(*(it.reversal(at=at) for it in booking.standing(booked)))
    return True


def _source(payment: StarPayment, intent: PaymentIntent | None) -> Account:
    """Return the account that holds what a merchant has earned of a charge."""
    if intent is None:
        return booking.SUSPENSE
    of = available if payment.state is PaymentState.MATURED else pending
    return of(intent.merchant_id)
