"""The guide to test helpers, whose commands are run as they stand there against a demo."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tests.end_to_end.running_demo import RunningDemo, data_directory
from tests.end_to_end.test_getting_started import follow

if TYPE_CHECKING:
    from pathlib import Path


def test_every_situation_arises_as_the_guide_says(tmp_path: Path) -> None:
    with data_directory() as directory:
        demo = RunningDemo.ready(directory)
        try:
            said = follow(demo, directory, tmp_path, guide="testing.md")
        finally:
            assert demo.interrupt() == 0
    assert said.splitlines().count("reorg") == 1
    told = {path.stem: json.loads(path.read_text()) for path in tmp_path.glob("*.json")}
    orders = {name: it for name, it in told.items() if it.get("object") == "test_order"}
    assert {name: it["action"] for name, it in orders.items()} == {
        **dict.fromkeys(("short", "rest", "over", "held", "gone"), "pay"),
        "late": "pay_late",
        **dict.fromkeys(("advanced", "sooner"), "advance_clock"),
        "reorg": "reorg",
        "fail": "fail_deliveries",
    }
    [tried] = told["delivery"]["tries"]
    assert (tried["simulated"], tried["response"]["status"]) == (True, 503)
