from __future__ import annotations

import traceback
from typing import TYPE_CHECKING

import pytest

from adapters.telegram.bot import AiogramStarsBot
from domain.stars.model import Charge, PreCheckout, Reversal, UserId
from ports.stars import StarsUnavailable
from tests.adapters.telegram.bot_api import TOKEN
from tests.contracts.stars import StarsContract, an_invoice

if TYPE_CHECKING:
    from tests.adapters.telegram.conftest import ServedTelegram
    from tests.contracts.stars import StarsWorld


class TestAiogramStarsBot(StarsContract):
    @pytest.fixture
    def world(self, telegram: ServedTelegram) -> StarsWorld:
        return telegram


async def test_an_invoice_is_in_stars_with_one_price(telegram: ServedTelegram) -> None:
    once = await telegram.bot.create_invoice_link(an_invoice())
    monthly = await telegram.bot.create_invoice_link(an_invoice(is_subscription=True))

    sent = telegram.api.invoices[once]
    assert (sent.currency, sent.payload, sent.title) == ("XTR", "pi_01", "A bell")
    assert [price.amount for price in sent.prices] == [50]
    assert not sent.provider_token
    assert sent.subscription_period is None
    assert telegram.api.invoices[monthly].subscription_period == 2_592_000


@pytest.mark.parametrize("fault", ["fail", "babble", "hang", "lose"])
async def test_what_is_no_answer_is_unknown(telegram: ServedTelegram, fault: str) -> None:
    telegram.api.faults.append(fault)

    with pytest.raises(StarsUnavailable):
        await telegram.bot.transactions(offset=0, limit=1)


async def test_who_asks_too_often_is_told_when_to_come_back(telegram: ServedTelegram) -> None:
    telegram.api.faults.append("flood")

    with pytest.raises(StarsUnavailable) as told:
        await telegram.bot.transactions(offset=0, limit=1)
    assert told.value.retry_after_seconds == 7


async def test_a_wrong_token_refuses_no_refund_and_is_not_told(telegram: ServedTelegram) -> None:
    charge = telegram.charge("pi_01", 50)
    wrong = "43:" + "S" * 35
    async with AiogramStarsBot(token=wrong, timeout_seconds=1, api_url=telegram.url) as bot:
        with pytest.raises(StarsUnavailable) as told:
            await bot.refund(payer=UserId(1), charge_id=charge)  # type: ignore[arg-type] # A name.
    assert wrong not in str(told.value)


async def test_an_address_that_is_none_is_told_without_the_token() -> None:
    async with AiogramStarsBot(token=TOKEN, timeout_seconds=1, api_url="nowhere") as bot:
        with pytest.raises(StarsUnavailable) as told:
            await bot.create_invoice_link(an_invoice())
    assert "nowhere" in str(told.value)
    assert TOKEN not in "".join(traceback.format_exception(told.value))


async def test_nobody_listening_is_unknown_too() -> None:
    url = "http://127.0.0.1:9"
    async with AiogramStarsBot(token=TOKEN, timeout_seconds=1, api_url=url) as bot:
        with pytest.raises(StarsUnavailable):
            await bot.create_invoice_link(an_invoice())


async def test_updates_are_polled_until_they_are_taken(telegram: ServedTelegram) -> None:
    telegram.api.say("How do I pay?")
    asked = telegram.ask("pi_01", 50, payer=7)
    paid = telegram.charge("pi_01", 50, payer=7)
    telegram.take_back(paid)

    polled = await telegram.bot.after(None)
    assert [type(update) for _, update in polled] == [type(None), PreCheckout, Charge, Reversal]
    assert isinstance(polled[1][1], PreCheckout)
    assert (polled[1][1].id, polled[1][1].payer) == (asked, 7)
    assert await telegram.bot.after(polled[0][0] - 1) == polled

    assert await telegram.bot.after(polled[1][0]) == polled[2:]
    assert await telegram.bot.after(polled[-1][0]) == []
