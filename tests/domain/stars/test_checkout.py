from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from adapters.memory.stars_bot import InMemoryStarsBot
from domain.intents.model import Method
from domain.intents.service import PriceIn
from domain.stars import checkout
from domain.stars.service import StarsService
from ports.stars import StarsRefused
from ports.unit_of_work import StorageUnavailable
from tests.builders import USDT, usd
from tests.domain.stars.till import DUE

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent
    from tests.domain.stars.till import Till


async def said(till: Till, payload: str, amount: int = DUE, **asked: Any) -> str | None:  # noqa: ANN401 (fields)
    """Return what a payer is told who is about to pay."""
    query = till.bot.ask(payload, amount, **asked)
    await till.deliver()
    return till.bot.answers[query.id]


async def test_who_pays_what_is_due_is_let_through(till: Till) -> None:
    intent = await till.intent()

    assert await said(till, intent.id) is None
    assert await said(till, intent.id) is None  # Nothing is kept of it.


@pytest.mark.parametrize("payload", ["pi_99", "", "charge_1", "x" * 128, "ünknown"])
async def test_an_unknown_payload_is_refused(till: Till, payload: str) -> None:
    assert await said(till, payload) == checkout.UNKNOWN


async def test_an_intent_that_is_paid_otherwise_is_refused(till: Till) -> None:
    other = await till.intents.create(
        merchant=till.merchant, method=Method.ADDRESS, offer=PriceIn(usd(2500), USDT.id)
    )
    assert await said(till, other.id, other.due.amount) == checkout.UNKNOWN


async def test_the_time_to_pay_ends_with_the_intents_own(till: Till) -> None:
    intent = await till.intent()
    till.clock.move_to(intent.expires_at)
    assert await said(till, intent.id) == checkout.EXPIRED

    till.clock.advance(hours=2)
    await till.reconciliation.reconcile()
    assert (await till.now(intent)).status.value == "expired"
    assert await said(till, intent.id) == checkout.EXPIRED


async def test_what_was_withdrawn_is_refused(till: Till) -> None:
    intent = await till.intent()
    await till.intents.cancel(owner=till.merchant.id, intent_id=intent.id)
    assert await said(till, intent.id) == checkout.CANCELED


async def test_what_is_paid_is_refused_even_after_its_refund(till: Till) -> None:
    intent, _ = await till.paid()
    assert await said(till, intent.id) == checkout.PAID

    await till.stars.refund(owner=till.merchant.id, intent_id=intent.id)
    assert await said(till, intent.id) == checkout.PAID


@pytest.mark.parametrize(
    ("amount", "asked"), [(DUE - 1, {}), (DUE + 1, {}), (DUE, {"currency": "USD"})]
)
async def test_a_wrong_amount_is_refused(till: Till, amount: int, asked: dict[str, str]) -> None:
    intent = await till.intent()
    assert await said(till, intent.id, amount, **asked) == checkout.WRONG_AMOUNT


async def test_while_the_storage_is_away_payers_are_asked_to_come_back(till: Till) -> None:
    intent: PaymentIntent = await till.intent()
    query = till.bot.ask(intent.id, DUE)

    class Away:
        async def __aenter__(self) -> None:
            raise StorageUnavailable

        async def __aexit__(self, *_: object) -> None: ...

    cut_off = StarsService(Away, till.clock, till.stars.ids, till.stars.assets, till.bot)  # type: ignore[arg-type] # It never opens.
    assert await cut_off.answer(query) == checkout.TRY_AGAIN
    assert till.bot.answers[query.id] == checkout.TRY_AGAIN


async def test_an_answer_that_comes_too_late_is_an_error_of_its_own(till: Till) -> None:
    intent = await till.intent()
    stranger = InMemoryStarsBot(till.clock).ask(intent.id, DUE)
    with pytest.raises(StarsRefused):
        await till.stars.receive(stranger)
