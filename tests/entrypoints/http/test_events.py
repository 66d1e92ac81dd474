from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.entrypoints.http.gateway import refusal, told

if TYPE_CHECKING:
    from tests.entrypoints.http.gateway import Gateway, Json


async def paid_out(gateway: Gateway) -> Json:
    """Take a payment of Ada's through everything; return its intent as it was at first."""
    intent = await gateway.held()
    path = f"/v1/payment_intents/{intent['id']}/escrow/release"
    told(await gateway.ada.http.post(path), 202)
    await gateway.send()
    await gateway.services.settlements().run()
    await gateway.send()
    return intent


async def test_every_step_is_told_in_order_and_without_gaps(gateway: Gateway) -> None:
    await gateway.bob.intent()
    await paid_out(gateway)
    events = await gateway.ada.events()
    assert [event["sequence"] for event in events] == list(range(1, len(events) + 1))
    assert [event["type"] for event in events] == [
        "payment_intent.created",
        "payment.received",
        "payment_intent.processing",
        "payment.confirmed",
        "escrow.held",
        "escrow.release_requested",
        "payment_intent.succeeded",
        "escrow.released",
        "settlement.ready",
        "payout.approved",
        "settlement.approved",
        "payout.signed",
        "payout.broadcast",
        "payout.confirmed",
        "settlement.paid_out",
    ]
    assert [event["type"] for event in await gateway.bob.events()] == ["payment_intent.created"]


async def test_an_object_is_as_its_newest_event_says(gateway: Gateway) -> None:
    intent = await paid_out(gateway)
    newest = await gateway.ada.newest_events()
    [settlement] = (await gateway.ada.get("/v1/settlements"))["data"]
    path = f"/v1/payment_intents/{intent['id']}"
    shown = [
        await gateway.ada.get(path),
        await gateway.ada.get(f"{path}/escrow"),
        settlement,
        await gateway.ada.get(f"/v1/payouts/{settlement['payout']}"),
    ]
    assert {each["id"]: each for each in shown} == newest


async def test_all_ends_of_an_intent_are_as_their_newest_events_say(gateway: Gateway) -> None:
    canceled = await gateway.ada.intent(metadata={"é": "🚲"}, description='"\\')
    told(await gateway.ada.http.post(f"/v1/payment_intents/{canceled['id']}/cancel"), 200)
    late = await gateway.ada.intent(method="address", pay_within_seconds=1)
    expired = await gateway.ada.intent(method="address", pay_within_seconds=1)
    gateway.clock.advance(minutes=5)
    await gateway.pay(late)
    await gateway.services.intents().expire_due(chain=gateway.chain.chain)
    told(await gateway.ada.http.post(f"/v1/payment_intents/{late['id']}/accept"), 200)
    short = await gateway.ada.intent(method="address")
    await gateway.pay(short, amount=7)
    newest = await gateway.ada.newest_events()
    listed = (await gateway.ada.get("/v1/payment_intents"))["data"]
    assert {each["id"]: each for each in listed} == newest
    assert {each["id"]: (each["status"], each["exception"]) for each in listed} == {
        canceled["id"]: ("canceled", "none"),
        late["id"]: ("succeeded", "late"),
        expired["id"]: ("expired", "none"),
        short["id"]: ("requires_payment", "underpaid"),
    }


async def test_a_retracted_payment_is_told(gateway: Gateway) -> None:
    intent = await gateway.ada.intent(method="address")
    paid = await gateway.begin_to_pay(intent)
    gateway.chain.mine()
    await gateway.services.watcher().watch(chain=gateway.chain.chain)
    gateway.chain.reorg(depth=1, drop={paid})
    await gateway.services.watcher().watch(chain=gateway.chain.chain)
    shown = await gateway.ada.get(f"/v1/payment_intents/{intent['id']}")
    assert (shown["status"], shown["exception"]) == ("requires_payment", "retracted")
    assert shown["amount_received"]["amount"] == "0"
    assert shown == (await gateway.ada.newest_events())[intent["id"]]


async def test_the_feed_is_read_on_from_what_is_known(gateway: Gateway) -> None:
    for _ in range(5):
        await gateway.ada.intent()
    everything = await gateway.ada.events()
    page = await gateway.ada.get("/v1/events", after=1, limit=2)
    assert (page["data"], page["has_more"]) == (everything[1:3], True)
    page = await gateway.ada.get("/v1/events", after=3, limit=2)
    assert (page["data"], page["has_more"]) == (everything[3:], False)
    assert (await gateway.ada.get("/v1/events", after=5))["data"] == []
    assert (await gateway.ada.get("/v1/events", after=2**63 - 1))["data"] == []


async def test_a_webhook_says_what_the_feed_says(memory_gateway: Gateway) -> None:
    webhooks = memory_gateway.services.webhooks()
    await webhooks.register(owner=memory_gateway.ada.merchant.id, url="https://shop.example/")
    await memory_gateway.ada.intent()
    await webhooks.hand_over()
    async with memory_gateway.storage.begin() as work:
        [event] = await memory_gateway.ada.events()
        [delivery] = await work.webhooks.deliveries(event_id=event["id"])
    await webhooks.deliver(delivery_id=delivery.id)
    [post] = memory_gateway.services.adapters.publisher().posts
    assert json.loads(post.body) == event


@pytest.mark.parametrize(
    "query",
    [
        "after=-1", "after=x", "after=1.0", "after=", "after=%2B1", "after=01", f"after={2**63}",
        "limit=0", "limit=101", "limit=", "before=1",
    ],
)  # fmt: skip
async def test_a_malformed_place_is_refused(memory_gateway: Gateway, query: str) -> None:
    response = await memory_gateway.ada.http.get(f"/v1/events?{query}")
    assert refusal(response) == (422, "invalid-request")
    [error] = response.json()["errors"]
    assert error["parameter"] == query.partition("=")[0]


async def test_an_unknown_parameter_is_named_without_what_no_text_of_ours_has(
    memory_gateway: Gateway,
) -> None:
    response = await memory_gateway.ada.http.get("/v1/events?a%00b=1")
    [error] = response.json()["errors"]
    assert error == {"parameter": "a\ufffdb", "detail": "is not known here"}


async def test_a_settlement_tells_of_its_next_payout(gateway: Gateway) -> None:
    intent = await gateway.held()
    told(await gateway.ada.http.post(f"/v1/payment_intents/{intent['id']}/escrow/release"), 202)
    await gateway.send()
    settlements = gateway.services.settlements()
    [settlement] = await settlements.run()
    assert settlement.payout_id is not None
    async with gateway.storage.begin() as work:
        payout = await work.settlements.lock_payout(settlement.payout_id)
        await work.settlements.save_payout(payout.refuse(reason="made up"))
        await work.commit()

    await settlements.retry_payout(payout_id=settlement.payout_id)

    [shown] = (await gateway.ada.get("/v1/settlements"))["data"]
    assert shown == (await gateway.ada.newest_events())[settlement.id]
