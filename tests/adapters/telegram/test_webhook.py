from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.telegram.webhook import TelegramWebhook
from domain.stars.model import Charge, PreCheckout, Recurrence, Reversal
from ports.stars import UpdateMalformed, WebhookForged

if TYPE_CHECKING:
    from tests.adapters.telegram.conftest import ServedTelegram

SECRET = "made-up-for-tests"
WEBHOOK = TelegramWebhook(SECRET)


def posted(telegram: ServedTelegram) -> bytes:
    """Return the newest update as Telegram would post it."""
    return telegram.api.updates[-1].model_dump_json(by_alias=True, exclude_none=True).encode()


async def test_a_payment_is_read(telegram: ServedTelegram) -> None:
    telegram.ask("pi_01", 50, payer=7)
    asked = WEBHOOK.read(posted(telegram), secret=SECRET)
    assert isinstance(asked, PreCheckout)
    assert (asked.payload, asked.currency, asked.amount) == ("pi_01", "XTR", 50)

    id = telegram.charge("pi_01", 50, payer=7)
    paid = WEBHOOK.read(posted(telegram), secret=SECRET)
    assert isinstance(paid, Charge)
    assert (paid.id, paid.payer, paid.payload, paid.money.amount) == (id, 7, "pi_01", 50)
    assert paid.recurrence is Recurrence.ONCE

    telegram.charge("pi_02", 50, subscribed=True)
    first = WEBHOOK.read(posted(telegram), secret=SECRET)
    assert isinstance(first, Charge)
    assert first.recurrence is Recurrence.FIRST

    telegram.take_back(id)
    back = WEBHOOK.read(posted(telegram), secret=SECRET)
    assert isinstance(back, Reversal)
    assert back.charge_id == id


async def test_what_is_no_payment_is_nothing(telegram: ServedTelegram) -> None:
    telegram.api.say("Hello")
    assert WEBHOOK.read(posted(telegram), secret=SECRET) is None


@pytest.mark.parametrize("secret", [None, "", "made-up", SECRET + "s", "sécret"])
async def test_who_does_not_know_the_secret_is_not_read(
    telegram: ServedTelegram, secret: str | None
) -> None:
    telegram.charge("pi_01", 50)

    with pytest.raises(WebhookForged):
        WEBHOOK.read(posted(telegram), secret=secret)


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b'{"update_id":1,"message":{}}', b"\xff"])
def test_what_is_no_update_is_malformed(body: bytes) -> None:
    with pytest.raises(UpdateMalformed):
        WEBHOOK.read(body, secret=SECRET)


def test_there_is_no_webhook_without_a_secret() -> None:
    with pytest.raises(ValueError, match="secret"):
        TelegramWebhook("")
    assert SECRET not in repr(WEBHOOK)
