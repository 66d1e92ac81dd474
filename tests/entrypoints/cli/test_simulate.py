"""``switchyard simulate``: its summary, its exit status, and what it says of bad arguments."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from config.simulation import invariants
from config.simulation.broken import must
from entrypoints.cli.main import main

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result

SMALL = ("--seed", "3", "--days", "1", "--merchants", "1", "--rails", "evm")
"""On one rail: where Stars are taken, twenty days follow in which charges come of age."""


def simulate(*arguments: str) -> Result:
    return CliRunner().invoke(main, ["simulate", *arguments])


def test_all_is_well_and_the_trace_can_be_read(tmp_path: Path) -> None:
    file = tmp_path / "trace"
    result = simulate(*SMALL, "--faults", "none", "--trace", str(file))
    assert result.exit_code == 0, result.output
    assert "every invariant held" in result.output
    assert "seed 3, 1 days, 1 merchants, faults: none" in result.output
    lines = file.read_text().splitlines()
    assert lines[0].startswith("d0   ")
    assert any("watch_chain   done" in line for line in lines)


def test_a_broken_invariant_is_shown_with_the_least_that_breaks_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def never_succeeds(_: object, key: str, before: object, after: object) -> None:
        del before
        paid = getattr(after, "captured", 0)
        must(not paid, "nobody is ever paid", key)

    monkeypatch.setattr(invariants.Invariants, "_intent", never_succeeds)
    result = simulate(*SMALL, "--faults", "none")
    assert result.exit_code == 1
    assert "BROKEN  nobody is ever paid" in result.output
    [again] = [line for line in result.output.splitlines() if line.startswith("again:")]
    shrunk = again.split()[again.split().index("--only") + 1]
    assert len(shrunk.split(",")) <= 4
    repeated = simulate(*SMALL, "--faults", "none", "--only", shrunk, "--no-shrink")
    assert repeated.exit_code == 1
    assert "BROKEN  nobody is ever paid" in repeated.output


def test_only_the_rails_that_are_named_are_played() -> None:
    evm, both, none = (simulate(*SMALL, "--rails", it) for it in ("evm", "ton,evm", "none"))
    for result in (evm, both, none):
        assert result.exit_code == 0, result.output
    assert counted(both, "acts") > counted(evm, "acts") > counted(none, "acts") == 0
    assert [counted(it, "charges") for it in (evm, both, none)] == [0, 0, 0]


def counted(result: Result, what: str) -> int:
    words = result.output.split()
    return int(words[words.index(what) + 1])


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("--rails", "evm,solana"), "no rail 'solana'; there are evm, ton, stars"),
        (("--faults", "rain"), "no faults of kind 'rain'; there are crash, rpc, reorg"),
        (("--only", "3,x"), "expected numbers of acts with commas, or none"),
        (("--days", "0"), "0 is not in the range"),
        (("--seed", "-1"), "-1 is not in the range"),
        (("--campaign", "--only", "3"), "--campaign plays scenarios of its own"),
    ],
)
def test_bad_arguments_are_named(arguments: tuple[str, ...], complaint: str) -> None:
    result = simulate(*arguments)
    assert result.exit_code == 2
    assert complaint in result.output
