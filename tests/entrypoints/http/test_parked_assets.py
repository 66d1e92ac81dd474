"""A parked asset over the API: no new intents in it, all else as before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.ledger.parking import ParkedAsset
from tests.builders import USDT
from tests.entrypoints.http.gateway import price, refusal, told

if TYPE_CHECKING:
    from tests.entrypoints.http.gateway import Gateway


async def park(gateway: Gateway) -> None:
    parked = ParkedAsset(USDT.id, "books 7, chain 5", "tx_secret", gateway.clock.now())
    async with gateway.storage.begin() as work:
        assert await work.parking.park(parked)
        await work.commit()


async def test_no_intent_is_made_in_it_until_it_moves_again(gateway: Gateway) -> None:
    before = await gateway.ada.intent()
    await park(gateway)
    untouched = await gateway.everything()
    body = {"method": "escrow", "price": price(2500), "asset": USDT.id}

    refused = await gateway.ada.http.post(
        "/v1/payment_intents", json=body, headers={"Idempotency-Key": "order-1"}
    )

    assert refusal(refused) == (503, "asset-parked")
    assert int(refused.headers["retry-after"]) > 0
    problem = told(refused, 503)
    assert problem["asset"] == USDT.id
    # What is wrong with our books is not the merchant's to read.
    assert "books 7" not in refused.text
    assert await gateway.everything() == untouched
    assert await gateway.ada.get(f"/v1/payment_intents/{before['id']}") == before

    async with gateway.storage.begin() as work:
        assert await work.parking.resume(USDT.id)
        await work.commit()
    again = await gateway.ada.http.post(
        "/v1/payment_intents", json=body, headers={"Idempotency-Key": "order-1"}
    )
    told(again, 201)


async def test_money_for_an_intent_from_before_is_taken(gateway: Gateway) -> None:
    intent = await gateway.ada.intent(method="address")
    await park(gateway)

    await gateway.pay(intent)

    assert (await gateway.ada.get(f"/v1/payment_intents/{intent['id']}"))["status"] == "succeeded"
