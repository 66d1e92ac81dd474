"""API keys through the API: told once, limited, replaced, revoked, and what they were used for."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.limits.model import Kind, Quota
from domain.limits.service import LimitService
from domain.shared.visibility import seeing_all
from entrypoints.http.app import create_app
from tests.entrypoints.http.gateway import SETTINGS, client_of, refusal, told

if TYPE_CHECKING:
    from httpx2 import AsyncClient

    from tests.entrypoints.http.gateway import Gateway, Json

KEYS = "/v1/api_keys"
TILL: Json = {"name": "till", "scopes": ["payment_intents:read", "keys:read"]}


async def made(gateway: Gateway, **changes: Any) -> Json:  # noqa: ANN401 (JSON)
    return told(await gateway.ada.http.post(KEYS, json={**TILL, **changes}), 201)


def client(gateway: Gateway, key: str) -> AsyncClient:
    headers = {"Authorization": f"Bearer {key}"}
    return client_of(gateway.app, gateway.document, headers=headers)


async def test_a_key_is_told_once(gateway: Gateway) -> None:
    before = gateway.clock.now()
    key = await made(gateway, networks=["192.0.2.0/24", "2001:db8::/32"])
    text = key.pop("key")

    assert text.startswith("sy_test_")
    assert key == {
        **TILL,
        "id": key["id"],
        "object": "api_key",
        "masked": f"sy_test_{text[8:12]}…{text[-4:]}",
        "mode": "test",
        "scopes": ["keys:read", "payment_intents:read"],
        "networks": ["192.0.2.0/24", "2001:db8::/32"],
        "active": True,
        "created_at": f"{before:%Y-%m-%dT%H:%M:%S}.000000Z",
        "expires_at": None,
        "revoked_at": None,
        "last_used_at": None,
    }
    listed = await gateway.ada.get(KEYS)
    assert key in listed["data"]
    assert len(listed["data"]) == 2
    assert text not in str(listed)


async def test_a_key_opens_what_its_scopes_say(gateway: Gateway) -> None:
    async with client(gateway, (await made(gateway))["key"]) as till:
        assert (await till.get("/v1/payment_intents")).status_code == 200
        assert refusal(await till.get("/v1/balances")) == (403, "insufficient-scope")
        assert refusal(await till.post(KEYS, json=TILL)) == (403, "insufficient-scope")


async def test_a_name_that_is_taken(gateway: Gateway) -> None:
    await made(gateway)
    again = await gateway.ada.http.post(KEYS, json=TILL)
    assert refusal(again) == (409, "key-name-taken")
    assert again.json()["name"] == "till"


async def test_a_key_gives_out_no_more_than_it_has(gateway: Gateway) -> None:
    giver = await made(gateway, scopes=["keys:write", "events:read"])
    async with client(gateway, giver["key"]) as limited:
        wider = await limited.post(KEYS, json={"name": "w", "scopes": ["*", "events:read"]})
        assert refusal(wider) == (403, "not-held")
        assert wider.json()["scopes"] == ["*"]
        [everything] = [
            key["id"] for key in (await gateway.ada.get(KEYS))["data"] if key["scopes"] == ["*"]
        ]
        regenerated = await limited.post(f"{KEYS}/{everything}/regenerate")
        assert refusal(regenerated) == (403, "not-held")
        told(await limited.post(KEYS, json={"name": "n", "scopes": ["events:read"]}), 201)


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"networks": ["192.0.2.1/24"]}, "malformed-network"),
        ({"networks": ["1.2.3"]}, "malformed-network"),
        ({"expires_at": "2020-01-01T00:00:00Z"}, "expiry-out-of-range"),
        ({"expires_at": "9999-12-31T23:59:59Z"}, "expiry-out-of-range"),
        ({"scopes": ["everything"]}, "invalid-request"),
        ({"scopes": []}, "invalid-request"),
        ({"name": ""}, "invalid-request"),
    ],
)
async def test_a_key_that_makes_no_sense(memory_gateway: Gateway, changes: Json, why: str) -> None:
    response = await memory_gateway.ada.http.post(KEYS, json={**TILL, **changes})
    assert refusal(response) in {(422, why), (400, why)}


async def test_a_key_is_replaced_with_an_overlap(gateway: Gateway) -> None:
    old = await made(gateway)
    path = f"{KEYS}/{old['id']}/regenerate"
    new = told(await gateway.ada.http.post(path, json={"overlap_seconds": 60}), 201)
    assert (new["name"], new["scopes"]) == (old["name"], old["scopes"])
    assert new["id"] != old["id"]
    assert refusal(await gateway.ada.http.post(path)) == (409, "rotation-under-way")

    async with client(gateway, old["key"]) as with_old, client(gateway, new["key"]) as with_new:
        for http in (with_old, with_new):
            assert (await http.get(KEYS)).status_code == 200
        gateway.clock.advance(seconds=60)
        assert refusal(await with_old.get(KEYS)) == (401, "unauthenticated")
        assert (await with_new.get(KEYS)).status_code == 200
    assert refusal(await gateway.ada.http.post(path)) == (409, "key-ended")


async def test_a_key_is_made_and_replaced_once_for_an_idempotency_key(gateway: Gateway) -> None:
    async def twice(path: str, key: str, body: Json | None) -> Json:
        headers = {"Idempotency-Key": key}
        first = told(await gateway.ada.http.post(path, json=body, headers=headers), 201)
        again = await gateway.ada.http.post(path, json=body, headers=headers)
        assert told(again, 201) == first
        assert again.headers["Idempotent-Replayed"] == "true"
        return first

    first = await twice(KEYS, "till-1", TILL)
    second = await twice(f"{KEYS}/{first['id']}/regenerate", "till-2", None)

    named = [key for key in (await gateway.ada.get(KEYS))["data"] if key["name"] == "till"]
    assert {key["id"] for key in named} == {first["id"], second["id"]}
    async with client(gateway, second["key"]) as till:
        told(await till.get(KEYS), 200)


async def test_who_asks_again_must_hold_what_the_text_allows(memory_gateway: Gateway) -> None:
    """An idempotency key is no secret: it must not lead a lesser key to a greater one's text."""
    gateway, headers = memory_gateway, {"Idempotency-Key": "till-1"}
    lesser = await made(gateway, name="lesser", scopes=["keys:write"])
    greater = told(await gateway.ada.http.post(KEYS, json=TILL, headers=headers), 201)
    replace = f"{KEYS}/{greater['id']}/regenerate"
    told(await gateway.ada.http.post(replace, headers={"Idempotency-Key": "till-2"}), 201)

    async with client(gateway, lesser["key"]) as other:
        answer = await other.post(KEYS, json=TILL, headers=headers)
        assert refusal(answer) == (403, "not-held")
        answer = await other.post(replace, headers={"Idempotency-Key": "till-2"})
        assert refusal(answer) == (403, "not-held")


async def test_a_key_is_revoked(gateway: Gateway) -> None:
    key = await made(gateway)
    async with client(gateway, key["key"]) as till:
        assert (await till.get(KEYS)).status_code == 200
        revoked = told(await gateway.ada.http.delete(f"{KEYS}/{key['id']}"), 200)
        assert not revoked["active"]
        assert refusal(await till.get(KEYS)) == (401, "unauthenticated")


async def test_what_a_key_was_used_for(gateway: Gateway) -> None:
    key = await made(gateway)
    async with client(gateway, key["key"]) as till:
        for path in (KEYS, KEYS, "/v1/payment_intents/pi_none", "/v1/balances"):
            await till.get(path)
        with seeing_all():
            await gateway.api.usage.flush()
        shown = told(await till.get(f"{KEYS}/{key['id']}/usage"), 200)
    day = f"{gateway.clock.now():%Y-%m-%d}"
    assert shown["data"] == [
        {"day": day, "status_class": "2xx", "requests": 2},
        {"day": day, "status_class": "4xx", "requests": 2},
    ]
    [listed] = [it for it in (await gateway.ada.get(KEYS))["data"] if it["id"] == key["id"]]
    assert listed["last_used_at"] is not None


async def test_a_request_too_many_is_told_when_to_come_again(memory_gateway: Gateway) -> None:
    gateway = memory_gateway
    limits = LimitService(
        begin=gateway.storage.begin,
        clock=gateway.clock,
        quotas={kind: Quota(requests=2, window_seconds=10) for kind in Kind},
        at_once=1,
    )
    gateway.clock.advance(seconds=3)
    app = create_app(attrs.evolve(gateway.api, limits=limits))
    headers = {"Authorization": f"Bearer {gateway.ada.key}"}
    async with client_of(app, gateway.document, headers=headers) as http:
        first = await http.get("/v1/balances")
        assert first.headers["ratelimit-policy"] == '"read";q=2;w=10'
        assert first.headers["ratelimit"] == '"read";r=1;t=7'
        missing = await http.get("/v1/payment_intents/pi_none")
        assert (missing.status_code, missing.headers["ratelimit"]) == (404, '"read";r=0;t=7')
        refused = await http.get("/v1/balances")
        assert refusal(refused) == (429, "rate-limited")
        assert refused.headers["retry-after"] == "7"
        assert refused.headers["ratelimit"] == '"read";r=0;t=7'
        assert refused.json()["policy"] == "read"
        assert (await http.post("/v1/quotes", json={})).status_code == 422
        gateway.clock.advance(seconds=7)
        assert (await http.get("/v1/balances")).status_code == 200


async def test_a_request_too_many_at_a_time_is_refused(memory_gateway: Gateway) -> None:
    gateway = memory_gateway
    limits = LimitService(
        begin=gateway.storage.begin,
        clock=gateway.clock,
        quotas=SETTINGS.limits.quotas,
        at_once=1,
    )
    app = create_app(attrs.evolve(gateway.api, limits=limits))
    headers = {"Authorization": f"Bearer {gateway.ada.key}"}
    [key] = (await gateway.ada.get(KEYS))["data"]
    async with client_of(app, gateway.document, headers=headers) as http:
        # A refused request gives its place back, as one that was answered does.
        for path in ("/v1/balances", "/v1/payment_intents/pi_none", "/v1/balances"):
            assert (await http.get(path)).status_code in {200, 404}
        limits.enter(key["id"])
        refused = await http.get("/v1/balances")
        assert refusal(refused) == (429, "too-many-at-once")
        assert refused.headers["retry-after"] == "1"
        limits.leave(key["id"])
        assert (await http.get("/v1/balances")).status_code == 200


async def test_what_was_counted_is_stored_at_the_end(memory_gateway: Gateway) -> None:
    gateway = memory_gateway
    app = create_app(attrs.evolve(gateway.api, resources=[]))
    headers = {"Authorization": f"Bearer {gateway.ada.key}"}
    async with (
        app.router.lifespan_context(app),
        client_of(app, gateway.document, headers=headers) as http,
    ):
        assert (await http.get("/v1/balances")).status_code == 200
    async with gateway.storage.begin() as work:
        [key] = await work.merchants.keys(owner=gateway.ada.merchant.id, limit=9)
        since = (gateway.clock.now() - timedelta(days=1)).date()
        [counted] = await work.key_usage.days(key.id, since=since)
    assert (counted.status_class, counted.count) == (2, 1)
