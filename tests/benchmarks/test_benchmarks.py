"""What the benchmarks print and how they end; no test looks at a time."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from tests.benchmarks import __main__ as command
from tests.benchmarks.load import percentile_ms
from tests.benchmarks.report import Figure, as_json, as_line, expect

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.benchmarks.world import Bench

FIGURE = Figure(
    name="things/made", value=1500.0, unit="things/s", reference=3000.0, against="by hand"
)


def made(_: Bench) -> Iterator[Figure]:
    yield FIGURE


def miscounted(_: Bench) -> Iterator[Figure]:
    yield FIGURE
    expect("things", expected=2, found=1)


@pytest.fixture
def benchmarks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "BENCHMARKS", {"ledger": miscounted, "addresses": made})


def test_a_figure_is_one_line_of_columns() -> None:
    assert as_line(FIGURE) == "things/made\t1500\tthings/s\t3000\t0.5\t-\tby hand"


def test_json_says_the_same() -> None:
    assert json.loads(as_json(FIGURE)) == {
        "name": "things/made",
        "value": 1500.0,
        "unit": "things/s",
        "reference": 3000.0,
        "ratio": 0.5,
        "cpu_seconds": None,
        "against": "by hand",
    }


def test_a_figure_without_a_reference_has_no_ratio() -> None:
    assert as_line(Figure(name="a", value=0.5, unit="s")) == "a\t0.5\ts\t-\t-\t-\t-"


@pytest.mark.parametrize(("percent", "expected"), [(50, 51), (99, 100), (100, 100)])
def test_percentiles(percent: int, expected: int) -> None:
    assert percentile_ms([number / 1000 for number in range(100, 0, -1)], percent) == expected


@pytest.mark.usefixtures("benchmarks")
def test_only_what_is_named_is_measured() -> None:
    done = CliRunner().invoke(command.main, ["--json", "addresses"])
    assert (done.exit_code, done.stdout) == (0, as_json(FIGURE) + "\n")


@pytest.mark.usefixtures("benchmarks")
def test_a_wrong_count_fails_the_run_and_stops_nothing_else() -> None:
    done = CliRunner().invoke(command.main, ["--json"])
    assert done.exit_code == 1
    assert done.stderr == "FAILED\tledger\tthings: expected 2, found 1\n"
    assert done.stdout == 2 * (as_json(FIGURE) + "\n")
