"""The guide to customers' addresses, whose commands are run as they stand there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.builders import CHAIN
from tests.entrypoints.http.gateway import opened
from tests.entrypoints.http.listening import listening
from tests.support.guides import run

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_commands_do_what_the_guide_says(tmp_path: Path) -> None:
    async with opened() as gateway, listening(gateway) as running:
        place = {"API": f"http://127.0.0.1:{running.port}", "KEY": gateway.ada.key}
        said = await run("customer-addresses.md", tmp_path, place)
        kept = (await gateway.ada.get("/v1/customer_addresses"))["data"]
    first, end = json.JSONDecoder().raw_decode(said)
    deposits, _ = json.JSONDecoder().raw_decode(said, end)
    assert kept == [first]
    assert (first["customer"], CHAIN in first["chains"]) == ("user-1042", True)
    assert deposits["data"] == []
