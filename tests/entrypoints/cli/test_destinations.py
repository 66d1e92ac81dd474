"""``switchyard merchant destination``: operators ask, approve and cancel, each by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from entrypoints.cli.operating import NAME_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

CHAIN = "eip155:31337"
OLD, NEW = "0x" + "1a" * 20, "0x" + "2b" * 20
SETTINGS: dict[str, Any] = {
    "chains": [
        {
            "id": CHAIN,
            "rpc_url": "http://127.0.0.1:9",
            "escrow_contract": "0x" + "ee" * 20,
            "hot_wallet": "0x" + "aa" * 20,
            "treasury": "0x" + "ff" * 20,
            "first_block": 1,
        }
    ],
    "payout_destinations": {"test_cool_down_seconds": 3600},
}


@pytest.fixture
def run(
    switchyard: Callable[..., Result],
    written: Callable[..., Path],
    postgres_dsn: str,
    monkeypatch: pytest.MonkeyPatch,
) -> Callable[..., Result]:
    """Run a command of ``switchyard merchant destination`` as somebody."""
    option = f"--settings={written(database={'url': postgres_dsn}, **SETTINGS)}"

    def as_somebody(*arguments: str, by: str = "olive", of: str = "destination") -> Result:
        monkeypatch.setenv(NAME_VARIABLE, by)
        return switchyard("merchant", *filter(None, [of]), *arguments, option)

    return as_somebody


@pytest.fixture
def merchant(run: Callable[..., Result]) -> str:
    made = run(
        "create", "Ada", "--fee-bps=0", "--mode=test", f"--destination={CHAIN}={OLD}", of=""
    )
    return made.stdout.split()[1]


def line(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout.strip()


def test_one_asks_and_another_approves(run: Callable[..., Result], merchant: str) -> None:
    asked = line(run("request", merchant, CHAIN, NEW))
    change = asked.split()[1]
    assert asked == (
        f"awaiting_approval  {change}  {CHAIN}  {OLD} -> {NEW}  asked by operator:olive"
    )
    mine = run("approve", change)
    assert (mine.exit_code, mine.stdout) == (1, "")
    assert "must be somebody else" in mine.stderr

    approved = line(run("approve", change, by="paul"))
    assert approved.startswith(f"cooling_down  {change}")
    assert "approved by operator:paul  effective 20" in approved
    assert line(run("list", merchant)).splitlines() == [f"{CHAIN}  {OLD}", approved]


def test_a_change_is_canceled_and_refused(run: Callable[..., Result], merchant: str) -> None:
    change = line(run("request", merchant, CHAIN, NEW)).split()[1]
    canceled = line(run("cancel", change, "--reason=mistyped"))
    assert canceled.startswith("canceled")
    assert canceled.endswith("ended by operator:olive  mistyped")
    change = line(run("request", merchant, CHAIN, NEW)).split()[1]
    assert line(run("refuse", change, by="paul")).endswith("ended by operator:paul")
    again = run("cancel", change)
    assert (again.exit_code, again.stderr.splitlines()) == (
        *(1,),
        [f"The change does not wait for that: {change}, refused, canceled"],
    )


@pytest.mark.parametrize(
    ("chain", "address", "why"),
    [
        (CHAIN, "0x" + "aa" * 20, "the gateway's own"),
        (CHAIN, "0x1", "no address"),
        (CHAIN, OLD, "go to this address already"),
        ("eip155:5", NEW, "Nobody is paid on this chain"),
    ],
)
def test_what_cannot_be_a_destination_is_told_in_a_line(
    run: Callable[..., Result], merchant: str, chain: str, address: str, why: str
) -> None:
    result = run("request", merchant, chain, address)
    assert result.exit_code == 1
    assert why in result.stderr
    assert len(result.stderr.splitlines()) == 1
