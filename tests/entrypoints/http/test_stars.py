"""Stars behind the API: links to invoices, refunds, and the route for Telegram where it posts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import httpx2
import pytest

from config.bootstrap import api
from config.stars import Stars
from domain.stars.model import STARS
from entrypoints.http.app import create_app
from entrypoints.http.telegram import PATH, SECRET_HEADER
from tests.builders import USDT
from tests.entrypoints.http.gateway import SETTINGS, refusal, told

if TYPE_CHECKING:
    from pathlib import Path

    from domain.stars.model import ChargeId
    from tests.entrypoints.http.gateway import Gateway, Json

DUE = 1250
"""What 25 USD cost at two cents a Star."""
INVOICE = {"title": "Order 1042", "description": "Two tickets"}
SECRET = "made-up-for-tests"


async def an_intent(gateway: Gateway) -> Json:
    intent = await gateway.ada.intent(method="stars", asset=STARS)
    assert intent["due"]["amount"] == str(DUE)
    return intent


async def paid(gateway: Gateway) -> tuple[Json, ChargeId]:
    """Return an intent that was paid, and by which charge."""
    intent = await an_intent(gateway)
    charge = gateway.bot.charge(intent["id"], DUE)
    gateway.bot.updates.clear()
    await gateway.services.stars().receive(charge)
    return intent, charge.id


def path(intent: Json, what: str) -> str:
    return f"/v1/payment_intents/{intent['id']}/stars/{what}"


class TestInvoiceLink:
    async def test_it_is_a_link_to_the_intents_invoice(self, gateway: Gateway) -> None:
        intent = await an_intent(gateway)
        body = {**INVOICE, "is_subscription": True}
        link = told(await gateway.ada.http.post(path(intent, "invoice_link"), json=body), 201)

        assert (link["object"], link["payment_intent"]) == ("stars_invoice_link", intent["id"])
        invoice = gateway.bot.invoices[link["url"]]
        assert (invoice.payload, invoice.money.amount) == (intent["id"], DUE)
        assert (invoice.title, invoice.description) == ("Order 1042", "Two tickets")
        assert invoice.is_subscription

    async def test_one_key_leads_to_one_link(self, gateway: Gateway) -> None:
        where = path(await an_intent(gateway), "invoice_link")
        headers = {"Idempotency-Key": "k1"}
        first = await gateway.ada.http.post(where, json=INVOICE, headers=headers)
        again = await gateway.ada.http.post(where, json=INVOICE, headers=headers)
        assert told(again, 201) == told(first, 201)
        assert len(gateway.bot.invoices) == 1

        other = {**INVOICE, "title": "Order 1043"}
        reused = await gateway.ada.http.post(where, json=other, headers=headers)
        assert refusal(reused) == (422, "idempotency-key-reused")

    async def test_a_key_is_free_where_telegram_was_away(self, gateway: Gateway) -> None:
        where = path(await an_intent(gateway), "invoice_link")
        headers = {"Idempotency-Key": "k1"}
        gateway.bot.fail_next()
        away = await gateway.ada.http.post(where, json=INVOICE, headers=headers)
        assert refusal(away) == (503, "stars-unavailable")
        assert away.headers["retry-after"] == "1"
        told(await gateway.ada.http.post(where, json=INVOICE, headers=headers), 201)

    async def test_only_for_ones_own_intents_in_stars(self, gateway: Gateway) -> None:
        in_usdt, in_stars = await gateway.ada.intent(asset=USDT.id), await an_intent(gateway)
        where = path(in_usdt, "invoice_link")
        answer = await gateway.ada.http.post(where, json=INVOICE)
        assert refusal(answer) == (409, "not-paid-in-stars")
        answer = await gateway.bob.http.post(path(in_stars, "invoice_link"), json=INVOICE)
        assert refusal(answer) == (404, "not-found")

    async def test_a_subscription_has_a_highest_price(self, gateway: Gateway) -> None:
        price = {"asset": "iso4217:USD", "amount": "20002"}
        intent = await gateway.ada.intent(method="stars", asset=STARS, price=price)
        body = {**INVOICE, "is_subscription": True}
        answer = await gateway.ada.http.post(path(intent, "invoice_link"), json=body)
        assert refusal(answer) == (422, "invoice-malformed")
        assert answer.json()["field"] == "money"


class TestRefund:
    async def test_what_was_paid_goes_back(self, gateway: Gateway) -> None:
        intent, charge_id = await paid(gateway)
        answer = told(await gateway.ada.http.post(path(intent, "refund")), 202)
        assert (answer["id"], answer["payment_intent"]) == (charge_id, intent["id"])
        assert (answer["state"], answer["amount"]["amount"]) == ("refunding", str(DUE))

        assert await gateway.services.stars().carry_out_refunds() == 1
        again = told(await gateway.ada.http.post(path(intent, "refund")), 202)
        assert again["state"] == "refunded"

    async def test_one_key_is_answered_the_same(self, gateway: Gateway) -> None:
        intent, _ = await paid(gateway)
        headers = {"Idempotency-Key": "k1"}
        first = await gateway.ada.http.post(path(intent, "refund"), headers=headers)
        await gateway.services.stars().carry_out_refunds()
        again = await gateway.ada.http.post(path(intent, "refund"), headers=headers)
        assert told(again, 202) == told(first, 202)

    async def test_a_key_is_kept_where_nothing_was_left_to_do(self, gateway: Gateway) -> None:
        intent, _ = await paid(gateway)
        await gateway.ada.http.post(path(intent, "refund"))
        headers = {"Idempotency-Key": "k1"}
        first = await gateway.ada.http.post(path(intent, "refund"), headers=headers)
        await gateway.services.stars().carry_out_refunds()
        again = await gateway.ada.http.post(path(intent, "refund"), headers=headers)
        assert told(again, 202) == told(first, 202)

    async def test_only_what_was_paid_to_oneself(self, gateway: Gateway) -> None:
        intent, _ = await paid(gateway)
        assert refusal(await gateway.bob.http.post(path(intent, "refund")))[0] == 404
        unpaid = await an_intent(gateway)
        assert refusal(await gateway.ada.http.post(path(unpaid, "refund")))[0] == 404


@pytest.mark.parametrize("mode", ["webhook", "polling", None])
async def test_telegram_is_listened_to_only_where_it_posts(
    tmp_path: Path, mode: str | None
) -> None:
    secret_file = tmp_path / "secret"
    secret_file.write_text(SECRET)
    secret_file.chmod(0o600)
    stars = mode and Stars(
        bot_token_file=tmp_path / "unused",
        mode=mode,
        webhook_secret_file=secret_file if mode == "webhook" else None,
    )
    settings = attrs.evolve(
        SETTINGS,
        assets=tuple(each for each in SETTINGS.assets if stars or each.id != STARS),
        rates=tuple(each for each in SETTINGS.rates if stars or each.asset != STARS),
        stars=stars or None,
    )
    app = create_app(api(settings))
    client = httpx2.AsyncClient(
        transport=httpx2.ASGITransport(app), base_url="http://gateway.test"
    )
    async with app.router.lifespan_context(app), client as telegram:
        nobody = await telegram.post(PATH, content=b'{"update_id": 1}')
        headers = {SECRET_HEADER: SECRET}
        itself = await telegram.post(PATH, content=b'{"update_id": 1}', headers=headers)
        document = (await telegram.get("/openapi.json")).text

    expected = (403, 200) if mode == "webhook" else (404, 404)
    assert (nobody.status_code, itself.status_code) == expected
    assert PATH not in document
    assert ("/stars/refund" in document) is (mode is not None)
