from __future__ import annotations

import asyncio
from datetime import timedelta
from itertools import permutations
from typing import TYPE_CHECKING

import pytest

from domain.intents.issuing import MethodNotOffered
from domain.intents.model import (
    IntentStatus,
    IntentTransitionRefused,
    Method,
    PaymentException,
)
from domain.intents.service import PriceIn
from domain.intents.view import view_intent
from domain.ledger.accounts import PLATFORM_FEES
from domain.merchants.model import PaymentPolicy, Verdict
from domain.stars.crediting import RENEWS
from domain.stars.model import STARS, InvoiceMalformed, PaymentRole, PaymentState, Recurrence
from domain.stars.service import NotPaidInStars
from ports.unit_of_work import NotFound
from tests.builders import USDT, usd
from tests.domain.stars.till import ASSETS, DUE, FEE, NET, new_till

if TYPE_CHECKING:
    from tests.domain.stars.till import Till

OWED = {"held": DUE, "pending": NET}
"""The books while one payment is with Telegram, the fee apart."""


async def test_an_intent_is_priced_in_whole_stars_and_has_a_link(till: Till) -> None:
    intent = await till.intent()
    assert (intent.method, intent.due.asset, intent.due.amount) == (Method.STARS, STARS, DUE)

    assert view_intent(intent, ASSETS)["pay_to"] == {
        "chain": "telegram:stars", "address": "", "memo": intent.id, "escrow_terms": None,
    }  # fmt: skip

    link = await till.stars.invoice_link(
        owner=till.merchant.id, intent_id=intent.id, title="A bell", description="It rings."
    )

    invoice = till.bot.invoices[link]
    assert (invoice.payload, invoice.money, invoice.is_subscription) == (
        intent.id, intent.due, False,
    )  # fmt: skip


async def test_there_is_no_link_to_what_is_not_paid_in_stars(till: Till) -> None:
    ask = {"owner": till.merchant.id, "title": "A bell", "description": "It rings."}
    other = await till.intents.create(
        merchant=till.merchant, method=Method.ADDRESS, offer=PriceIn(usd(2500), USDT.id)
    )
    with pytest.raises(NotPaidInStars):
        await till.stars.invoice_link(intent_id=other.id, **ask)  # type: ignore[arg-type] # By name.
    with pytest.raises(NotFound):
        await till.stars.invoice_link(intent_id="pi_99", **ask)  # type: ignore[arg-type] # By name.
    intent = await till.intent()
    with pytest.raises(InvoiceMalformed):
        await till.stars.invoice_link(intent_id=intent.id, **{**ask, "title": "b" * 33})  # type: ignore[arg-type] # By name.


@pytest.mark.parametrize("method", [Method.ADDRESS, Method.ESCROW])
async def test_stars_are_paid_by_invoice_alone(till: Till, method: Method) -> None:
    with pytest.raises(MethodNotOffered):
        await till.intents.create(
            merchant=till.merchant, method=method, offer=PriceIn(usd(2500), STARS)
        )
    with pytest.raises(MethodNotOffered):
        await till.intents.create(
            merchant=till.merchant, method=Method.STARS, offer=PriceIn(usd(2500), USDT.id)
        )


async def test_a_payment_is_the_merchants_and_pending(till: Till) -> None:
    intent, charge = await till.paid()

    assert (intent.status, intent.captured) == (IntentStatus.SUCCEEDED, DUE)
    assert await till.books() == OWED
    assert await till.booked(PLATFORM_FEES) == FEE
    payment = await till.payment(charge.id)
    assert (payment.role, payment.state) == (PaymentRole.PAYMENT, PaymentState.HELD)
    assert await till.told(intent.id) == [
        "payment_intent.created",
        "payment.received",
        "payment.confirmed",
        "payment_intent.succeeded",
    ]


async def test_an_update_that_is_delivered_often_is_credited_once(till: Till) -> None:
    intent = await till.intent()
    till.bot.charge(intent.id, DUE)

    await till.deliver(times=3)

    assert await till.books() == OWED
    assert (await till.now(intent)).received == DUE


async def test_deliveries_at_once_are_credited_once(till: Till) -> None:
    intent = await till.intent()
    charge = till.bot.charge(intent.id, DUE)
    stray = till.bot.charge("not ours", 7)

    credited = await asyncio.gather(*(till.stars.credit(it) for it in [charge, stray] * 4))

    assert sum(it is not None for it in credited) == 2
    assert await till.books() == {"held": DUE + 7, "pending": NET, "suspense": 7}


async def test_a_double_tap_pays_once_and_goes_back_by_itself(till: Till) -> None:
    intent = await till.intent()
    first, second = till.bot.charge(intent.id, DUE), till.bot.charge(intent.id, DUE)

    await till.deliver()

    surplus = await till.payment(second.id)
    assert (surplus.role, surplus.state) == (PaymentRole.SURPLUS, PaymentState.REFUNDING)
    assert await till.books() == {"held": 2 * DUE, "pending": NET, "suspense": DUE}
    async with till.begin() as work:
        [job] = await work.jobs.claim(at=till.clock.now(), limit=9, lease=timedelta(seconds=1))
    assert job.name == "refund_stars"

    assert await till.stars.carry_out_refunds() == 1
    await till.deliver()  # Telegram's own word of the refund.

    assert await till.books() == OWED
    assert (await till.payment(second.id)).state is PaymentState.REFUNDED
    assert (await till.payment(first.id)).state is PaymentState.HELD
    assert (await till.now(intent)).received == DUE


@pytest.mark.parametrize("order", list(permutations(range(3))))
async def test_of_three_charges_in_any_order_one_stays(till: Till, order: tuple[int, ...]) -> None:
    intent = await till.intent()
    charges = [till.bot.charge(intent.id, DUE) for _ in range(3)]
    for at in order:
        await till.stars.receive(charges[at])

    assert await till.stars.carry_out_refunds() == 2
    await till.deliver(times=2)

    assert await till.books() == OWED


async def test_a_payload_of_nobody_waits_in_suspense_until_a_person_decides(till: Till) -> None:
    charge = till.bot.charge("somebody else's", 30)
    await till.deliver(times=2)
    assert await till.books() == {"held": 30, "suspense": 30}
    assert (await till.payment(charge.id)).role is PaymentRole.STRAY
    assert await till.stars.carry_out_refunds() == 0

    await till.stars.refund_charge(charge_id=charge.id)
    assert await till.stars.carry_out_refunds() == 1
    assert await till.books() == {}


async def test_the_name_of_an_intent_that_is_paid_otherwise_is_nobodys(till: Till) -> None:
    other = await till.intents.create(
        merchant=till.merchant, method=Method.ADDRESS, offer=PriceIn(usd(2500), USDT.id)
    )
    charge = till.bot.charge(other.id, 30)
    await till.deliver()

    assert (await till.payment(charge.id)).role is PaymentRole.STRAY
    assert (await till.now(other)).received == 0


async def test_who_was_let_through_in_time_is_in_time(till: Till) -> None:
    intent = await till.intent()
    till.clock.move_to(intent.expires_at + timedelta(seconds=30))
    till.bot.charge(intent.id, DUE)
    await till.deliver()

    assert (await till.now(intent)).status is IntentStatus.SUCCEEDED


async def test_late_money_waits_for_the_merchant(till: Till) -> None:
    intent = await till.intent()
    till.clock.move_to(intent.expires_at + timedelta(minutes=2))
    till.bot.charge(intent.id, DUE)
    await till.deliver()

    late = await till.now(intent)
    assert (late.status, late.exception) == (IntentStatus.NEEDS_REVIEW, PaymentException.LATE)
    assert await till.books() == {"held": DUE, "suspense": DUE}

    accepted = await till.intents.accept(owner=till.merchant.id, intent_id=intent.id)
    assert accepted.status is IntentStatus.SUCCEEDED
    assert await till.books() == OWED


async def test_money_for_a_canceled_intent_is_taken_where_the_merchant_says_so() -> None:
    till = await new_till(policy=PaymentPolicy(late=Verdict.ACCEPT))
    intent = await till.intent()
    await till.intents.cancel(owner=till.merchant.id, intent_id=intent.id)
    till.bot.charge(intent.id, DUE)
    await till.deliver()

    assert (await till.now(intent)).status is IntentStatus.SUCCEEDED
    assert await till.books() == OWED


async def test_a_charge_of_another_amount_is_what_it_is(till: Till) -> None:
    short = await till.intent()
    till.bot.charge(short.id, DUE - 1)
    await till.deliver()

    after = await till.now(short)
    assert after.exception is PaymentException.UNDERPAID
    assert await till.books() == {"held": DUE - 1, "suspense": DUE - 1}
    with pytest.raises(IntentTransitionRefused):
        await till.intents.cancel(owner=till.merchant.id, intent_id=short.id)


async def test_each_renewal_pays_an_intent_of_its_own(till: Till) -> None:
    intent = await till.intent()
    till.bot.charge(intent.id, DUE, recurrence=Recurrence.FIRST)
    await till.deliver(times=2)
    till.clock.advance(days=30)
    till.bot.charge(intent.id, DUE, recurrence=Recurrence.RENEWAL)
    await till.deliver(times=2)

    first, renewal = sorted(
        await till.intents.page(owner=till.merchant.id, limit=9), key=lambda it: it.id
    )
    assert renewal.metadata == {RENEWS: first.id}
    assert (renewal.status, renewal.captured) == (IntentStatus.SUCCEEDED, DUE)
    assert first.captured == DUE
    assert await till.books() == {"held": 2 * DUE, "pending": 2 * NET}
    assert await till.told(renewal.id) == await till.told(first.id)
    # And on the list nothing is new.
    assert (await till.reconciliation.reconcile()).found == ()


async def test_a_double_tap_on_a_subscription_is_no_renewal(till: Till) -> None:
    intent = await till.intent()
    for _ in range(2):
        till.bot.charge(intent.id, DUE, recurrence=Recurrence.FIRST)
    till.bot.updates.clear()  # All that is left is the list, which does not say which is which.

    await till.reconciliation.reconcile()
    assert await till.stars.carry_out_refunds() == 1
    assert await till.books() == OWED


async def test_a_renewal_whose_update_was_lost_is_found_in_the_list(till: Till) -> None:
    intent = await till.intent()
    till.bot.charge(intent.id, DUE, recurrence=Recurrence.FIRST)
    await till.deliver()
    till.clock.advance(days=30)
    renewal = till.bot.charge(intent.id, DUE, recurrence=Recurrence.RENEWAL)
    till.bot.updates.clear()

    assert (await till.reconciliation.reconcile()).found == (renewal.id,)
    assert await till.books() == {"held": 2 * DUE, "pending": 2 * NET}
