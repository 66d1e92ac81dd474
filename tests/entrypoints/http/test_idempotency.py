from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from domain.shared.ids import IntentId
from tests.builders import COIN, USDT
from tests.entrypoints.http.gateway import price, refusal, told

if TYPE_CHECKING:
    from httpx2 import Response

    from tests.entrypoints.http.gateway import Gateway, Json, Shop

INTENTS = "/v1/payment_intents"
BODY = {"method": "escrow", "price": price(2500), "asset": USDT.id}
REUSED = (422, "idempotency-key-reused")
IN_FLIGHT = (409, "idempotency-key-in-flight")
PATIENCE_SECONDS = 10.0


async def post(
    shop: Shop, path: str = INTENTS, *, key: str = "k-1", body: Json | None = BODY
) -> Response:
    headers = {"Idempotency-Key": key}
    return await shop.http.post(path, json=body, headers=headers)


def replayed(response: Response) -> bool:
    return response.headers.get("idempotent-replayed") == "true"


async def test_a_repeated_request_is_told_the_same_answer(gateway: Gateway) -> None:
    first = await post(gateway.ada)
    before = await gateway.everything()
    gateway.clock.advance(hours=1)
    reordered = dict(reversed(BODY.items()))
    for body in (BODY, reordered):
        again = await post(gateway.ada, body=body)
        assert (again.status_code, again.content) == (201, first.content)
        assert replayed(again)
        assert again.headers["content-type"] == first.headers["content-type"]
    assert not replayed(first)
    assert await gateway.everything() == before
    assert len(await gateway.ada.events()) == 1


async def test_the_first_answer_is_told_whatever_has_become_since(gateway: Gateway) -> None:
    first = await post(gateway.ada)
    await gateway.pay(first.json())
    again = await post(gateway.ada)
    assert (again.content, replayed(again)) == (first.content, True)
    shown = await gateway.ada.get(f"{INTENTS}/{first.json()['id']}")
    assert shown["status"] == "processing"


async def test_a_key_is_as_good_as_new_after_a_day(gateway: Gateway) -> None:
    first = await post(gateway.ada)
    gateway.clock.advance(hours=23, minutes=59)
    assert replayed(await post(gateway.ada))
    gateway.clock.advance(minutes=1)

    cheaper = BODY | {"price": price(1)}
    second = await post(gateway.ada, body=cheaper)

    assert (second.status_code, replayed(second)) == (201, False)
    assert second.json()["id"] != first.json()["id"]
    again = await post(gateway.ada, body=cheaper)
    assert (again.content, replayed(again)) == (second.content, True)
    assert refusal(await post(gateway.ada)) == REUSED


async def test_another_request_with_the_key_is_refused(gateway: Gateway) -> None:
    first = told(await post(gateway.ada), 201)
    before = await gateway.everything()
    for other in (BODY | {"price": price(2501)}, BODY | {"method": "address"}):
        assert refusal(await post(gateway.ada, body=other)) == REUSED
    cancel = f"{INTENTS}/{first['id']}/cancel"
    assert refusal(await post(gateway.ada, cancel, body=None)) == REUSED
    assert await gateway.everything() == before


async def test_a_key_is_its_merchants_own(gateway: Gateway) -> None:
    adas, bobs = await post(gateway.ada), await post(gateway.bob)
    assert told(adas, 201)["id"] != told(bobs, 201)["id"]
    assert not replayed(bobs)


async def test_without_a_key_every_request_counts(gateway: Gateway) -> None:
    first, second = await gateway.ada.intent(), await gateway.ada.intent()
    assert first["id"] != second["id"]


@pytest.mark.parametrize(
    "bad",
    [
        BODY | {"price": price(0)},
        BODY | {"asset": "nonsense"},
        BODY | {"asset": COIN.id},
        {"method": "escrow", "quote": "qt_missing"},
    ],
    ids=["invalid", "unknown asset", "no rate", "missing quote"],
)
async def test_a_refused_request_leaves_its_key_free(gateway: Gateway, bad: Json) -> None:
    assert (await post(gateway.ada, body=bad)).status_code >= 400
    good = await post(gateway.ada)
    assert (good.status_code, replayed(good)) == (201, False)


async def test_every_verb_is_carried_out_once(gateway: Gateway) -> None:
    held, idle = await gateway.held(), await gateway.ada.intent()
    late = await gateway.ada.intent(method="address", pay_within_seconds=1)
    gateway.clock.advance(minutes=1)
    await gateway.pay(late)
    for path in (
        f"{INTENTS}/{held['id']}/escrow/release",
        f"{INTENTS}/{idle['id']}/cancel",
        f"{INTENTS}/{late['id']}/accept",
    ):
        first = await post(gateway.ada, path, key=path, body=None)
        before = await gateway.everything()
        again = await post(gateway.ada, path, key=path, body=None)
        assert first.status_code in {200, 202}
        assert (again.status_code, again.content) == (first.status_code, first.content)
        assert (replayed(first), replayed(again)) == (False, True)
        assert await gateway.everything() == before


async def test_a_key_in_flight_is_not_waited_for(gateway: Gateway) -> None:
    intent = await gateway.ada.intent()
    path = f"{INTENTS}/{intent['id']}/cancel"
    async with gateway.storage.begin() as work:
        # Whoever cancels has to wait for this lock, and has taken its key by then. In memory it
        # waits for the whole store, and takes its key when it is let go.
        await work.intents.lock(IntentId(intent["id"]), owner=None)
        both = [asyncio.create_task(post(gateway.ada, path, body=None)) for _ in range(2)]
        if gateway.locks_rows:
            done, _ = await asyncio.wait(
                both, timeout=PATIENCE_SECONDS, return_when=asyncio.FIRST_COMPLETED
            )
            assert [refusal(task.result()) for task in done] == [IN_FLIGHT]
        else:
            for _ in range(100):
                await asyncio.sleep(0)
    refused, first = sorted(await asyncio.gather(*both), key=lambda it: -it.status_code)
    assert refusal(refused) == IN_FLIGHT
    assert refused.headers["retry-after"] == "1"
    assert told(first, 200)["status"] == "canceled"
    again = await post(gateway.ada, path, body=None)
    assert (again.content, replayed(again)) == (first.content, True)


async def test_of_many_requests_at_once_one_makes_an_intent(gateway: Gateway) -> None:
    responses = await asyncio.gather(*(post(gateway.ada) for _ in range(8)))
    made = [each for each in responses if each.status_code == 201]
    others = [each for each in responses if each.status_code != 201]
    assert {each.content for each in made} == {made[0].content}
    assert [replayed(each) for each in made].count(False) == 1
    assert {refusal(each) for each in others} <= {IN_FLIGHT}
    assert len((await gateway.ada.get(INTENTS))["data"]) == 1


async def test_a_lost_commit_is_found_again_by_its_key(memory_gateway: Gateway) -> None:
    store = memory_gateway.storage.store  # type: ignore[union-attr] # in memory
    # The first request takes a block of the key's quota, which is a commit of its own.
    assert (await memory_gateway.ada.http.post("/v1/quotes", json={})).status_code == 422
    store.lose_next_commit()
    assert refusal(await post(memory_gateway.ada)) == (503, "storage-unavailable")
    again = await post(memory_gateway.ada)
    assert (again.status_code, replayed(again)) == (201, True)
    store.fail_next_commit()
    assert refusal(await post(memory_gateway.ada, key="k-2")) == (503, "storage-unavailable")
    fresh = await post(memory_gateway.ada, key="k-2")
    assert (fresh.status_code, replayed(fresh)) == (201, False)
    assert len((await memory_gateway.ada.get(INTENTS))["data"]) == 2


@pytest.mark.parametrize("key", ["", " ", "a b", "k" * 256, "é", "a\tb", "\x7f"])
async def test_a_malformed_key_is_refused(memory_gateway: Gateway, key: str) -> None:
    before = await memory_gateway.everything()
    response = await memory_gateway.ada.http.post(
        INTENTS, json=BODY, headers=[(b"Idempotency-Key", key.encode())]
    )
    assert refusal(response) == (400, "idempotency-key-invalid")
    assert await memory_gateway.everything() == before


async def test_two_keys_are_refused(memory_gateway: Gateway) -> None:
    headers = [("Idempotency-Key", "a"), ("Idempotency-Key", "a")]
    response = await memory_gateway.ada.http.post(INTENTS, json=BODY, headers=headers)
    assert refusal(response) == (400, "idempotency-key-invalid")


@pytest.mark.parametrize("key", ["!", "~" * 255, '"8e03978e-40d5-43dd-bc93-6894a57f9324"', "a,b"])
async def test_any_visible_ascii_is_a_key(gateway: Gateway, key: str) -> None:
    first, again = await post(gateway.ada, key=key), await post(gateway.ada, key=key)
    assert (again.content, replayed(again)) == (first.content, True)


@pytest.mark.parametrize(
    ("path", "body"),
    [(INTENTS, BODY), ("/v1/quotes", {"price": price(2500), "asset": USDT.id})],
)
async def test_an_answer_is_told_again_without_a_rate(
    gateway: Gateway, path: str, body: Json
) -> None:
    first = await post(gateway.ada, path, body=body)
    told(first, 201)
    for _ in range(2):
        again = await post(gateway.ada, path, body=body)
        assert (again.content, replayed(again)) == (first.content, True)
        for source in gateway.services.adapters.rates():
            source.fail_next()

    assert refusal(await post(gateway.ada, path, key="k-2", body=body)) == (503, "no-rate")
