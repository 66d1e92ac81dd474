"""What is refused, with what words, and that nothing is left of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from domain.intents.prices import PRICE_MAX
from entrypoints.http.request import BODY_BYTES_MAX
from tests.builders import USDT
from tests.entrypoints.http.bad_requests import EVERYTHING, INTENTS, body
from tests.entrypoints.http.gateway import price, refusal, told

if TYPE_CHECKING:
    from starlette.types import Message, Scope

    from tests.entrypoints.http.bad_requests import Bad
    from tests.entrypoints.http.gateway import Gateway, Json


async def refused(gateway: Gateway, bad: Bad) -> None:
    """Send a bad request and see it refused as it should be."""
    headers = {"Content-Type": "application/json", **bad.headers}
    content = bad.content.encode() if isinstance(bad.content, str) else bad.content
    response = await gateway.ada.http.request(
        bad.method, bad.path, content=content, headers=headers
    )
    assert refusal(response) == bad.answer, f"{bad.name}: {response.text}"
    if bad.at is not None:
        assert [error["pointer"] for error in response.json()["errors"]] == [bad.at], bad.name
    assert response.headers["x-request-id"] == response.json()["instance"]


@pytest.mark.parametrize("bad", EVERYTHING, ids=lambda bad: bad.name)
async def test_a_bad_request_changes_nothing(memory_gateway: Gateway, bad: Bad) -> None:
    await memory_gateway.ada.intent()
    before = await memory_gateway.everything()
    await refused(memory_gateway, bad)
    assert await memory_gateway.everything() == before


async def test_bad_requests_change_nothing_in_a_database(gateway: Gateway) -> None:
    await gateway.held()
    before = await gateway.everything()
    for bad in EVERYTHING:
        await refused(gateway, bad)
    assert await gateway.everything() == before
    await gateway.ada.intent()


async def test_the_highest_price_is_taken(gateway: Gateway) -> None:
    intent = await gateway.ada.intent(price=price(PRICE_MAX))
    assert intent["due"]["amount"] == str(PRICE_MAX * 10**16)
    body = {"price": price(PRICE_MAX + 1), "asset": USDT.id}
    response = await gateway.ada.http.post("/v1/quotes", json=body)
    assert refusal(response) == (422, "price-out-of-range")


@pytest.mark.parametrize("kind", ["application/json", 'Application/JSON; charset="UTF-8"'])
async def test_the_longest_body_is_read(memory_gateway: Gateway, kind: str) -> None:
    response = await memory_gateway.ada.http.post(
        INTENTS, content=body().ljust(BODY_BYTES_MAX), headers={"Content-Type": kind}
    )
    told(response, 201)


async def test_an_expired_quote_is_refused(gateway: Gateway) -> None:
    body = {"price": price(2500), "asset": USDT.id}
    quote = told(await gateway.ada.http.post("/v1/quotes", json=body), 201)
    gateway.clock.advance(minutes=4, seconds=59)
    await gateway.ada.intent(price=None, asset=None, quote=quote["id"])
    gateway.clock.advance(seconds=1)
    before = await gateway.everything()
    body = {"method": "escrow", "quote": quote["id"]}
    response = await gateway.ada.http.post(INTENTS, json=body)
    assert refusal(response) == (422, "quote-expired")
    assert response.json()["expired_at"] == "2026-03-01T12:05:00Z"
    assert await gateway.everything() == before


async def test_what_belongs_to_another_is_like_what_does_not_exist(gateway: Gateway) -> None:
    intent = await gateway.held()
    body = {"price": price(2500), "asset": USDT.id}
    quote = told(await gateway.ada.http.post("/v1/quotes", json=body), 201)
    before = await gateway.everything()

    async def answers(intent_id: str, quote_id: str) -> list[Any]:
        at, http = f"{INTENTS}/{intent_id}", gateway.bob.http
        verbs = ("cancel", "accept", "escrow/release", "escrow/refund")
        responses = [
            await http.post(INTENTS, json={"method": "escrow", "quote": quote_id}),
            *[await http.get(f"{at}{end}") for end in ("", "/wallet_calls", "/escrow")],
            *[await http.post(f"{at}/{verb}") for verb in verbs],
        ]
        return [
            (each.status_code, sorted(each.headers), each.json() | {"instance": ""})
            for each in responses
        ]

    foreign = await answers(intent["id"], quote["id"])
    assert {status for status, _, _ in foreign} == {404}
    assert foreign == await answers("pi_missing", "qt_missing")
    assert await gateway.everything() == before


async def test_allowed_methods_are_named(memory_gateway: Gateway) -> None:
    for path, allowed in (
        (INTENTS, "GET, HEAD, POST"),
        ("/v1/quotes", "POST"),
        ("/v1/balances", "GET, HEAD"),
    ):
        response = await memory_gateway.ada.http.request("PATCH", path)
        assert (response.status_code, response.headers["allow"]) == (405, allowed)


@pytest.mark.parametrize("declared", [True, False], ids=["declared", "chunked"])
async def test_ten_megabytes_are_not_read(memory_gateway: Gateway, *, declared: bool) -> None:
    chunk, read, sent = b" " * 4096, 0, list[Any]()

    async def receive() -> Message:
        nonlocal read
        read += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": read < 10_000_000}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"authorization", b"Bearer " + memory_gateway.ada.key.encode()),
               (b"content-type", b"application/json")]  # fmt: skip
    if declared:
        headers.append((b"content-length", b"10000000"))
    scope: Scope = {
        "type": "http", "method": "POST", "path": INTENTS, "raw_path": INTENTS.encode(),
        "query_string": b"", "headers": headers, "http_version": "1.1", "scheme": "http",
        "server": ("api.example", 80), "client": None, "root_path": "", "asgi": {"version": "3.0"},
    }  # fmt: skip
    await memory_gateway.app(scope, receive, send)
    problem: Json = json.loads(b"".join(message.get("body", b"") for message in sent))
    assert (sent[0]["status"], problem["type"]) == (413, "/problems/content-too-large")
    assert read <= (0 if declared else BODY_BYTES_MAX + len(chunk))
