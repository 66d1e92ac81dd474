"""Claiming charges: each is credited once, whatever is delivered how often and in which order.

The charge's row is inserted in the transaction that credits it. The intent is locked before
anything is looked up, so two deliveries that meet go one after the other; where there is no
intent to lock, the row's key decides between them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from domain.intents import booking as intent_booking
from domain.intents import events
from domain.intents.attempts import Attempt, AttemptState
from domain.intents.model import IntentStatus, Method, PaymentException
from domain.shared.ids import AttemptId, IntentId
from domain.shared.money import Assets
from domain.stars import booking
from domain.stars.model import (
    CHECKOUT_GRACE,
    REVERSIBLE_FOR,
    STARS_RAIL,
    SUBSCRIPTION_PERIOD,
    PaymentRole,
    Recurrence,
    StarPayment,
)
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import AlreadyExists, Begin, NotFound

if TYPE_CHECKING:
    from datetime import datetime

    from domain.intents.model import PaymentIntent
    from domain.stars.model import Charge
    from ports.unit_of_work import UnitOfWork

RENEWS: Final = "renews"
"""The metadata of a renewal's intent name the intent of the subscription's first charge here."""

_TWICE: Final = SUBSCRIPTION_PERIOD / 2
"""Two charges of one subscription that lie closer together are no renewal of each other."""


@attrs.frozen
class StarCrediting:
    """Turns charges into money of intents."""

    begin: Begin
    clock: Clock
    ids: Ids
    assets: Assets

    async def credit(self, charge: Charge) -> StarPayment | None:
        """Credit a charge, or say by None that it has been.

        Raises:
            StorageUnavailable: the storage did not answer; whether it was credited is unknown.
        """
        try:
            async with self.begin() as work:
                payment = await self._claim(work, charge, at=self.clock.now())
                await work.commit()
        except AlreadyExists:
            async with self.begin() as work:
                if await work.star_payments.find(charge.id) is None:
                    raise
            return None
        return payment

    async def _claim(
        self, work: UnitOfWork, charge: Charge, *, at: datetime
    ) -> StarPayment | None:
        """Claim a charge for what it pays.

        The first charge of an intent pays it. A renewal of a subscription pays an intent of its
        own, made after the first one: each is told, captured, matured and refunded by itself. Any
        other charge is promised back, and a job is left that sees to it.
        """
        intent = await self._lock_intent(work, charge.payload)
        if await work.star_payments.find(charge.id) is not None:
            return None
        if intent is None:
            payment = _payment_of(charge, PaymentRole.STRAY, None)
            await work.ledger.book(booking.receipt(payment))
            await work.star_payments.add(payment)
            return payment
        first = await work.star_payments.of_intent(intent.id)
        if first is None:
            return await self._credit(work, charge, intent, at=at)
        if _renews(charge, first):
            renewal = self._renewal(intent, charge)
            await work.intents.add(renewal)
            told = events.happened(events.CREATED, renewal, at=at, assets=self.assets)
            await work.events.record(told)
            return await self._credit(work, charge, renewal, at=at)
        surplus = _payment_of(charge, PaymentRole.SURPLUS, intent.id)
        await work.ledger.book(booking.receipt(surplus))
        await work.star_payments.add(surplus.promise_back())
        await ask_to_refund(work)
        return surplus

    async def _lock_intent(self, work: UnitOfWork, payload: str) -> PaymentIntent | None:
        """Lock the intent that a payload names: never one by its amount or its payer."""
        try:
            intent = await work.intents.lock(IntentId(payload), owner=None)
        except NotFound:
            return None
        return intent if intent.method is Method.STARS else None

    async def _credit(
        self, work: UnitOfWork, charge: Charge, intent: PaymentIntent, *, at: datetime
    ) -> StarPayment:
        """Book a charge and what it does to its intent.

        Merchants are told of it as final: that it can still be taken back shows in the books,
        where it is pending, not in the intent.
        """
        payment = _payment_of(charge, PaymentRole.PAYMENT, intent.id)
        await work.star_payments.add(payment)
        await work.ledger.book(booking.receipt(payment))
        # Who was let through at the pre-checkout is in time, however long the phone took.
        paid_at = charge.paid_at - CHECKOUT_GRACE
        amount = charge.money.amount
        paid = intent.see(amount, paid_at=paid_at, at=at).finalize(amount, at=at)
        captured = intent_booking.capture(
            intent, paid, suspense=booking.SUSPENSE, at=charge.paid_at
        )
        await work.ledger.book(*captured)
        await work.intents.save(paid)
        await work.events.record(
            *events.changed(
                intent, paid, events.RECEIVED, events.CONFIRMED, at=at, assets=self.assets
            )
        )
        return payment

    def _renewal(self, intent: PaymentIntent, charge: Charge) -> PaymentIntent:
        """Return the wish that a subscription's next charge fulfils, at the same price."""
        return attrs.evolve(
            intent,
            id=IntentId(self.ids.new("intent")),
            created_at=charge.paid_at,
            expires_at=charge.paid_at,
            attempt=Attempt(
                id=AttemptId(self.ids.new("attempt")),
                rail=STARS_RAIL,
                state=AttemptState.AWAITING_PAYER,
                begun_at=charge.paid_at,
                changed_at=charge.paid_at,
            ),
            status=IntentStatus.REQUIRES_PAYMENT,
            exception=PaymentException.NONE,
            received=0,
            final=0,
            captured=0,
            metadata={**intent.metadata, RENEWS: intent.id},
        )


async def ask_to_refund(work: UnitOfWork) -> None:
    """Promise, with whatever else is written, that Telegram will be asked to give Stars back."""
    await work.jobs.enqueue("refund_stars", dedupe_key="refund_stars:now")


def _renews(charge: Charge, first: StarPayment) -> bool:
    """Tell whether a charge is a later one of the subscription that began with another."""
    if charge.recurrence is Recurrence.UNSAID:
        return charge.paid_at - first.paid_at >= _TWICE
    return charge.recurrence is Recurrence.RENEWAL


def _payment_of(charge: Charge, role: PaymentRole, intent_id: IntentId | None) -> StarPayment:
    return StarPayment(
        id=charge.id,
        payer=charge.payer,
        payload=charge.payload,
        money=charge.money,
        paid_at=charge.paid_at,
        role=role,
        intent_id=intent_id,
        matures_at=charge.paid_at + REVERSIBLE_FOR,
    )
