"""The guide to the first payment, whose commands are run as they stand there against a demo."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from typing import TYPE_CHECKING

from tests.end_to_end.running_demo import ROOT, RunningDemo, data_directory
from tests.support.guides import blocks

if TYPE_CHECKING:
    from pathlib import Path


def test_the_first_payment_goes_as_the_guide_says(tmp_path: Path) -> None:
    with data_directory() as directory:
        demo = RunningDemo.ready(directory)
        try:
            said = follow(demo, directory, tmp_path)
        finally:
            assert demo.interrupt() == 0
    paid, before, balances, listed, events = (
        json.loads((tmp_path / f"{name}.json").read_text())
        for name in ("paid", "before", "balances", "succeeded", "events")
    )
    assert paid["id"] in said
    assert (paid["status"], paid["metadata"]) == ("succeeded", {"order": "1042"})
    assert [step["code"] for step in before["next"]] == ["waits_for_payment"]
    assert before["next"][0]["sentence"] in said
    assert [each["id"] for each in listed["data"]] == [paid["id"]]
    assert listed["data"][0]["expanded"]["quote"]["id"] == paid["quote"]
    earned = {each["available"]["asset"]: each["available"] for each in balances["data"]}
    assert 0 < int(earned[paid["due"]["asset"]]["amount"]) < int(paid["due"]["amount"])
    numbers = [event["sequence"] for event in events["data"]]
    assert numbers == [*range(1, len(numbers) + 1)]


def follow(
    demo: RunningDemo, directory: Path, place: Path, *, guide: str = "getting-started.md"
) -> str:
    """Run a guide's commands, one after the other in one shell; return what they print."""
    asset = re.search(r'"asset": "(eip155:[^"]+)"', demo.said())
    assert asset
    # The guide's demo keeps its data where it is looked for; this one does not.
    command = f'switchyard() {{ "{sys.executable}" -m entrypoints.cli.main "$@" --data "$DATA"; }}'
    done = subprocess.run(  # noqa: S603 (our own guide)
        ["/bin/bash", "-euo", "pipefail", "-c", "\n".join([command, *blocks(guide, "sh")])],
        cwd=place,
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "API": demo.api_url,
            "KEY": demo.line("API key"),
            "ASSET": asset[1],
            "DATA": str(directory),
        },
        check=False,
        capture_output=True,
        text=True,
        timeout=180,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout
