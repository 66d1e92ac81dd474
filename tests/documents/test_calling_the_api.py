"""The guide to calling the API, whose commands are run as they stand there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from entrypoints.http.versions import NEWEST
from tests.builders import USDT
from tests.entrypoints.http.gateway import opened
from tests.entrypoints.http.listening import listening
from tests.support.guides import GUIDES, run

if TYPE_CHECKING:
    from pathlib import Path

GUIDE = "calling-the-api.md"


async def test_the_commands_do_what_the_guide_says(tmp_path: Path) -> None:
    async with opened() as gateway, listening(gateway) as running:
        place = {"API": f"http://127.0.0.1:{running.port}", "KEY": gateway.ada.key}
        said = await run(GUIDE, tmp_path, {**place, "ASSET": USDT.id})
        made = (await gateway.ada.get("/v1/payment_intents"))["data"]
    told = answers(tmp_path)
    assert told["balances"] == told["same"] == {"object": "balances", "data": []}
    assert [each["price"]["amount"] for each in made] == ["2000", "1000"]
    assert told["intent-1"]["id"] == made[1]["id"]
    assert [each["id"] for each in told["first"]["data"]] == [made[0]["id"]]
    [second] = told["second"]["data"]
    assert (second["id"], second["expanded"]["quote"]["id"]) == (made[1]["id"], made[1]["quote"])
    assert told["second"]["has_more"] is False
    assert told["payouts"] == {"data": [], "has_more": False, "next_cursor": None}
    assert told["packed"] == {**made[1], "metadata": {"packed_by": "Olga"}}
    assert told["problem"]["type"] == "/problems/not-found"
    lines = said.lower().splitlines()
    assert f"switchyard-version: {NEWEST}" in lines
    assert "idempotent-replayed: true" in lines
    assert sum(line.startswith("ratelimit") for line in lines) == len(("ratelimit", "policy"))


def test_the_guide_names_the_version_there_is() -> None:
    assert (GUIDES / GUIDE).read_text().count(NEWEST) == len(("header", "grep"))


def answers(place: Path) -> dict[str, Any]:
    """Return what the commands have kept, by the names of the files."""
    assert "<h1>" in (place / "explained.html").read_text()
    return {path.stem: json.loads(path.read_text()) for path in place.glob("*.json")}
