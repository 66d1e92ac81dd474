from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs
import pytest

from entrypoints.http.pagination import After, AfterSequence, Cursors, InvalidCursor

if TYPE_CHECKING:
    from starlette.testclient import TestClient

AFTER = After(created_at=datetime(2026, 5, 1, 12, 0, 0, 123_457, tzinfo=UTC), id="pi_1")


def test_a_cursor_opens_to_what_was_sealed(cursors: Cursors) -> None:
    assert cursors.open(cursors.seal(AFTER)) == AFTER
    sealed = cursors.seal(AfterSequence(sequence=2**60))
    assert cursors.open_sequence(sealed) == AfterSequence(sequence=2**60)


def test_no_other_cursor_opens(cursors: Cursors) -> None:
    token = cursors.seal(AFTER)
    for place in range(len(token)):
        changed = token[:place] + ("A" if token[place] != "A" else "B") + token[place + 1 :]
        with pytest.raises(InvalidCursor):
            cursors.open(changed)
    for other in ("", "A", "!!!!", token + "AAAA", "\u00e9"):
        with pytest.raises(InvalidCursor):
            cursors.open(other)
    with pytest.raises(InvalidCursor):
        attrs.evolve(cursors, listing="others").open(token)
    with pytest.raises(InvalidCursor):
        attrs.evolve(cursors, key=b"y" * 32).open(token)
    with pytest.raises(InvalidCursor):
        cursors.open_sequence(token)
    with pytest.raises(ValueError, match="32 bytes"):
        Cursors(key=b"short", listing="notes")


def test_the_links_lead_through_all_pages(client: TestClient) -> None:
    for number in range(5):
        client.post(
            "/v1/notes",
            json={"text": str(number), "amount": {"cents": 1}},
            headers={"Idempotency-Key": str(number)},
        )
    seen: list[str] = []
    url = "/v1/notes?limit=2&pinned=false"
    for _ in range(3):
        response = client.get(url)
        seen += [note["text"] for note in response.json()["data"]]
        if response.json()["has_more"]:
            url = response.links["next"]["url"]
            assert response.json()["next_cursor"] in url
            assert "pinned=false" in url
    assert seen == ["0", "1", "2", "3", "4"]
    assert response.json()["next_cursor"] is None
    assert "link" not in response.headers


def test_a_tampered_cursor_is_400(client: TestClient) -> None:
    response = client.get("/v1/notes?cursor=AAAA")
    assert (response.status_code, response.json()["type"]) == (400, "/problems/invalid-cursor")
