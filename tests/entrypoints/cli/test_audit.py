"""``switchyard audit``, and that every operator's command leaves an entry."""

from __future__ import annotations

import getpass
from typing import TYPE_CHECKING

import psycopg
import pytest

from entrypoints.cli.operating import NAME_VARIABLE

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result


@pytest.fixture
def run(
    switchyard: Callable[..., Result], written: Callable[..., Path], postgres_dsn: str
) -> Callable[..., Result]:
    file = written(database={"url": postgres_dsn})

    def run(*arguments: str) -> Result:
        return switchyard(*arguments, "--settings", str(file))

    return run


def listed(run: Callable[..., Result], *options: str) -> list[list[str]]:
    """Return actor, action, outcome and objects of the entries, the listings' own left out."""
    result = run("audit", "list", *options)
    assert result.exit_code == 0, result.output
    rows = [line.split("\t") for line in result.output.splitlines()]
    return [[row[2], *row[4:7]] for row in rows if row[4] != "switchyard audit list"]


def test_whatever_an_operator_does_is_recorded(
    run: Callable[..., Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    me = f"operator {getpass.getuser()}"
    assert run("jobs", "pause", "money").exit_code == 0
    assert run("jobs", "list").exit_code == 0
    assert run("merchant", "key", "revoke", "key_none").exit_code == 1
    monkeypatch.setenv(NAME_VARIABLE, "maria")
    made = run("merchant", "create", "Ada's bicycles", "--fee-bps", "100")
    assert made.exit_code == 0, made.output

    created, revoked, looked, paused = listed(run)
    assert paused == [me, "switchyard jobs pause", "done", "money"]
    assert looked == [me, "switchyard jobs list", "done", "-"]
    assert revoked[2] == "refused NotFound"
    assert revoked[:2] == [me, "switchyard merchant key revoke"]
    assert created[0] == "operator maria"
    merchant, _twin = created[3].split(",")
    assert merchant in made.output
    assert listed(run, "--object", merchant) == [created]
    assert listed(run, "--actor", "maria", "--action", created[1]) == [created]
    assert listed(run, "--merchant", merchant) == []
    assert listed(run, "--since", "2100-01-01") == []
    assert listed(run, "--until", "2000-01-01") == []
    assert listed(run, "--limit", "1") == []


def test_a_command_that_finds_something_wrong_has_failed(
    run: Callable[..., Result], postgres_dsn: str
) -> None:
    run("jobs", "list")
    with psycopg.connect(postgres_dsn) as connection:
        connection.execute("insert into balance values ('reserve:evm', 'iso4217:USD', 5)")
    assert run("books", "check", "--no-chains").exit_code == 1
    assert listed(run)[0][1:3] == ["switchyard books check", "failed exit status 1"]


def test_the_log_is_verified(run: Callable[..., Result], postgres_dsn: str) -> None:
    assert run("audit", "verify").output == "nothing is sealed\n"
    with psycopg.connect(postgres_dsn) as connection:
        connection.execute(
            "insert into audit_seal select 1, max(sequence), '', sha256('') from audit_entry"
        )
    result = run("audit", "verify")
    assert result.exit_code == 1
    assert "is one too many" in result.output
    assert run("audit", "verify", "--seal", "nonsense").exit_code == 2
