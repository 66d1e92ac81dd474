"""Who did what: every operation of the document that changes something leaves an entry."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from config.deployments.testing import ClosableStorage
from domain.audit.model import Outcome, Wanted
from domain.merchants.scopes import Scope
from domain.shared.actors import ActorKind
from domain.shared.visibility import seeing_all
from tests.builders import USDT
from tests.entrypoints.http.gateway import price, refusal, told
from tests.entrypoints.http.test_security import (
    HERE,
    Caller,
    guarded,
    key_of,
    objects_of_ada,
    operations,
)

if TYPE_CHECKING:
    from domain.audit.model import Entry
    from tests.entrypoints.http.gateway import Gateway

NOBODY = "sy_live_" + "0" * 38
"""As long as a key, and none."""


async def recorded(gateway: Gateway, wanted: Wanted = Wanted()) -> list[Entry]:  # noqa: B008 (frozen)
    """Return what the log has, what was gathered included; newest first."""
    with seeing_all():
        await gateway.api.audit.flush()
        return [it.entry for it in await gateway.api.audit.page(wanted, limit=10_000)]


async def by_request(gateway: Gateway) -> dict[str | None, list[Entry]]:
    found: dict[str | None, list[Entry]] = {}
    for entry in await recorded(gateway):
        found.setdefault(entry.request_id, []).append(entry)
    return found


@pytest.fixture
async def objects(memory_gateway: Gateway) -> dict[str, str]:
    return await objects_of_ada(memory_gateway)


async def test_every_write_leaves_an_entry(
    memory_gateway: Gateway, objects: dict[str, str]
) -> None:
    gateway = memory_gateway
    key_id, key = await key_of(gateway)
    caller = Caller(gateway, objects, key)
    answers: dict[str, int] = {}
    for operation in operations(gateway):
        if operation.method != "GET":
            request_id = operation.name[:64]
            response = await caller.call(operation, **{"X-Request-Id": request_id})
            answers[request_id] = response.status_code
    entries = await by_request(gateway)

    for operation in operations(gateway):
        request_id = operation.name[:64]
        if operation.method == "GET":
            assert request_id not in entries
            continue
        assert request_id in entries, f"{operation.name} {answers[request_id]} leaves no entry"
        [entry] = entries[request_id]
        assert entry.action == f"{operation.method} {operation.path}"
        assert (entry.actor, entry.actor_id) == (ActorKind.KEY, key_id)
        assert (entry.merchant_id, entry.address) == (gateway.ada.merchant.id, HERE)
        done = answers[request_id] < 400
        assert entry.outcome is (Outcome.DONE if done else Outcome.REFUSED), operation.name
        assert entry.status == (None if done else answers[request_id])
        assert done or entry.problem, operation.name
        assert {objects[name] for name in operation.parameters if name in objects} <= {
            *entry.objects
        }, operation.name
    assert min(answers.values()) < 300


@pytest.mark.parametrize("known", [False, True], ids=["nobody", "without the scope"])
async def test_everybody_who_is_turned_away_leaves_an_entry(
    memory_gateway: Gateway, objects: dict[str, str], *, known: bool
) -> None:
    gateway = memory_gateway
    key_id, key = await key_of(gateway, scopes=[]) if known else (None, None)
    caller = Caller(gateway, objects, key)
    statuses = {
        (each.method, each.path): (await caller.call(each)).status_code
        for each in guarded(gateway)
    }
    entries = [entry for entry in await recorded(gateway) if entry.outcome is Outcome.REFUSED]
    assert set(statuses.values()) == {403 if known else 401}
    found = {entry.action: entry for entry in entries}
    assert set(found) == {f"{method} {path}" for method, path in statuses}
    for entry in entries:
        assert (entry.status, entry.actor_id, entry.address) == (
            403 if known else 401,
            key_id,
            HERE,
        )
        assert entry.problem == ("insufficient-scope" if known else "unauthenticated")


async def test_a_merchants_reading_is_not_recorded(
    memory_gateway: Gateway, objects: dict[str, str]
) -> None:
    before = len(await recorded(memory_gateway))
    ada = Caller(memory_gateway, objects, memory_gateway.ada.key)
    for operation in operations(memory_gateway):
        if operation.method == "GET":
            assert (await ada.call(operation)).status_code == 200
    missing = await memory_gateway.ada.http.get("/v1/payment_intents/pi_none")
    assert refusal(missing) == (404, "not-found")
    assert len(await recorded(memory_gateway)) == before


async def test_an_answer_told_again_is_not_recorded_again(gateway: Gateway) -> None:
    body = {"method": "escrow", "price": price(1), "asset": USDT.id}
    headers = {"Idempotency-Key": "once"}
    first, again = [
        await gateway.ada.http.post("/v1/payment_intents", json=body, headers=headers)
        for _ in range(2)
    ]
    assert again.headers["Idempotent-Replayed"] == "true"

    [entry] = await recorded(gateway)
    assert entry.request_id == first.headers["X-Request-Id"]
    assert first.json()["id"] in entry.objects
    other = {**body, "price": price(2)}
    await gateway.ada.http.post("/v1/payment_intents", json=other, headers=headers)
    newest = (await recorded(gateway))[0]
    assert (newest.outcome, newest.problem) == (Outcome.REFUSED, "idempotency-key-reused")


async def test_a_merchant_sees_the_entries_of_the_account(gateway: Gateway) -> None:
    mine = [await gateway.ada.intent() for _ in range(3)]
    theirs = await gateway.bob.intent()
    page = await gateway.ada.get("/v1/audit_log", limit=2)
    assert [entry["merchant"] for entry in page["data"]] == [gateway.ada.merchant.id] * 2
    rest = await gateway.ada.get("/v1/audit_log", limit=2, cursor=page["next_cursor"])
    found = [id for entry in page["data"] + rest["data"] for id in entry["objects"]]
    assert {intent["id"] for intent in mine} <= {*found}
    assert theirs["id"] not in found

    [entry] = (await gateway.ada.get("/v1/audit_log", object=mine[0]["id"]))["data"]
    assert entry["action"] == "POST /v1/payment_intents"
    assert (entry["outcome"], entry["status"], entry["times"]) == ("done", None, 1)
    for wanted in (
        {"object": theirs["id"]},
        {"actor": "key_none"},
        {"action": "POST /v1/quotes"},
        {"since": "2100-01-01T00:00:00Z"},
        {"until": "2000-01-01T00:00:00Z"},
    ):
        assert (await gateway.ada.get("/v1/audit_log", **wanted))["data"] == []
    kept = {"actor": entry["actor"]["id"], "action": entry["action"], "since": entry["at"]}
    assert len((await gateway.ada.get("/v1/audit_log", **kept))["data"]) >= 1


async def test_nobody_fills_the_log(memory_gateway: Gateway) -> None:
    client = memory_gateway.ada.http
    for number in range(50):
        headers = {"Authorization": f"Bearer {NOBODY}{number}"}
        assert (await client.get("/v1/balances", headers=headers)).status_code == 401
        assert (await client.post("/v1/nothing/here", headers=headers)).status_code == 404
    [entry] = await recorded(memory_gateway)
    assert (entry.action, entry.status, entry.times) == ("GET /v1/balances", 401, 50)


async def test_a_write_that_fails_on_our_side_is_recorded_later(
    memory_gateway: Gateway,
) -> None:
    await memory_gateway.ada.intent()
    assert isinstance(memory_gateway.storage, ClosableStorage)
    memory_gateway.storage.store.fail_next_commit()
    body = {"url": "https://ada.example/hooks"}
    response = await memory_gateway.ada.http.post("/v1/webhook_endpoints", json=body)
    assert response.status_code == 503
    [entry] = [it for it in await recorded(memory_gateway) if it.outcome is Outcome.FAILED]
    assert (entry.status, entry.problem) == (503, "storage-unavailable")
    assert entry.request_id == response.headers["X-Request-Id"]


async def test_no_secret_is_in_the_log(memory_gateway: Gateway) -> None:
    gateway, ada = memory_gateway, memory_gateway.ada
    key = {"name": "till", "scopes": [Scope.EVERYTHING]}
    made = told(await ada.http.post("/v1/api_keys", json=key), 201)
    url = {"url": "https://ada.example/x"}
    hook = told(await ada.http.post("/v1/webhook_endpoints", json=url), 201)
    secrets = [ada.key, made["key"], hook["secret"], "ada.example", "till", "sesame"]
    await ada.http.post(f"/v1/api_keys/{made['key']}/revoke")
    await ada.http.request("DELETE", f"/v1/api_keys/{made['key']}")
    await ada.http.post("/v1/payment_intents/open-sesame/cancel")
    await ada.http.post("/v1/payment_intents", content=b'{"open": "sesame"}')
    for header in (f"Bearer {ada.key}x", "Basic sesame", "Bearer sesame", f"Bearer {NOBODY}"):
        await ada.http.get("/v1/balances", headers={"Authorization": header})
    await gateway.services.merchants().revoke_key(key_id=made["id"], owner=ada.merchant.id)
    gateway.clock.advance(seconds=10)
    tried = {"Authorization": f"Bearer {made['key']}"}
    assert (await ada.http.get("/v1/balances", headers=tried)).status_code == 401

    entries = await recorded(gateway)
    text = repr([attrs.asdict(entry) for entry in entries])
    assert [secret for secret in secrets if secret in text] == []
    [shown] = {entry.detail for entry in entries if entry.detail}
    assert shown.startswith(made["key"][:12])
    assert len(shown) < 20
