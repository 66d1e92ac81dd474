"""The same seed gives the same trace, to the last byte, in any process."""

from __future__ import annotations

import io
import subprocess
import sys

from config.simulation.run import simulate
from config.simulation.scenario import Scenario
from tests.architecture.tree import ROOT

SCENARIO = Scenario(11, 1, 2)


def test_another_process_with_another_hash_seed_sees_the_same() -> None:
    file = io.StringIO()
    here = simulate(SCENARIO, file=file)
    assert here.ok, here.what
    assert file.getvalue().count("\n") > 100
    assert here.counts["faults"] > 0
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import config.simulation.run as it; print(it.simulate(it.Scenario(11, 1, 2)).digest)",
        ],
        cwd=ROOT,
        env={"PYTHONHASHSEED": "4242", "PYTHONPATH": str(ROOT)},
        check=True,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.stdout.strip() == here.digest


def test_another_seed_is_another_story_and_without_faults_none_happens() -> None:
    other = simulate(Scenario(seed=12, days=1, merchants=2, faults=()))
    assert other.ok, other.what
    assert not {"crashes", "faults", "reorgs", "parked"} & set(other.counts)
    assert other.counts["intents"] > 0
    assert other.counts["payouts"] > 0
    assert other.counts["sweeps"] > 0
