"""Who may not in, at every operation of the document: none can be forgotten, whoever adds one.

What an operation needs to be called is made up from its schemas; what it is about is an object of
Ada's. A path parameter that is not in ``objects_of_ada`` fails the tests until it is.
"""

from __future__ import annotations

import ipaddress
import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest
from httpx2 import ASGITransport, AsyncClient
from starlette.routing import Route

from domain.merchants.scopes import Scope
from tests.builders import CHAIN, address_of, usdt
from tests.entrypoints.http.gateway import Gateway, Json, refusal, told

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from httpx2 import Response

    from domain.merchants.model import Network
    from domain.shared.ids import KeyId

HERE, THERE = "192.0.2.1", "198.51.100.1"
BESIDE_THE_API = {
    *("/healthz", "/readyz", "/openapi.json", "/docs", "/docs/style.css", "/docs/try.js"),
    *("/docs/problems", "/docs/problems/{slug}", "/problems/{slug}"),
}
"""Routes that are in no document and need no key."""
ENDLESS = {"/v1/stream": "events:read"}
"""Routes that need a key and are in no document, because they never end; with their scopes."""
QUERY = {"chain": CHAIN}
"""What queries need to say."""
NOBODYS = {"chain": CHAIN}
"""What paths name that belongs to nobody."""
PUBLIC: set[str] = set()
"""Operations that need no key, by their names."""
WITHOUT_OWNER = {"sandboxorders_reorg"}
"""Operations on what belongs to nobody, by their names."""


@attrs.frozen
class Operation:
    """One operation of the document."""

    method: str
    path: str
    described: Json

    @property
    def name(self) -> str:
        name: str = self.described["operationId"]
        return name

    @property
    def scope(self) -> str:
        scope: str = self.described["x-required-scope"]
        return scope

    @property
    def parameters(self) -> list[str]:
        return re.findall(r"\{([a-z_]+)\}", self.path)


def operations(gateway: Gateway) -> Iterator[Operation]:
    """Return every operation that needs a key."""
    for path, by_method in gateway.document.content["paths"].items():
        for method, described in by_method.items():
            if described["operationId"] not in PUBLIC:
                yield Operation(method.upper(), path, described)


def guarded(gateway: Gateway) -> Iterator[Operation]:
    """Return every operation that needs a key, those that never end as well."""
    yield from operations(gateway)
    for path, scope in ENDLESS.items():
        described = {"operationId": path, "x-required-scope": scope, "parameters": []}
        yield Operation("GET", path, described)


@attrs.frozen
class Caller:
    """Somebody who calls every operation in turn."""

    gateway: Gateway
    objects: dict[str, str]
    key: str | None
    address: str = HERE

    async def call(self, operation: Operation, **headers: str) -> Response:
        """Call an operation, about Ada's objects, with a body as the schema wants it."""
        if self.key is not None:
            headers["Authorization"] = f"Bearer {self.key}"
        body = operation.described.get("requestBody")
        content = body and sample(
            body["content"]["application/json"]["schema"], self.gateway.document.content
        )
        query = {}
        for parameter in operation.described["parameters"]:
            if "$ref" in parameter:
                continue  # What is common to all operations may be left out.
            if parameter["in"] == "header" and parameter["required"]:
                headers[parameter["name"]] = f"once-{operation.name}"
            if parameter["in"] == "query" and parameter["required"]:
                query[parameter["name"]] = QUERY[parameter["name"]]
        transport = ASGITransport(self.gateway.app, client=(self.address, 4000))
        async with AsyncClient(transport=transport, base_url="http://api.example") as client:
            path = operation.path.format(**NOBODYS, **self.objects)
            return await client.request(
                operation.method, path, params=query, json=content, headers=headers
            )


def sample(schema: Json, document: Json) -> Any:  # noqa: ANN401 (JSON)
    """Return a value that a schema allows."""
    if "$ref" in schema:
        part: Any = document
        for step in schema["$ref"].removeprefix("#/").split("/"):
            part = part[step]
        return sample(part, document)
    if "anyOf" in schema:
        return sample(schema["anyOf"][0], document)
    given = schema.get("examples") or schema.get("enum")
    return given[0] if given else _sample_of_type(schema, document)


def _sample_of_type(schema: Json, document: Json) -> Any:  # noqa: ANN401 (JSON)
    match schema["type"]:
        case "object":
            required = schema.get("required", ())
            return {name: sample(schema["properties"][name], document) for name in required}
        case "array":
            return [sample(schema["items"], document)] * schema.get("minItems", 0)
        case "integer":
            return schema.get("minimum", 0)
        case "string":
            return "1" * max(1, schema.get("minLength", 0))
    raise AssertionError(f"nothing is known that fits {schema}")


async def objects_of_ada(gateway: Gateway) -> dict[str, str]:
    """Let Ada have one of everything; return their names by path parameter."""
    ada = gateway.ada
    intent = await gateway.held()
    path = f"/v1/payment_intents/{intent['id']}/escrow/release"
    told(await ada.http.post(path), 202)
    await gateway.send()
    await gateway.services.settlements().run()
    [settlement] = (await ada.get("/v1/settlements"))["data"]
    [key] = (await ada.get("/v1/api_keys"))["data"]
    event = (await ada.events())[0]
    found = {
        "intent": (await gateway.held())["id"],
        "payout": settlement["payout"],
        "settlement": settlement["id"],
        "key": key["id"],
        "event": event["id"],
    }
    customer = {"customer": "user-1", "chain": CHAIN}
    address = told(await ada.http.post("/v1/customer_addresses", json=customer), 200)
    gateway.chain.fund(address["address"], usdt(5))
    await gateway.watch()
    [deposit] = (await ada.get("/v1/deposits"))["data"]
    found |= {"customer_address": address["id"], "deposit": deposit["id"]}
    url = {"url": "https://ada.example/hooks"}
    endpoint = told(await ada.http.post("/v1/webhook_endpoints", json=url), 201)
    found["endpoint"] = endpoint["id"]
    till = {"chain": CHAIN, "address": address_of("new till")}
    change = told(await ada.http.post("/v1/payout_destinations", json=till), 201)
    found["destination_change"] = change["id"]
    await ada.intent()
    await gateway.services.webhooks().hand_over()
    found["delivery"] = (await ada.get("/v1/webhook_deliveries"))["data"][0]["id"]
    ordered = await ada.http.post("/v1/test_helpers/clock/advance", json={"seconds": 1})
    return found | {"order": told(ordered, 202)["id"]}


@pytest.fixture
async def objects(memory_gateway: Gateway) -> dict[str, str]:
    return await objects_of_ada(memory_gateway)


async def key_of(
    gateway: Gateway,
    *,
    scopes: Collection[Scope] = (Scope.EVERYTHING,),
    networks: Collection[Network] = (),
    lives: timedelta | None = None,
) -> tuple[KeyId, str]:
    """Give Ada another key."""
    issued = await gateway.services.merchants().create_key(
        merchant_id=gateway.ada.merchant.id,
        scopes=scopes,
        networks=networks,
        expires_at=gateway.clock.now() + lives if lives else None,
    )
    return issued.key.id, issued.text


async def refusals(caller: Caller) -> dict[str, tuple[int, str]]:
    """Return how each operation refuses somebody."""
    gateway = caller.gateway
    before = await gateway.everything()
    found = {each.name: refusal(await caller.call(each)) for each in guarded(gateway)}
    assert await gateway.everything() == before
    assert len(found) > 20
    return found


async def test_every_route_is_in_the_document(memory_gateway: Gateway) -> None:
    routes = {route.path for route in memory_gateway.app.routes if isinstance(route, Route)}
    assert len(routes) == len(memory_gateway.app.routes)
    outside = routes - set(memory_gateway.document.content["paths"])
    assert outside == BESIDE_THE_API | set(ENDLESS)


async def test_every_operation_names_its_scope(memory_gateway: Gateway) -> None:
    for operation in operations(memory_gateway):
        assert operation.scope in {*Scope} - {Scope.EVERYTHING}, operation.name
        assert operation.described["security"] == [{"apiKey": [operation.scope]}]
        changes = operation.scope.endswith((":write", ":approve"))
        assert operation.method == "GET" or changes, operation.name


async def test_without_a_key(memory_gateway: Gateway, objects: dict[str, str]) -> None:
    found = await refusals(Caller(memory_gateway, objects, None))
    assert set(found.values()) == {(401, "unauthenticated")}


async def test_with_a_key_that_has_expired(
    memory_gateway: Gateway, objects: dict[str, str]
) -> None:
    _, key = await key_of(memory_gateway, lives=timedelta(seconds=2))
    caller = Caller(memory_gateway, objects, key)
    [first, *_] = operations(memory_gateway)
    assert (await caller.call(first)).status_code != 401
    memory_gateway.clock.advance(seconds=2)
    assert set((await refusals(caller)).values()) == {(401, "unauthenticated")}


async def test_with_a_key_that_was_revoked(
    memory_gateway: Gateway, objects: dict[str, str]
) -> None:
    key_id, key = await key_of(memory_gateway)
    caller = Caller(memory_gateway, objects, key)
    [first, *_] = operations(memory_gateway)
    assert (await caller.call(first)).status_code != 401
    # Another process does it, so that this one may believe what it knows for five seconds.
    elsewhere = memory_gateway.services.merchants()
    await elsewhere.revoke_key(key_id=key_id, owner=memory_gateway.ada.merchant.id)
    memory_gateway.clock.advance(seconds=5)
    assert set((await refusals(caller)).values()) == {(401, "unauthenticated")}


async def test_from_an_address_that_is_not_allowed(
    memory_gateway: Gateway, objects: dict[str, str]
) -> None:
    _, key = await key_of(memory_gateway, networks=[ipaddress.ip_network(f"{HERE}/32")])
    found = await refusals(Caller(memory_gateway, objects, key, address=THERE))
    assert set(found.values()) == {(403, "address-not-allowed")}
    # Nobody is a proxy of ours, so that nobody's word counts for who calls.
    [first, *_] = operations(memory_gateway)
    told_by = {"X-Forwarded-For": HERE, "Forwarded": f"for={HERE}"}
    caller = Caller(memory_gateway, objects, key, address=THERE)
    assert refusal(await caller.call(first, **told_by)) == (403, "address-not-allowed")
    assert (await Caller(memory_gateway, objects, key).call(first)).status_code < 400


async def test_with_every_scope_but_the_one_that_is_needed(
    memory_gateway: Gateway, objects: dict[str, str]
) -> None:
    gateway = memory_gateway
    before = await gateway.everything()
    for operation in guarded(gateway):
        others = {*Scope} - {Scope.EVERYTHING, Scope(operation.scope)}
        _, key = await key_of(gateway, scopes=others)
        response = await Caller(gateway, objects, key).call(operation)
        assert refusal(response) == (403, "insufficient-scope"), operation.name
        assert response.json()["scope"] == operation.scope
        challenge = f'Bearer error="insufficient_scope", scope="{operation.scope}"'
        assert response.headers["www-authenticate"] == challenge
    assert await gateway.everything() == before


async def test_the_scope_that_is_needed_is_enough(
    memory_gateway: Gateway, objects: dict[str, str]
) -> None:
    for operation in operations(memory_gateway):
        _, key = await key_of(memory_gateway, scopes=[Scope(operation.scope)])
        response = await Caller(memory_gateway, objects, key).call(operation)
        if response.status_code in {401, 403}:
            assert refusal(response) == (403, "not-held"), operation.name


async def test_of_another_merchant_nothing_is_told(
    memory_gateway: Gateway, objects: dict[str, str]
) -> None:
    gateway = memory_gateway
    bob = Caller(gateway, objects, gateway.bob.key)
    before = await gateway.everything()
    for operation in operations(gateway):
        known = {*objects, *NOBODYS}
        assert set(operation.parameters) <= known, f"Ada needs one: {operation.path}"
        if operation.parameters and operation.name not in WITHOUT_OWNER:
            assert refusal(await bob.call(operation)) == (404, "not-found"), operation.name
        elif operation.method == "GET":
            text = (await bob.call(operation)).text
            assert [each for each in objects.values() if each in text] == [], operation.name
    assert await gateway.everything() == before


async def test_of_ones_own_everything_is_told(
    memory_gateway: Gateway, objects: dict[str, str]
) -> None:
    # Or the test before would find nothing because there is nothing.
    ada = Caller(memory_gateway, objects, memory_gateway.ada.key)
    for operation in operations(memory_gateway):
        if operation.method == "GET":
            response = await ada.call(operation)
            assert response.status_code == 200, f"{operation.name} {response.text}"
