from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.builders import USDT
from tests.entrypoints.http.gateway import PAYER, refusal, told

if TYPE_CHECKING:
    from tests.entrypoints.http.gateway import Gateway

DUE = 25 * 10**18
FEE = DUE // 100


async def test_there_is_an_escrow_once_the_payment_is_final(gateway: Gateway) -> None:
    intent = await gateway.ada.intent()
    path = f"/v1/payment_intents/{intent['id']}/escrow"
    assert refusal(await gateway.ada.http.get(path)) == (404, "not-found")
    await gateway.pay(intent)
    escrow = await gateway.ada.get(path)
    assert (escrow["state"], escrow["requested"]) == ("held", None)
    assert (escrow["payment_intent"], escrow["payer"]) == (intent["id"], PAYER)
    assert escrow["terms"] == intent["pay_to"]["escrow_terms"]
    assert (escrow["amount"]["amount"], escrow["fee"]["amount"]) == (str(DUE), str(FEE))
    assert (escrow["ended_at"], escrow["disputed_at"]) == (None, None)


async def test_a_released_escrow_pays_the_merchant(gateway: Gateway) -> None:
    intent = await gateway.held()
    path = f"/v1/payment_intents/{intent['id']}/escrow"
    asked = told(await gateway.ada.http.post(f"{path}/release"), 202)
    assert (asked["state"], asked["requested"]) == ("held", "release")
    assert await gateway.ada.get(path) == asked
    assert await gateway.ada.get("/v1/balances") == {"object": "balances", "data": []}
    await gateway.send()
    ended = await gateway.ada.get(path)
    assert (ended["state"], ended["requested"]) == ("released", None)
    assert ended["ended_at"] is not None
    assert ended["merchant_amount"]["amount"] == str(DUE - FEE)
    assert ended["payer_amount"]["amount"] == "0"
    assert await gateway.ada.available() == DUE - FEE
    paid = await gateway.ada.get(f"/v1/payment_intents/{intent['id']}")
    assert (paid["status"], paid["amount_captured"]["amount"]) == ("succeeded", str(DUE))


async def test_a_refunded_escrow_pays_the_payer_back(gateway: Gateway) -> None:
    intent = await gateway.held()
    path = f"/v1/payment_intents/{intent['id']}/escrow"
    asked = told(await gateway.ada.http.post(f"{path}/refund"), 202)
    assert (asked["state"], asked["requested"]) == ("held", "refund")
    await gateway.send()
    ended = await gateway.ada.get(path)
    assert (ended["state"], ended["payer_amount"]["amount"]) == ("refunded", str(DUE))
    assert ended["merchant_amount"]["amount"] == "0"
    paid = await gateway.ada.get(f"/v1/payment_intents/{intent['id']}")
    assert (paid["status"], paid["amount_captured"]["amount"]) == ("canceled", "0")
    assert (await gateway.ada.get("/v1/balances"))["data"] == []
    assert gateway.chain.state.balance(PAYER, USDT.id) == DUE


@pytest.mark.parametrize("second", ["release", "refund"])
async def test_one_end_is_asked_for_at_a_time(gateway: Gateway, second: str) -> None:
    intent = await gateway.held()
    path = f"/v1/payment_intents/{intent['id']}/escrow"
    told(await gateway.ada.http.post(f"{path}/release"), 202)
    before = await gateway.everything()
    under_way = await gateway.ada.http.post(f"{path}/{second}")
    assert refusal(under_way) == (409, "escrow-action-in-progress")
    assert under_way.json()["action"] == "release"
    assert await gateway.everything() == before
    await gateway.send()
    before = await gateway.everything()
    over = await gateway.ada.http.post(f"{path}/{second}")
    assert refusal(over) == (409, "escrow-state")
    assert over.json()["wanted"] == second
    assert await gateway.everything() == before


async def test_a_disputed_escrow_is_neither_released_nor_refunded(gateway: Gateway) -> None:
    intent = await gateway.held()
    path = f"/v1/payment_intents/{intent['id']}/escrow"
    terms = await gateway.terms(intent)
    gateway.chain.dispute(terms, by=PAYER)
    await gateway.watch()
    disputed = await gateway.ada.get(path)
    assert disputed["state"] == "disputed"
    assert disputed["disputed_at"] is not None
    for verb in ("release", "refund"):
        refused = await gateway.ada.http.post(f"{path}/{verb}")
        assert refusal(refused) == (409, "escrow-state")
    gateway.chain.resolve(terms, payer_amount=10**18)
    await gateway.watch()
    resolved = await gateway.ada.get(path)
    merchants = (DUE - 10**18) * 99 // 100
    assert resolved["state"] == "resolved"
    assert resolved["payer_amount"]["amount"] == str(10**18)
    assert resolved["merchant_amount"]["amount"] == str(merchants)
    assert await gateway.ada.available() == merchants


async def test_what_the_chain_refuses_can_be_asked_for_again(gateway: Gateway) -> None:
    intent = await gateway.held()
    path = f"/v1/payment_intents/{intent['id']}/escrow"
    told(await gateway.ada.http.post(f"{path}/refund"), 202)
    terms = await gateway.terms(intent)
    gateway.chain.dispute(terms, by=PAYER)
    gateway.chain.mine()
    await gateway.services.sender().send(chain=gateway.chain.chain)
    failed = await gateway.ada.get(path)
    assert (failed["state"], failed["requested"]) == ("held", None)
    assert failed == (await gateway.ada.newest_events())[failed["id"]]
    told(await gateway.ada.http.post(f"{path}/release"), 202)
