from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.stars_bot import InMemoryStarsBot
from domain.intents.model import IntentStatus, PaymentException
from domain.ledger.accounts import PLATFORM_FEES, WORLD, available
from domain.ledger.model import InsufficientFunds, Transaction, credit, debit
from domain.shared.money import Money
from domain.stars.model import STARS, PaymentState
from ports.stars import StarsUnavailable
from ports.unit_of_work import NotFound
from tests.domain.stars.till import DUE, FEE, NET

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent
    from domain.stars.model import ChargeId, StarPayment, UserId
    from tests.domain.stars.till import Till

ASIDE = {"held": DUE, "suspense": DUE}
"""The books while Stars are promised back to a payer."""


async def refund(till: Till, intent: PaymentIntent) -> StarPayment:
    return await till.stars.refund(owner=till.merchant.id, intent_id=intent.id)


async def spend(till: Till, amount: int) -> None:
    """Have the merchant's Stars become another's."""
    money = Money(amount, STARS)
    async with till.begin() as work:
        await work.ledger.book(
            Transaction(
                kind="transfer",
                reference="conv_01",
                postings=(debit(available(till.merchant.id), money), credit(WORLD, money)),
                effective_at=till.clock.now(),
            )
        )
        await work.commit()


async def matured(till: Till) -> tuple[PaymentIntent, ChargeId]:
    intent, charge = await till.paid()
    till.clock.advance(days=21)
    assert await till.stars.mature() == 1
    return intent, charge.id


async def test_a_refund_is_promised_asked_for_and_ended(till: Till) -> None:
    intent, charge = await till.paid()

    promised = await refund(till, intent)
    assert promised.state is PaymentState.REFUNDING
    assert await till.books() == ASIDE
    assert await till.booked(PLATFORM_FEES) == 0
    ended = await till.now(intent)
    assert (ended.status, ended.captured) == (IntentStatus.CANCELED, 0)
    assert ended.exception is PaymentException.NONE
    assert (await till.told(intent.id))[-2:] == ["payment.refunded", "payment_intent.canceled"]

    assert await till.stars.carry_out_refunds() == 1
    assert await till.books() == {}
    assert (await till.payment(charge.id)).state is PaymentState.REFUNDED


async def test_refunding_twice_is_no_error_and_no_double(till: Till) -> None:
    intent, charge = await till.paid()
    await asyncio.gather(*(refund(till, intent) for _ in range(3)))
    await asyncio.gather(*(till.stars.carry_out_refunds() for _ in range(3)))
    await till.deliver(times=2)

    assert (await refund(till, intent)).state is PaymentState.REFUNDED
    assert await till.stars.carry_out_refunds() == 0
    assert await till.books() == {}
    assert [type(line).__name__ for line in till.bot.lines] == ["Charge", "Reversal"]
    assert (await till.payment(charge.id)).state is PaymentState.REFUNDED


@pytest.mark.parametrize("carried_out", [False, True])
async def test_a_refund_of_which_nothing_was_heard_is_asked_for_again(
    till: Till, *, carried_out: bool
) -> None:
    intent, charge = await till.paid()
    await refund(till, intent)
    if carried_out:
        till.bot.lose_next_answer()
    else:
        till.bot.fail_next()
    with pytest.raises(StarsUnavailable):
        await till.stars.carry_out_refunds()
    assert (await till.payment(charge.id)).state is PaymentState.REFUNDING
    assert await till.books() == ASIDE

    assert await till.stars.carry_out_refunds() == 1
    await till.deliver()
    assert await till.books() == {}


async def test_a_refund_that_telegram_refuses_waits_for_a_person(till: Till) -> None:
    intent, charge = await till.paid()
    till.bot.refusals[charge.id] = "BALANCE_TOO_LOW"
    await refund(till, intent)
    assert await till.stars.carry_out_refunds() == 0

    refused = await till.payment(charge.id)
    assert (refused.state, refused.reason) == (PaymentState.REFUND_REFUSED, "BALANCE_TOO_LOW")
    assert await till.books() == ASIDE
    assert await till.stars.carry_out_refunds() == 0

    till.bot.refusals.clear()
    await till.stars.refund_charge(charge_id=charge.id)
    assert await till.stars.carry_out_refunds() == 1
    assert await till.books() == {}
    assert (await till.now(intent)).received == 0
    assert (await till.told(intent.id)).count("payment.refunded") == 1


async def test_telegrams_word_of_a_refund_may_come_before_its_answer(till: Till) -> None:
    class Hasty(InMemoryStarsBot):
        async def refund(self, *, payer: UserId, charge_id: ChargeId) -> None:
            await super().refund(payer=payer, charge_id=charge_id)
            await till.stars.receive(self.lines[-1])  # type: ignore[arg-type] # A reversal.

    bot = Hasty(till.clock)
    intent = await till.intent()
    charge = bot.charge(intent.id, DUE)
    await till.stars.receive(charge)
    await refund(till, intent)

    assert await attrs.evolve(till.stars, bot=bot).carry_out_refunds() == 0
    assert (await till.payment(charge.id)).state is PaymentState.REFUNDED
    assert await till.books() == {}


async def test_one_refund_that_is_unknown_does_not_keep_another_waiting(till: Till) -> None:
    (one, _), (other, _) = await till.paid(), await till.paid()
    await refund(till, one)
    await refund(till, other)
    till.bot.fail_next()

    with pytest.raises(StarsUnavailable):
        await till.stars.carry_out_refunds()
    assert await till.books() == ASIDE


async def test_late_money_that_nobody_accepted_goes_back(till: Till) -> None:
    intent = await till.intent()
    till.clock.move_to(intent.expires_at + timedelta(minutes=2))
    till.bot.charge(intent.id, DUE)
    await till.deliver()

    await refund(till, intent)
    await till.stars.carry_out_refunds()

    assert (await till.now(intent)).status is IntentStatus.EXPIRED
    assert await till.books() == {}


async def test_what_a_person_has_reversed_is_not_reversed_again(till: Till) -> None:
    intent, _ = await till.paid()
    async with till.begin() as work:
        booked = await work.ledger.transactions(reference=intent.id)
        [capture] = [it for it in booked if it.transaction.kind == "capture"]
        await work.ledger.book(capture.reversal(at=till.clock.now(), note="by mistake"))
        await work.commit()

    await refund(till, intent)
    assert await till.books() == ASIDE
    await till.stars.carry_out_refunds()
    assert await till.books() == {}


async def test_there_is_nothing_to_refund_of_what_was_not_paid(till: Till) -> None:
    intent = await till.intent()
    with pytest.raises(NotFound):
        await refund(till, intent)
    with pytest.raises(NotFound):
        await till.stars.refund_charge(charge_id="charge-9")  # type: ignore[arg-type] # A name.


async def test_stars_can_be_had_after_21_days_and_not_before(till: Till) -> None:
    _, charge = await till.paid()
    till.clock.move_to(charge.paid_at + timedelta(days=21, seconds=-1))
    assert await till.stars.mature() == 0
    assert await till.books() == {"held": DUE, "pending": NET}

    till.clock.advance(seconds=1)
    assert sum(await asyncio.gather(till.stars.mature(), till.stars.mature())) == 1
    assert await till.books() == {"withdrawable": DUE, "available": NET}
    assert await till.stars.mature() == 0


async def test_what_nobody_has_decided_on_matures_after_the_decision(till: Till) -> None:
    intent = await till.intent()
    till.clock.move_to(intent.expires_at + timedelta(minutes=2))
    till.bot.charge(intent.id, DUE)
    await till.deliver()
    till.clock.advance(days=22)
    assert await till.stars.mature() == 0
    assert await till.books() == ASIDE

    await till.intents.accept(owner=till.merchant.id, intent_id=intent.id)
    till.clock.advance(days=1)
    assert await till.stars.mature() == 1
    assert await till.books() == {"withdrawable": DUE, "available": NET}


async def test_what_has_matured_can_be_refunded_while_it_is_there(till: Till) -> None:
    intent, charge_id = await matured(till)

    await refund(till, intent)
    assert await till.books() == ASIDE
    await till.stars.carry_out_refunds()
    assert await till.books() == {}
    assert (await till.payment(charge_id)).state is PaymentState.REFUNDED


async def test_what_was_spent_is_not_refunded(till: Till) -> None:
    intent, charge_id = await matured(till)
    await spend(till, 1)

    with pytest.raises(InsufficientFunds):
        await refund(till, intent)
    assert (await till.payment(charge_id)).state is PaymentState.MATURED
    assert (await till.now(intent)).status is IntentStatus.SUCCEEDED
    assert await till.books() == {"withdrawable": DUE, "available": NET - 1}


async def test_what_is_taken_back_is_gone_and_a_person_looks(till: Till) -> None:
    intent, charge = await till.paid()
    till.bot.take_back(charge.id)
    await till.deliver(times=2)

    assert (await till.payment(charge.id)).state is PaymentState.TAKEN_BACK
    after = await till.now(intent)
    assert (after.status, after.exception) == (
        IntentStatus.NEEDS_REVIEW, PaymentException.RETRACTED,
    )  # fmt: skip
    assert await till.books() == {}
    assert await till.booked(PLATFORM_FEES) == 0
    assert (await till.told(intent.id))[-2:] == [
        "payment.retracted", "payment_intent.needs_review",
    ]  # fmt: skip
    assert (await refund(till, intent)).state is PaymentState.TAKEN_BACK


async def test_what_was_spent_and_is_taken_back_is_missing_in_suspense(till: Till) -> None:
    _, charge_id = await matured(till)
    await spend(till, 1)
    till.bot.take_back(charge_id)
    await till.deliver()

    assert await till.books() == {"available": NET - 1, "suspense": -DUE}
    assert await till.booked(PLATFORM_FEES) == FEE
