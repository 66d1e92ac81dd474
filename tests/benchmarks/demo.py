"""The scripted demo, from an empty directory to books that agree with the chain."""

from __future__ import annotations

import subprocess
import sys
import time
from typing import TYPE_CHECKING

from tests.benchmarks.report import Figure, expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.world import Bench

LIMIT_SECONDS = 180.0


def measure(_: Bench) -> Iterator[Figure]:
    """Run ``switchyard demo --script`` once."""
    began = time.perf_counter()
    done = subprocess.run(
        [sys.executable, "-m", "entrypoints.cli.main", "demo", "--script"],
        capture_output=True,
        check=False,
        timeout=LIMIT_SECONDS,
    )
    took = time.perf_counter() - began
    expect("exit status of the demo", expected=0, found=done.returncode)
    yield Figure(name="demo/script", value=took, unit="s")
