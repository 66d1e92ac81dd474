from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from entrypoints.http.endpoint import Signature

if TYPE_CHECKING:
    from httpx2 import Response
    from starlette.testclient import TestClient
    from starlette.types import Message

    from entrypoints.http.api import Api

NOTE = {"text": "hello", "amount": {"cents": 5}}


def create(client: TestClient, *, key: str = "k1", **changes: object) -> Response:
    return client.post("/v1/notes", json={**NOTE, **changes}, headers={"Idempotency-Key": key})


def test_creates_and_renders(client: TestClient) -> None:
    response = create(client, due="2026-03-01T12:00:00+02:00")
    assert response.status_code == 201
    assert response.headers["location"] == "/v1/notes/note_0"
    assert response.json()["due"] == "2026-03-01T10:00:00Z"
    assert client.get("/v1/notes/note_0").json() == response.json()
    assert client.delete("/v1/notes/note_0").status_code == 204


def test_a_replay_is_the_same_bytes_and_says_so(client: TestClient) -> None:
    first = create(client)
    body = b'{ "amount": {"cents": 5},  "text": "hello" }'
    headers = {"Idempotency-Key": "k1", "Content-Type": "application/json; charset=utf-8"}
    again = client.post("/v1/notes", content=body, headers=headers)
    assert again.content == first.content
    assert again.headers["idempotent-replayed"] == "true"
    assert "idempotent-replayed" not in first.headers


def test_a_key_with_another_body_has_another_fingerprint(client: TestClient) -> None:
    create(client)
    reused = create(client, text="other")
    assert reused.status_code == 409
    assert reused.json()["type"] == "/problems/key-reused"
    assert reused.headers["retry-after"] == "7"
    assert reused.json()["detail"] == "Wait 7 seconds."


@pytest.mark.parametrize("key", ["", "with space", "x" * 256])
def test_an_invalid_key_is_refused(client: TestClient, key: str) -> None:
    assert create(client, key=key).json()["type"] == "/problems/idempotency-key-invalid"


def test_a_missing_key_is_refused(client: TestClient) -> None:
    missing = client.post("/v1/notes", json=NOTE)
    assert (missing.status_code, missing.json()["type"]) == (
        400,
        "/problems/idempotency-key-missing",
    )


def test_authentication_comes_before_the_body(client: TestClient) -> None:
    response = client.post("/v1/notes", content=b"{", headers={"Authorization": "Bearer bad"})
    assert response.status_code == 401
    assert response.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"NaN",
        b"[" * 60_000,
        b'{"a":' * 300 + b"1" + b"}" * 300,
        b'{"text":"a","text":"b","amount":{"cents":5}}',
        b'{"text":"\xff","amount":{"cents":5}}',
        b'{"text":"\\ud800","amount":{"cents":5}}',
        b'{"amount":{"cents":' + b"9" * 400 + b"}}",
    ],
)
def test_malformed_bodies_are_400(client: TestClient, body: bytes) -> None:
    headers = {"Idempotency-Key": "k", "Content-Type": "application/json"}
    response = client.post("/v1/notes", content=body, headers=headers)
    assert (response.status_code, response.json()["type"]) == (400, "/problems/malformed-json")


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Content-Type": "text/plain"}, 415),
        ({"Content-Type": "application/json; charset=latin-1"}, 415),
        ({"Content-Type": "application/json", "Content-Encoding": "gzip"}, 415),
    ],
)
def test_other_media_types_are_415(
    client: TestClient, headers: dict[str, str], status: int
) -> None:
    response = client.post("/v1/notes", content=b"{}", headers={**headers, "Idempotency-Key": "k"})
    assert response.status_code == status


def scope(method: str, path: str, headers: list[tuple[bytes, bytes]]) -> dict[str, Any]:
    return {
        "type": "http",
        "method": method,
        "path": path,
        "raw_path": path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": [(b"authorization", b"Bearer good"), (b"idempotency-key", b"k"), *headers],
    }


@pytest.mark.parametrize("declared", [True, False])
async def test_a_long_body_is_413_and_not_read_to_its_end(api: Api, *, declared: bool) -> None:
    received = 0
    sent: list[Message] = []
    chunk = b"x" * 16_384

    async def receive() -> Message:
        nonlocal received
        received += len(chunk)
        return {"type": "http.request", "body": chunk, "more_body": True}

    async def send(message: Message) -> None:
        sent.append(message)

    headers = [(b"content-length", b"10000000")] if declared else []
    await api.application()(scope("POST", "/v1/notes", headers), receive, send)
    assert sent[0]["status"] == 413
    assert received <= 64 * 1024 + len(chunk)


@pytest.mark.parametrize(
    "query",
    ["limit=0", "limit=101", "limit=1e1", "limit=%2B5", "limit=05", "limit=", "pinned=1", "x=1"],
)
def test_a_query_is_read_strictly(client: TestClient, query: str) -> None:
    response = client.get(f"/v1/notes?{query}")
    assert response.status_code == 422
    assert response.json()["errors"][0]["parameter"] == query.split("=", maxsplit=1)[0]


@pytest.mark.parametrize("query", ["limit=1&limit=2", "cursor=%ff", "&".join(["a=1"] * 70)])
def test_a_malformed_query_is_400(client: TestClient, query: str) -> None:
    assert client.get(f"/v1/notes?{query}").json()["type"] == "/problems/malformed-query"


def test_a_list_may_repeat_in_a_query(client: TestClient) -> None:
    assert client.get("/v1/notes?stars=1&stars=2&pinned=true").status_code == 200
    wrong = client.get("/v1/notes?stars=1&stars=two")
    assert wrong.json()["errors"] == [{"parameter": "stars.1", "detail": "must be an integer"}]


def test_a_path_that_breaks_its_rule_names_nothing(client: TestClient) -> None:
    assert client.get("/v1/notes/other").json()["type"] == "/problems/not-found"


def test_a_parameter_without_a_place_is_found_at_start() -> None:
    async def stray(call: object, other: str) -> None: ...

    with pytest.raises(TypeError, match="stray"):
        Signature.of(stray, path="/v1/{name}")
