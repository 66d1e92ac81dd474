from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.intents.model import IntentStatus
from domain.stars.model import PaymentState
from domain.stars.reconciliation import OutOfOrder
from ports.stars import StarsUnavailable
from tests.domain.stars.till import DUE, NET

if TYPE_CHECKING:
    from tests.domain.stars.till import Till


async def test_a_lost_update_is_found_and_credited_once(till: Till) -> None:
    intent = await till.intent()
    charge = till.bot.charge(intent.id, DUE)
    late = till.bot.updates.copy()
    till.bot.updates.clear()

    report = await till.reconciliation.reconcile()
    assert (report.lines, report.found, report.complete) == (1, (charge.id,), True)
    assert (await till.now(intent)).status is IntentStatus.SUCCEEDED

    till.bot.updates.extend(late)
    await till.deliver()
    again = await till.reconciliation.reconcile()
    assert (again.lines, again.found) == (0, ())
    assert await till.books() == {"held": DUE, "pending": NET}


async def test_what_was_told_is_no_find(till: Till) -> None:
    _, charge = await till.paid()
    report = await till.reconciliation.reconcile()

    assert (report.lines, report.found, report.missing) == (1, (), ())
    assert (await till.payment(charge.id)).listed


async def test_a_charge_that_the_list_lacks_is_reported(till: Till) -> None:
    _, charge = await till.paid()
    till.bot.lines.clear()
    till.clock.advance(minutes=10)
    assert (await till.reconciliation.reconcile()).missing == ()  # It may come yet.

    till.clock.advance(seconds=1)
    assert (await till.reconciliation.reconcile()).missing == (charge.id,)
    assert await till.books() == {"held": DUE, "pending": NET}


async def test_a_list_of_many_pages_is_read_to_its_end(till: Till) -> None:
    intents = [await till.intent() for _ in range(3)]
    for n in range(230):
        till.bot.charge(f"nobody's {n}", 1)
    charges = [till.bot.charge(intent.id, DUE).id for intent in intents]
    till.bot.updates.clear()

    report = await till.reconciliation.reconcile()

    assert (report.lines, report.complete) == (233, True)
    assert report.found[-3:] == tuple(charges)
    assert await till.books() == {
        "held": 3 * DUE + 230, "pending": 3 * NET, "suspense": 230,
    }  # fmt: skip


async def test_where_telegram_falls_silent_the_next_run_goes_on(till: Till) -> None:
    for n in range(150):
        till.bot.charge(f"nobody's {n}", 1)
    intent = await till.intent()
    till.clock.advance(hours=2)
    till.bot.updates.clear()
    till.bot.fail_next(after=1)

    with pytest.raises(StarsUnavailable):
        await till.reconciliation.reconcile()
    # Over a gap nothing is said to be unpaid.
    assert (await till.now(intent)).status is IntentStatus.REQUIRES_PAYMENT

    report = await till.reconciliation.reconcile()
    assert (report.lines, report.expired) == (50, 1)
    assert await till.books() == {"held": 150, "suspense": 150}


async def test_a_run_that_goes_not_to_the_end_gives_no_verdict(till: Till) -> None:
    intent, (_, charge) = await till.intent(), await till.paid()
    for n in range(100):
        till.bot.charge(f"nobody's {n}", 1)
    till.bot.lines.append(till.bot.lines.pop(0))  # What was paid comes last.
    till.clock.advance(hours=2)
    till.bot.updates.clear()

    part = await attrs.evolve(till.reconciliation, pages_max=1).reconcile()
    assert (part.lines, part.complete, part.expired, part.missing) == (100, False, 0, ())

    rest = await till.reconciliation.reconcile()
    assert (rest.lines, rest.complete, rest.expired, rest.missing) == (1, True, 1, ())
    assert (await till.now(intent)).status is IntentStatus.EXPIRED
    assert (await till.payment(charge.id)).listed


async def test_a_list_out_of_order_is_not_taken(till: Till) -> None:
    till.bot.charge("a", 1)
    till.bot.charge("b", 2, at=till.clock.now() - timedelta(seconds=1))
    till.bot.updates.clear()

    with pytest.raises(OutOfOrder):
        await till.reconciliation.reconcile()
    assert await till.books() == {}


async def test_a_lost_word_of_a_refund_ends_it(till: Till) -> None:
    intent, charge = await till.paid()
    await till.stars.refund(owner=till.merchant.id, intent_id=intent.id)
    till.bot.lose_next_answer()
    with pytest.raises(StarsUnavailable):
        await till.stars.carry_out_refunds()
    till.bot.updates.clear()

    assert (await till.reconciliation.reconcile()).reversed == (charge.id,)

    assert (await till.payment(charge.id)).state is PaymentState.REFUNDED
    assert await till.books() == {}
    assert await till.stars.carry_out_refunds() == 0


async def test_what_is_no_payment_is_reported_and_not_booked(till: Till) -> None:
    given, withdrawn = till.bot.move(9), till.bot.move(-1000)

    report = await till.reconciliation.reconcile()

    assert report.unexplained == (given, withdrawn)
    assert await till.books() == {}


async def test_intents_end_by_what_the_list_shows_and_no_earlier(till: Till) -> None:
    unpaid, paid = await till.intent(), await till.intent()
    till.clock.move_to(paid.expires_at)
    till.bot.charge(paid.id, DUE)
    till.bot.updates.clear()
    for minutes in (0, 10, 1):
        till.clock.advance(minutes=minutes)
        assert (await till.reconciliation.reconcile()).expired == 0

    till.clock.advance(seconds=1)
    assert (await till.reconciliation.reconcile()).expired == 1
    assert (await till.now(unpaid)).status is IntentStatus.EXPIRED
    assert (await till.now(paid)).status is IntentStatus.SUCCEEDED
    assert (await till.told(unpaid.id))[-1] == "payment_intent.expired"
