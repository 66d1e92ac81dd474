"""Test helpers, by HTTP: what can be ordered, what is refused, and what comes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.fees.model import FeeSchedule
from domain.shared.ids import SandboxOrderId
from domain.shared.modes import Mode
from tests.builders import CHAIN, COIN, USDT
from tests.entrypoints.http.gateway import (
    ELSEWHERE,
    MAINNET,
    client_of,
    price,
    refusal,
    told,
)

if TYPE_CHECKING:
    from tests.entrypoints.http.gateway import Gateway, Json

TEST = "/v1/test_helpers"
HOOKS = {"url": "https://ada.example/hooks"}


async def carried_out(gateway: Gateway, order: Json) -> Json:
    """Let the worker carry an order out; return how it is then told."""
    works = gateway.services.sandbox_works()
    await works.carry_out(order_id=SandboxOrderId(order["id"]))
    return await gateway.ada.get(f"{TEST}/orders/{order['id']}")


async def ordered(gateway: Gateway, path: str, body: Json | None = None) -> Json:
    response = await gateway.ada.http.post(f"{TEST}/{path}", json=body or {})
    return await carried_out(gateway, told(response, 202))


async def test_an_intent_is_paid_by_an_order(gateway: Gateway) -> None:
    intent = await gateway.ada.intent(method="address")
    response = await gateway.ada.http.post(f"{TEST}/payment_intents/{intent['id']}/pay")
    order = told(response, 202)
    assert (order["object"], order["action"], order["status"]) == ("test_order", "pay", "pending")
    assert order["amount"] == intent["due"]
    assert order["payment_intent"] == intent["id"]

    done = await carried_out(gateway, order)
    assert (done["status"], done["reason"]) == ("done", None)
    assert done["transaction"].startswith("0x")
    await gateway.watch()
    paid = await gateway.ada.get(f"/v1/payment_intents/{intent['id']}")
    assert paid["status"] == "succeeded"


@pytest.mark.parametrize(
    ("verb", "body", "exception"),
    [
        ("pay", {"amount": "5"}, "underpaid"),
        ("pay", {"amount": str(10**30)}, "overpaid"),
        ("pay_late", {}, "late"),
    ],
)
async def test_an_intent_is_paid_wrongly(
    gateway: Gateway, verb: str, body: Json, exception: str
) -> None:
    intent = await gateway.ada.intent(method="address")
    await gateway.watch()
    order = await ordered(gateway, f"payment_intents/{intent['id']}/{verb}", body)
    assert (order["action"], order["status"]) == (verb, "done")
    await gateway.watch()

    paid = await gateway.ada.get(f"/v1/payment_intents/{intent['id']}")
    assert paid["exception"] == exception


async def test_time_is_advanced(gateway: Gateway) -> None:
    held = await gateway.held()
    unpaid = await gateway.ada.intent(method="address")
    order = await ordered(gateway, "clock/advance", {"seconds": 8 * 86400})
    assert (order["action"], order["seconds"], order["status"]) == (
        "advance_clock",
        8 * 86400,
        "done",
    )
    await gateway.watch()
    await gateway.services.intents().expire_due(chain=CHAIN)
    await gateway.services.escrows().release_due()

    expired = await gateway.ada.get(f"/v1/payment_intents/{unpaid['id']}")
    assert expired["status"] == "expired"
    escrow = await gateway.ada.get(f"/v1/payment_intents/{held['id']}/escrow")
    assert escrow["requested"] == "release"
    await gateway.send()
    released = await gateway.ada.get(f"/v1/payment_intents/{held['id']}")
    assert released["status"] == "succeeded"


async def test_blocks_are_replaced(gateway: Gateway) -> None:
    intent = await gateway.ada.intent(method="address")
    await gateway.watch()
    await ordered(gateway, f"payment_intents/{intent['id']}/pay")
    watcher = gateway.services.watcher()
    await watcher.watch(chain=CHAIN)
    path = f"/v1/payment_intents/{intent['id']}"
    assert (await gateway.ada.get(path))["status"] == "processing"
    order = await ordered(gateway, f"chains/{CHAIN}/reorg", {"depth": 1})
    assert (order["chain"], order["depth"], order["status"]) == (CHAIN, 1, "done")
    await watcher.watch(chain=CHAIN)

    gone = await gateway.ada.get(path)
    assert (gone["status"], gone["exception"]) == ("requires_payment", "retracted")


async def test_deliveries_fail_and_come_again(gateway: Gateway) -> None:
    ada, webhooks = gateway.ada, gateway.services.webhooks()
    endpoint = told(await ada.http.post("/v1/webhook_endpoints", json=HOOKS), 201)
    path = f"{TEST}/webhook_endpoints/{endpoint['id']}/fail"
    order = told(await ada.http.post(path, json={"answer": "503"}), 201)
    assert (order["action"], order["status"]) == ("fail_deliveries", "done")
    assert (order["answer"], order["times"]) == ("503", 1)
    await ada.intent()
    await webhooks.hand_over()
    [delivery] = (await ada.get("/v1/webhook_deliveries"))["data"]
    await webhooks.deliver(delivery_id=delivery["id"])
    [tried] = (await ada.get(f"/v1/webhook_deliveries/{delivery['id']}"))["tries"]
    assert (tried["simulated"], tried["response"]["status"]) == (True, 503)

    await ordered(gateway, "clock/advance", {"seconds": 600})
    await webhooks.deliver(delivery_id=delivery["id"])
    log = await ada.get(f"/v1/webhook_deliveries/{delivery['id']}")
    assert (log["state"], [it["simulated"] for it in log["tries"]]) == ("delivered", [True, False])


async def test_one_key_orders_once(gateway: Gateway) -> None:
    intent = await gateway.ada.intent(method="address")
    path = f"{TEST}/payment_intents/{intent['id']}/pay"
    key = {"Idempotency-Key": "once"}
    first = await gateway.ada.http.post(path, json={"amount": "5"}, headers=key)
    again = await gateway.ada.http.post(path, json={"amount": "5"}, headers=key)
    assert told(again, 202) == told(first, 202)
    assert again.headers["idempotent-replayed"] == "true"
    other = await gateway.ada.http.post(path, json={"amount": "6"}, headers=key)
    assert refusal(other) == (422, "idempotency-key-reused")


async def test_what_is_refused_says_why(memory_gateway: Gateway) -> None:
    gateway = memory_gateway
    await gateway.watch()
    post = gateway.ada.http.post
    escrow = await gateway.ada.intent()
    elsewhere = await gateway.ada.intent(asset=f"{MAINNET}/slip44:60")
    paid = await gateway.ada.intent(method="address")
    await gateway.pay(paid)
    of = f"{TEST}/payment_intents"
    for path, body, expected in (
        (f"{of}/{elsewhere['id']}/pay", {}, (409, "not-a-devnet")),
        (f"{of}/{paid['id']}/pay", {}, (409, "nothing-due")),
        (f"{of}/{paid['id']}/pay_late", {"amount": "1"}, (409, "intent-state")),
        (f"{of}/{paid['id']}/pay", {"asset": "eip155:1/erc20:0x"}, (422, "unknown-asset")),
        (f"{of}/{paid['id']}/pay", {"asset": ELSEWHERE}, (422, "asset-of-other-chain")),
        (f"{of}/{escrow['id']}/pay", {"amount": "1"}, (409, "only-what-is-due")),
        (f"{of}/{escrow['id']}/pay", {"asset": COIN.id}, (409, "only-what-is-due")),
        (f"{of}/{escrow['id']}/pay_late", {}, (409, "only-what-is-due")),
        (f"{of}/pi_none/pay", {}, (404, "not-found")),
        (f"{TEST}/chains/{MAINNET}/reorg", {"depth": 1}, (409, "not-a-devnet")),
        (f"{TEST}/chains/ton:-239/reorg", {"depth": 1}, (409, "not-a-devnet")),
        (f"{TEST}/chains/{CHAIN}/reorg", {"depth": 20}, (409, "reorg-reaches-final")),
        (f"{TEST}/chains/{CHAIN}/reorg", {"depth": 21}, (422, "invalid-request")),
        (f"{TEST}/clock/advance", {"seconds": 400 * 86400 + 1}, (422, "invalid-request")),
        (f"{TEST}/clock/advance", {"seconds": 0}, (422, "invalid-request")),
        (f"{TEST}/webhook_endpoints/we_none/fail", {"answer": "off"}, (404, "not-found")),
    ):
        response = await post(path, json=body)
        assert refusal(response) == expected, path
    told_most = (await post(f"{TEST}/chains/{CHAIN}/reorg", json={"depth": 20})).json()
    assert (told_most["maximum"], told_most["depth"]) == (4, 20)
    assert "At most 4" in told_most["detail"]
    assert USDT.id in paid["due"]["asset"]


async def test_a_live_key_orders_nothing(memory_gateway: Gateway) -> None:
    gateway = memory_gateway
    merchants = gateway.services.merchants()
    live = await merchants.register(name="Ada's, in earnest", fees=FeeSchedule(0), mode=Mode.LIVE)
    key = await merchants.issue_key(merchant_id=live.id)
    assert key.startswith("sy_live_")
    headers = {"Authorization": f"Bearer {key}"}
    async with client_of(gateway.app, gateway.document, headers=headers) as http:
        for path, body in (
            ("payment_intents/pi_1/pay", {}),
            ("payment_intents/pi_1/pay_late", {}),
            ("clock/advance", {"seconds": 1}),
            (f"chains/{CHAIN}/reorg", {"depth": 1}),
            ("webhook_endpoints/we_1/fail", {"answer": "500"}),
        ):
            response = await http.post(f"{TEST}/{path}", json=body)
            assert refusal(response) == (403, "test-mode-only"), path


async def test_a_price_is_a_price(memory_gateway: Gateway) -> None:
    # What is paid is in smallest units, and no number is taken for one.
    intent = await memory_gateway.ada.intent(method="address", price=price(100))
    path = f"{TEST}/payment_intents/{intent['id']}/pay"
    for amount in (5, "0", "-5", "5.0", "1e3", ""):
        response = await memory_gateway.ada.http.post(path, json={"amount": amount})
        assert refusal(response) == (422, "invalid-request"), amount
