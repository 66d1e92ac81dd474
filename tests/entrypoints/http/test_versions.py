"""The version of the API: asked for by a date, told with every answer."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING

import pytest
from httpx2 import ASGITransport, AsyncClient

from entrypoints.http.versions import HEADER, KNOWN, NEWEST, OLDEST
from tests.entrypoints.http.gateway import refusal, told

if TYPE_CHECKING:
    from tests.entrypoints.http.gateway import Gateway

LIST = "/v1/payment_intents"


def test_versions_are_dates_in_their_order() -> None:
    assert list(KNOWN) == sorted(set(KNOWN))
    assert all(date.fromisoformat(each).isoformat() == each for each in KNOWN)


@pytest.mark.parametrize("version", KNOWN)
async def test_a_known_version_is_spoken(memory_gateway: Gateway, version: str) -> None:
    response = await memory_gateway.ada.http.get(LIST, headers={HEADER: version})
    assert told(response, 200)["data"] == []
    assert response.headers[HEADER] == version


async def test_who_asks_for_none_gets_the_oldest(memory_gateway: Gateway) -> None:
    assert (await memory_gateway.ada.http.get(LIST)).headers[HEADER] == OLDEST


@pytest.mark.parametrize(
    "version", ["", "1", "2026-11-20", f" {NEWEST}", f"{NEWEST}, {NEWEST}", "2026-11-21T00", "é"]
)
async def test_another_one_is_refused_with_those_there_are(
    memory_gateway: Gateway, version: str
) -> None:
    response = await memory_gateway.ada.http.get(LIST, headers={HEADER.encode(): version.encode()})
    assert refusal(response) == (400, "unknown-api-version")
    assert response.json()["versions"] == list(KNOWN)
    assert OLDEST in response.json()["detail"]
    assert response.headers[HEADER] == OLDEST


async def test_two_are_refused(memory_gateway: Gateway) -> None:
    response = await memory_gateway.ada.http.get(LIST, headers=[(HEADER, NEWEST)] * 2)
    assert refusal(response) == (400, "unknown-api-version")


async def test_nothing_is_done_in_an_unknown_version(memory_gateway: Gateway) -> None:
    before = await memory_gateway.everything()
    path = "/v1/webhook_endpoints"
    response = await memory_gateway.ada.http.post(
        path, json={"url": "https://shop.example/hook"}, headers={HEADER: "tomorrow"}
    )
    assert refusal(response) == (400, "unknown-api-version")
    assert await memory_gateway.everything() == before
    assert (await memory_gateway.ada.get(path))["data"] == []


@pytest.mark.parametrize("path", ["/healthz", "/openapi.json", "/nowhere", "/v1/stream", LIST])
async def test_every_answer_tells_its_version(memory_gateway: Gateway, path: str) -> None:
    transport = ASGITransport(memory_gateway.app)
    async with AsyncClient(transport=transport, base_url="http://api.example") as stranger:
        response = await stranger.get(path)
    assert response.status_code in {200, 401, 404}
    assert response.headers[HEADER] == OLDEST


async def test_the_document_declares_it_once_for_all(memory_gateway: Gateway) -> None:
    document = memory_gateway.document.content
    assert document["info"]["version"] == NEWEST
    [name] = document["components"]["parameters"]
    assert document["components"]["parameters"][name]["schema"]["enum"] == list(KNOWN)
    for operations in document["paths"].values():
        for operation in operations.values():
            reference = {"$ref": f"#/components/parameters/{name}"}
            assert operation["parameters"].count(reference) == 1
            for response in operation["responses"].values():
                assert HEADER in response["headers"]
