"""Payout destinations through the API: asked for with one key, approved with another."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from eth_utils.address import to_checksum_address

from domain.merchants.scopes import Scope
from tests.builders import CHAIN, address_of
from tests.entrypoints.http.gateway import HOT_WALLET, MAINNET, client_of, refusal, told

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

    from tests.entrypoints.http.gateway import Gateway, Json

DESTINATIONS = "/v1/payout_destinations"
CHANGES = f"{DESTINATIONS}/changes"
OLD, NEW = address_of("Ada's bicycles"), address_of("new till")


async def client(gateway: Gateway, *scopes: Scope) -> AsyncClient:
    """Return a client with a key of Ada's that an operator gave out."""
    issued = await gateway.services.merchants().create_key(
        merchant_id=gateway.ada.merchant.id, scopes=scopes
    )
    headers = {"Authorization": f"Bearer {issued.text}"}
    return client_of(gateway.app, gateway.document, headers=headers)


async def ask(client: AsyncClient, address: str = NEW, **headers: str) -> Response:
    body = {"chain": CHAIN, "address": address}
    return await client.post(DESTINATIONS, json=body, headers=headers)


async def requested(gateway: Gateway) -> Json:
    return told(await ask(gateway.ada.http), 201)


async def cooled_down(gateway: Gateway) -> None:
    gateway.clock.advance(hours=24)
    await gateway.services.destinations().apply_due(limit=9)


async def test_a_destination_changes_by_two_keys_and_a_day(gateway: Gateway) -> None:
    change = await requested(gateway)
    assert change["state"] == "awaiting_approval"
    assert (change["address"], change["replaces"]) == (NEW, OLD)
    async with await client(gateway, Scope.PAYOUT_DESTINATIONS_APPROVE) as owner:
        approved = told(await owner.post(f"{CHANGES}/{change['id']}/approve"), 200)
    assert approved["state"] == "cooling_down"
    assert approved["approved_by"] != approved["requested_by"] == change["requested_by"]

    [shown] = (await gateway.ada.get(DESTINATIONS))["data"]
    assert (shown["address"], shown["change"]) == (OLD, approved)
    await cooled_down(gateway)
    [shown] = (await gateway.ada.get(DESTINATIONS))["data"]
    assert (shown["address"], shown["change"]) == (NEW, None)

    now = await gateway.ada.get(f"{CHANGES}/{change['id']}")
    assert now["state"] == "effective"
    assert (await gateway.ada.get(CHANGES))["data"] == [now]
    events = [it for it in await gateway.ada.events() if it["data"]["id"] == change["id"]]
    assert [it["type"].partition(".")[2] for it in events] == [
        *("change_requested", "change_approved", "change_effective")
    ]
    assert [it["data"] for it in events] == [change, approved, now]


async def test_payouts_go_to_what_is_effective(memory_gateway: Gateway) -> None:
    gateway = memory_gateway
    paid_to = []
    for _ in range(2):
        intent = await gateway.held()
        path = f"/v1/payment_intents/{intent['id']}/escrow/release"
        told(await gateway.ada.http.post(path), 202)
        await gateway.send()
        [settlement] = await gateway.services.settlements().run()
        payout = await gateway.ada.get(f"/v1/payouts/{settlement.payout_id}")
        paid_to.append(payout["destination"])
        change = await requested(gateway) if len(paid_to) == 1 else None
        if change is not None:
            async with await client(gateway, Scope.PAYOUT_DESTINATIONS_APPROVE) as owner:
                told(await owner.post(f"{CHANGES}/{change['id']}/approve"), 200)
            await cooled_down(gateway)
            # What is in flight keeps the destination with which it was made.
            again = await gateway.ada.get(f"/v1/payouts/{settlement.payout_id}")
            assert again["destination"] == OLD
    assert paid_to == [OLD, NEW]


async def test_the_key_that_asked_approves_nothing_not_even_with_everything(
    gateway: Gateway,
) -> None:
    change = await requested(gateway)
    path = f"{CHANGES}/{change['id']}/approve"
    assert refusal(await gateway.ada.http.post(path)) == (403, "not-independent")

    wanted = {"name": "mine", "scopes": ["*"]}
    made = told(await gateway.ada.http.post("/v1/api_keys", json=wanted), 201)
    headers = {"Authorization": f"Bearer {made['key']}"}
    async with client_of(gateway.app, gateway.document, headers=headers) as child:
        assert refusal(await child.post(path)) == (403, "not-independent")
    assert await gateway.ada.get(f"{CHANGES}/{change['id']}") == change


@pytest.mark.parametrize("decision", ["approve", "refuse", "cancel"])
async def test_a_decision_that_is_sent_again_is_answered_as_before(
    memory_gateway: Gateway, decision: str
) -> None:
    gateway = memory_gateway
    path = f"{CHANGES}/{(await requested(gateway))['id']}/{decision}"
    scopes = (Scope.PAYOUT_DESTINATIONS_APPROVE, Scope.PAYOUT_DESTINATIONS_WRITE)
    async with await client(gateway, *scopes) as owner:
        decided = told(await owner.post(path, headers={"Idempotency-Key": "d-1"}), 200)
        again = await owner.post(path, headers={"Idempotency-Key": "d-1"})
        assert told(again, 200) == decided
        assert again.headers["Idempotent-Replayed"] == "true"
        other = await owner.post(path, headers={"Idempotency-Key": "d-2"})
        assert refusal(other) == (409, "change-state")

    events = [it["type"] for it in await gateway.ada.events()]
    assert len([it for it in events if it.startswith("payout_destination.change_")]) == 2


async def test_a_change_is_canceled_or_refused(gateway: Gateway) -> None:
    change = await requested(gateway)
    assert refusal(await ask(gateway.ada.http, OLD + "0"))[0] == 422
    other = address_of("another")
    assert refusal(await ask(gateway.ada.http, other)) == (409, "change-under-way")
    path = f"{CHANGES}/{change['id']}/cancel"
    canceled = told(await gateway.ada.http.post(path, json={"reason": "mistyped"}), 200)
    assert (canceled["state"], canceled["reason"]) == ("canceled", "mistyped")
    again = await gateway.ada.http.post(path)
    assert refusal(again) == (409, "change-state")
    assert (again.json()["state"], again.json()["wanted"]) == ("canceled", "canceled")

    change = await requested(gateway)
    async with await client(gateway, Scope.PAYOUT_DESTINATIONS_APPROVE) as owner:
        refused = told(await owner.post(f"{CHANGES}/{change['id']}/refuse"), 200)
    assert refused["state"] == "refused"
    [shown] = (await gateway.ada.get(DESTINATIONS))["data"]
    assert (shown["address"], shown["change"]) == (OLD, None)


async def test_one_idempotency_key_asks_once(gateway: Gateway) -> None:
    key = {"Idempotency-Key": "once"}
    first = told(await ask(gateway.ada.http, **key), 201)
    again = await ask(gateway.ada.http, **key)
    assert told(again, 201) == first
    assert again.headers["idempotent-replayed"] == "true"
    other = await ask(gateway.ada.http, address_of("another"), **key)
    assert refusal(other) == (422, "idempotency-key-reused")
    assert len((await gateway.ada.get(CHANGES))["data"]) == 1


async def test_a_checksum_is_looked_at(memory_gateway: Gateway) -> None:
    written = to_checksum_address(NEW)
    change = told(await ask(memory_gateway.ada.http, written), 201)
    assert change["address"] == NEW
    path = f"{CHANGES}/{change['id']}/cancel"
    told(await memory_gateway.ada.http.post(path), 200)
    mistyped = await ask(memory_gateway.ada.http, written.swapcase().replace("X", "x"))
    assert refusal(mistyped) == (422, "address-refused")
    assert "checksum" in mistyped.json()["detail"]


async def test_a_first_destination_of_a_test_account_counts_at_once(gateway: Gateway) -> None:
    body = {"chain": MAINNET, "address": NEW}
    change = told(await gateway.ada.http.post(DESTINATIONS, json=body), 201)
    assert change["replaces"] is None
    async with await client(gateway, Scope.PAYOUT_DESTINATIONS_APPROVE) as owner:
        approved = told(await owner.post(f"{CHANGES}/{change['id']}/approve"), 200)
    assert approved["state"] == "effective"
    shown = (await gateway.ada.get(DESTINATIONS))["data"]
    assert [(it["chain"], it["address"]) for it in shown] == [(MAINNET, NEW), (CHAIN, OLD)]


@pytest.mark.parametrize(
    ("body", "answer"),
    [
        ({"address": "0x" + "0" * 40}, (422, "address-refused")),
        ({"address": "nowhere"}, (422, "address-refused")),
        ({"address": HOT_WALLET}, (422, "own-address")),
        ({"address": OLD}, (409, "already-there")),
        ({"chain": "eip155:5"}, (422, "chain-not-served")),
        ({"address": ""}, (422, "invalid-request")),
    ],
)
async def test_what_cannot_be_a_destination(
    memory_gateway: Gateway, body: Json, answer: tuple[int, str]
) -> None:
    wanted = {"chain": CHAIN, "address": NEW, **body}
    response = await memory_gateway.ada.http.post(DESTINATIONS, json=wanted)
    assert refusal(response) == answer
    assert (await memory_gateway.ada.get(CHANGES))["data"] == []
