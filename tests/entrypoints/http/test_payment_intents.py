from __future__ import annotations

import base64
from typing import TYPE_CHECKING

import pytest

from tests.builders import COIN, CONTRACT, USDT
from tests.entrypoints.http.gateway import FEE_BPS, price, refusal, told

if TYPE_CHECKING:
    from tests.entrypoints.http.gateway import Gateway, Json

DUE = 25 * 10**18


def shown(units: int) -> Json:
    return {
        "asset": USDT.id,
        "amount": str(units),
        "decimal": USDT.render(units),
        "symbol": "USDT",
    }


async def test_a_quote_shows_what_it_was_computed_from(gateway: Gateway) -> None:
    body = {"price": price(2500), "asset": USDT.id}
    quote = told(await gateway.ada.http.post("/v1/quotes", json=body), 201)
    assert quote["due"] == shown(DUE)
    assert quote["price"]["decimal"] == "25.00"
    assert (quote["rate"], quote["spread_bps"]) == ("1", 0)
    assert [each["source"] for each in quote["sources"]] == ["north", "south", "west"]
    assert quote["expires_at"] == "2026-03-01T12:05:00.000000Z"
    assert await gateway.ada.events() == []


async def test_an_intent_is_made_from_a_quote(gateway: Gateway) -> None:
    body = {"price": price(2500), "asset": USDT.id}
    quote = told(await gateway.ada.http.post("/v1/quotes", json=body), 201)
    intent = await gateway.ada.intent(price=None, asset=None, quote=quote["id"])
    assert intent["quote"] == quote["id"]
    assert (intent["due"], intent["price"]) == (quote["due"], quote["price"])
    assert await gateway.ada.get(f"/v1/payment_intents/{intent['id']}") == intent


async def test_an_intent_is_made_from_a_price(gateway: Gateway) -> None:
    metadata = {"order": "1042", "é": "🚲", "empty": ""}
    intent = await gateway.ada.intent(
        description="Order 1042", metadata=metadata, pay_within_seconds=60
    )
    terms = intent["pay_to"]["escrow_terms"]
    assert intent["pay_to"]["address"] == CONTRACT
    assert (terms["amount"], terms["fee_bps"]) == (str(DUE), FEE_BPS)
    assert terms["reference"] == intent["id"]
    assert (intent["status"], intent["exception"]) == ("requires_payment", "none")
    assert intent["amount_remaining"] == shown(DUE)
    assert intent["amount_received"] == intent["amount_final"] == shown(0)
    assert (intent["description"], intent["metadata"]) == ("Order 1042", metadata)
    assert intent["expires_at"] == terms["pay_by"] == "2026-03-01T12:01:00.000000Z"
    assert await gateway.ada.get(f"/v1/payment_intents/{intent['id']}") == intent


async def test_each_deposit_address_is_given_once(gateway: Gateway) -> None:
    made = [await gateway.ada.intent(method="address") for _ in range(3)]
    made.append(await gateway.bob.intent(method="address"))
    assert len({intent["pay_to"]["address"] for intent in made}) == 4
    assert {intent["pay_to"]["escrow_terms"] for intent in made} == {None}


async def test_an_intent_is_canceled_while_nothing_is_paid(gateway: Gateway) -> None:
    intent = await gateway.ada.intent()
    canceled = told(await gateway.ada.http.post(f"{at(intent)}/cancel"), 200)
    assert canceled == {**intent, "status": "canceled"}
    assert await gateway.ada.get(at(intent)) == canceled
    before = await gateway.everything()
    again = await gateway.ada.http.post(f"{at(intent)}/cancel")
    assert refusal(again) == (409, "intent-state")
    assert again.json()["wanted"] == "cancel"
    assert await gateway.everything() == before


@pytest.mark.parametrize("paid", [1, DUE])
async def test_seen_money_forbids_to_cancel(gateway: Gateway, paid: int) -> None:
    intent = await gateway.ada.intent(method="address")
    await gateway.begin_to_pay(intent, paid)
    gateway.chain.mine()
    await gateway.services.watcher().watch(chain=gateway.chain.chain)
    before = await gateway.everything()
    assert refusal(await gateway.ada.http.post(f"{at(intent)}/cancel")) == (409, "intent-state")
    assert await gateway.everything() == before


async def test_money_at_a_deposit_address_is_captured(gateway: Gateway) -> None:
    intent = await gateway.ada.intent(method="address")
    await gateway.pay(intent)
    paid = await gateway.ada.get(at(intent))
    assert (paid["status"], paid["exception"]) == ("succeeded", "none")
    assert paid["amount_captured"] == paid["amount_final"] == shown(DUE)
    assert paid["amount_remaining"] == shown(0)
    assert await gateway.ada.available() == DUE - DUE // 100


async def test_late_money_waits_until_it_is_accepted(gateway: Gateway) -> None:
    intent = await gateway.ada.intent(method="address", pay_within_seconds=60)
    early = await gateway.ada.http.post(f"{at(intent)}/accept")
    assert refusal(early) == (409, "intent-state")
    gateway.clock.advance(hours=1)
    await gateway.pay(intent)
    late = await gateway.ada.get(at(intent))
    assert (late["status"], late["exception"]) == ("needs_review", "late")
    assert late["amount_captured"] == shown(0)
    accepted = told(await gateway.ada.http.post(f"{at(intent)}/accept"), 200)
    assert (accepted["status"], accepted["exception"]) == ("succeeded", "late")
    assert await gateway.ada.get(at(intent)) == accepted
    assert await gateway.ada.available() == DUE - DUE // 100
    before = await gateway.everything()
    assert refusal(await gateway.ada.http.post(f"{at(intent)}/accept")) == (409, "intent-state")
    assert await gateway.everything() == before


async def test_a_wallet_is_told_what_to_sign(gateway: Gateway) -> None:
    intent = await gateway.ada.intent()
    calls = await gateway.ada.get(f"{at(intent)}/wallet_calls")
    assert [(call["purpose"], call["value"]) for call in calls["data"]] == [
        ("approve", "0"),
        ("pay", "0"),
    ]
    assert [call["target"] for call in calls["data"]] == [USDT.id.partition("erc20:")[2], CONTRACT]
    deposit = await gateway.ada.intent(method="address")
    assert (await gateway.ada.get(f"{at(deposit)}/wallet_calls"))["data"] == []


async def test_a_payment_shows_in_every_step(gateway: Gateway) -> None:
    intent = await gateway.ada.intent()
    await gateway.begin_to_pay(intent)
    gateway.chain.mine()
    await gateway.services.watcher().watch(chain=gateway.chain.chain)
    seen = await gateway.ada.get(at(intent))
    assert (seen["status"], seen["amount_received"]) == ("processing", shown(DUE))
    assert seen["amount_final"] == shown(0)
    await gateway.watch()
    final = await gateway.ada.get(at(intent))
    assert (final["status"], final["amount_final"]) == ("processing", shown(DUE))
    assert final["amount_captured"] == shown(0)


class TestListing:
    async def test_pages_follow_each_other_newest_first(self, gateway: Gateway) -> None:
        made = [(await gateway.ada.intent())["id"] for _ in range(7)]
        await gateway.bob.intent()
        assert await pages(gateway, limit=3) == [made[:3:-1], made[3:0:-1], made[:1]]
        assert await pages(gateway, limit=7) == [made[::-1]]
        assert await pages(gateway, limit=1) == [[id] for id in made[::-1]]

    async def test_new_intents_do_not_move_the_pages_that_follow(self, gateway: Gateway) -> None:
        made = [(await gateway.ada.intent())["id"] for _ in range(4)]
        first = await gateway.ada.get("/v1/payment_intents", limit=2)
        for _ in range(3):
            await gateway.ada.intent()
        cursor = first["next_cursor"]
        second = await gateway.ada.get("/v1/payment_intents", limit=2, cursor=cursor)
        assert [each["id"] for each in first["data"] + second["data"]] == made[::-1]
        assert (second["has_more"], second["next_cursor"]) == (False, None)

    async def test_a_page_links_to_the_next(self, gateway: Gateway) -> None:
        made = [(await gateway.ada.intent())["id"] for _ in range(3)]
        response = await gateway.ada.http.get("/v1/payment_intents", params={"limit": "2"})
        second = await gateway.ada.http.get(response.links["next"]["url"])
        assert [each["id"] for each in told(second, 200)["data"]] == made[:1]
        assert "link" not in second.headers

    @pytest.mark.parametrize("place", [0, 15, 16, 20, -1])
    async def test_a_tampered_cursor_is_refused(self, memory_gateway: Gateway, place: int) -> None:
        for _ in range(3):
            await memory_gateway.ada.intent()
        page = await memory_gateway.ada.get("/v1/payment_intents", limit=1)
        given = page["next_cursor"]
        sealed = bytearray(base64.urlsafe_b64decode(given + "=" * (-len(given) % 4)))
        sealed[place] ^= 1
        forged = base64.urlsafe_b64encode(sealed).rstrip(b"=").decode()
        response = await memory_gateway.ada.http.get(
            "/v1/payment_intents", params={"cursor": forged}
        )
        assert refusal(response) == (400, "invalid-cursor")

    async def test_a_cursor_of_somebody_else_shows_nothing_of_his(self, gateway: Gateway) -> None:
        for _ in range(3):
            await gateway.ada.intent()
        cursor = (await gateway.ada.get("/v1/payment_intents", limit=1))["next_cursor"]
        assert (await gateway.bob.get("/v1/payment_intents", cursor=cursor))["data"] == []


def at(intent: Json) -> str:
    return f"/v1/payment_intents/{intent['id']}"


async def pages(gateway: Gateway, *, limit: int) -> list[list[str]]:
    found, query = [], {"limit": str(limit)}
    for _ in range(20):
        page = await gateway.ada.get("/v1/payment_intents", **query)
        found.append([each["id"] for each in page["data"]])
        assert page["has_more"] is (page["next_cursor"] is not None)
        if not page["has_more"]:
            return found
        query["cursor"] = page["next_cursor"]
    raise AssertionError("the pages have no end")


async def test_capitals_of_an_address_are_no_part_of_an_assets_name(gateway: Gateway) -> None:
    chain, _, contract = USDT.id.partition("0x")

    body = {"price": price(2500), "asset": f"{chain}0x{contract.upper()}"}
    quote = told(await gateway.ada.http.post("/v1/quotes", json=body), 201)

    assert quote["due"]["asset"] == USDT.id


async def test_a_small_rate_is_written_without_an_exponent(gateway: Gateway) -> None:
    assets = gateway.services.adapters.assets()
    for source in gateway.services.adapters.rates():
        source.say(assets.find(COIN.id), assets.find("iso4217:USD"), "0.0000001")

    body = {"price": price(1), "asset": COIN.id}
    quote = told(await gateway.ada.http.post("/v1/quotes", json=body), 201)

    assert quote["rate"] == quote["sources"][0]["rate"] == "0.0000001"
