from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import pytest

from entrypoints.http.problems import ProblemType

if TYPE_CHECKING:
    from starlette.testclient import TestClient


def test_a_problem_tells_what_its_row_declares(client: TestClient) -> None:
    response = client.get("/v1/notes/note_9", headers={"X-Request-Id": "abc-1"})
    assert response.status_code == 404
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"] == "abc-1"
    assert response.json() == {
        "type": "/problems/note-missing",
        "title": "Note missing",
        "status": 404,
        "detail": "No note has this id.",
        "instance": "abc-1",
        "note_id": "note_9",
    }


def test_what_no_row_knows_is_500_and_tells_nothing(
    client: TestClient, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        response = client.get("/broken")
    assert response.status_code == 500
    assert "secret" not in response.text
    assert response.json()["type"] == "/problems/internal-error"
    (record,) = caplog.records
    assert record.__dict__["request_id"] == response.json()["instance"]
    assert "secret of ours" in str(record.exc_info)


def test_unknown_paths_and_methods_are_problems(client: TestClient) -> None:
    missing = client.get("/nowhere")
    assert (missing.status_code, missing.json()["type"]) == (404, "/problems/not-found")
    assert client.get("/v1/notes/", follow_redirects=False).status_code == 404
    wrong = client.put("/v1/notes")
    assert wrong.json()["type"] == "/problems/method-not-allowed"
    assert wrong.headers["allow"] == "GET, HEAD, POST"
    assert client.head("/v1/notes").status_code == 200


@pytest.mark.parametrize("sent", ["", "a b", "x" * 129, "a/b"])
def test_an_insane_request_id_is_replaced(client: TestClient, sent: str) -> None:
    response = client.get("/openapi.json", headers={"X-Request-Id": sent})
    assert response.headers["x-request-id"].startswith("req_")


def test_members_of_the_standard_are_not_extensions() -> None:
    with pytest.raises(ValueError, match="status"):
        ProblemType(400, "x", "X", fields=("status",))
