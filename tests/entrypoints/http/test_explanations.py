"""Where the money is, as merchants are told: by every method, and at every step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.stars.model import STARS
from tests.builders import CHAIN, USDT
from tests.entrypoints.http.gateway import refusal

if TYPE_CHECKING:
    from tests.entrypoints.http.gateway import Gateway, Json

DUE = 25 * 10**18


async def explained(gateway: Gateway, intent: Json) -> Json:
    return await gateway.ada.get(f"/v1/payment_intents/{intent['id']}/explain")


def codes(explanation: Json) -> list[str]:
    return [step["code"] for step in explanation["next"]]


async def test_a_payment_to_an_address_is_followed_to_its_settlement(gateway: Gateway) -> None:
    intent = await gateway.ada.intent(method="address")
    fresh = await explained(gateway, intent)
    assert codes(fresh) == ["waits_for_payment"]
    assert fresh["pay"].startswith(f"25 USDT to {intent['pay_to']['address']} on {CHAIN}")
    assert [each["code"] for each in fresh["options"]] == ["cancel"]
    assert [each["age_seconds"] for each in fresh["quote"]["source_ages"]] == [0, 0, 0]

    transaction = await gateway.begin_to_pay(intent)
    gateway.chain.mine()
    await gateway.services.watcher().watch(chain=CHAIN)
    seen = await explained(gateway, intent)
    assert codes(seen) == ["waits_for_finality"]
    [observation] = seen["observations"]
    assert observation["transaction"] == transaction
    assert (observation["finality"], observation["counts"]) == ("seen", True)
    assert seen["next"][0]["block"] == observation["block"]["number"]
    assert seen["next"][0]["final_block"] == seen["chain"]["final_block"]["number"]
    [stretch] = seen["scanned"]
    assert stretch["first"] <= observation["block"]["number"] <= stretch["last"]
    assert (seen["gaps"], seen["postings"]) == ([], [])

    await gateway.watch()
    paid = await explained(gateway, intent)
    assert codes(paid) == ["settles"]
    assert paid["observations"][0]["finality"] == "final"
    booked = {(it["account"], it["side"]): it["amount"]["amount"] for it in paid["postings"]}
    assert booked["custody:evm:deposits", "debit"] == str(DUE)
    assert booked[f"merchant:{gateway.ada.merchant.id}:available", "credit"] == str(
        DUE * 99 // 100
    )
    assert paid["events"][-1]["type"] == "payment_intent.succeeded"


async def test_what_is_short_lies_in_suspense_until_its_merchant_decides(
    gateway: Gateway,
) -> None:
    intent = await gateway.ada.intent(method="address")
    await gateway.pay(intent, 10)
    short = await explained(gateway, intent)
    assert codes(short) == ["waits_for_payment"]
    [item] = short["suspense"]
    assert (item["why"], item["state"], item["amount_left"]["amount"]) == (
        "underpaid", "open", "10",
    )  # fmt: skip

    gateway.clock.advance(hours=1)
    assert codes(await explained(gateway, intent)) == ["expires"]
    await gateway.watch()
    await gateway.services.intents().expire_due(chain=CHAIN)
    over = await explained(gateway, intent)
    assert codes(over) == ["needs_merchant"]
    [option] = over["options"]
    assert (await gateway.ada.http.post(option["path"])).status_code == 200
    assert (await explained(gateway, intent))["suspense"][0]["state"] == "captured"


async def test_an_escrow_shows_its_clocks_and_what_can_be_asked(gateway: Gateway) -> None:
    intent = await gateway.ada.intent()
    assert "escrow contract" in (await explained(gateway, intent))["pay"]
    await gateway.pay(intent)
    held = await explained(gateway, intent)
    assert codes(held) == ["released_automatically", "may_be_reclaimed"]
    terms = held["escrow"]["terms"]
    assert [step["at"] for step in held["next"]] == [
        terms["auto_release_at"], terms["refund_until"],
    ]  # fmt: skip
    assert len(held["observations"]) == 1
    release = held["options"][0]
    assert (await gateway.ada.http.post(release["path"])).status_code == 202
    assert codes(await explained(gateway, intent)) == ["waits_for_escrow"]
    await gateway.send()
    assert codes(await explained(gateway, intent)) == ["settles"]
    await gateway.services.settlements().run()
    assert codes(await explained(gateway, intent)) == ["settled"]
    assert "escrow.held" in {event["type"] for event in held["events"]}


async def test_an_intent_in_stars_has_no_chain(gateway: Gateway) -> None:
    intent = await gateway.ada.intent(method="stars", asset=STARS)
    told = await explained(gateway, intent)
    assert told["chain"] is None
    assert "invoice in Telegram" in told["pay"]
    assert codes(told) == ["waits_for_payment"]


async def test_another_merchants_money_is_not_explained(gateway: Gateway) -> None:
    intent = await gateway.ada.intent(asset=USDT.id)
    path = f"/v1/payment_intents/{intent['id']}/explain"
    assert refusal(await gateway.bob.http.get(path)) == (404, "not-found")
