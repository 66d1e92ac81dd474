"""``switchyard user``, ``switchyard merchant member`` and ``switchyard seed``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.entrypoints.cli.test_destinations import CHAIN, SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

ADA, BOB = "ada@example.com", "bob@example.com"


@pytest.fixture
def run(
    switchyard: Callable[..., Result], written: Callable[..., Path], postgres_dsn: str
) -> Callable[..., Result]:
    """Run a command of ``switchyard``."""
    option = f"--settings={written(database={'url': postgres_dsn}, **SETTINGS)}"
    return lambda *arguments: switchyard(*arguments, option)


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def told(result: Result) -> str:
    assert result.exit_code == 1, result.output
    [line] = result.stderr.splitlines()
    return line


def test_people_are_made_and_listed(run: Callable[..., Result]) -> None:
    [bob] = lines(run("user", "create", "Bob@Example.com", "--name=Bob"))
    [ada] = lines(run("user", "create", ADA, "--name=Ada", "--platform-role=admin"))

    assert re.fullmatch(rf"usr_\w+  {BOB}  Bob  platform: none", bob)
    assert lines(run("user", "list")) == [ada, bob]
    assert told(run("user", "create", "BOB@example.com", "--name=B")).endswith(f"already: {BOB}")
    assert told(run("user", "create", "bob", "--name=B")).startswith("The text is no e-mail")
    [changed] = lines(run("user", "platform-role", BOB, "auditor"))
    assert changed == bob.replace("none", "auditor")
    assert lines(run("user", "platform-role", BOB, "none")) == [bob]


def test_members_are_set_listed_and_removed(run: Callable[..., Result]) -> None:
    [made] = lines(run("merchant", "create", "Ada", "--fee-bps=0", "--mode=test"))
    merchant = made.split()[1]
    for email in (ADA, BOB):
        lines(run("user", "create", email, "--name=Somebody"))

    first = run("merchant", "member", "set", merchant, BOB, "viewer")
    assert told(first).startswith("A merchant without an owner")
    lines(run("merchant", "member", "set", merchant, ADA, "owner"))
    lines(run("merchant", "member", "set", merchant, BOB, "viewer"))
    listed = [line.split("  ") for line in lines(run("merchant", "member", "list", merchant))]
    assert [(role, email) for role, _, email, _ in listed] == [("owner", ADA), ("viewer", BOB)]
    lines(run("merchant", "member", "remove", merchant, BOB))
    assert len(lines(run("merchant", "member", "list", merchant))) == 1
    last = run("merchant", "member", "remove", merchant, ADA)
    assert told(last).startswith("A merchant without an owner")


def test_a_second_seed_changes_nothing_and_says_so(run: Callable[..., Result]) -> None:
    first = lines(run("seed", f"--admin-email={ADA}", "--merchant-name=Corner shop"))
    admin, owner, test, live, key = first

    assert re.fullmatch(rf"admin     made     usr_\w+  {ADA}  platform: admin", admin)
    assert re.fullmatch(r"owner     made     usr_\w+  owner@switchyard\.example", owner)
    wallet = rf"{CHAIN}=0x[0-9a-f]{{40}}"
    assert re.fullmatch(rf"test      made     mer_demo_test  Corner shop  paid to {wallet}", test)
    assert live == "live      made     mer_demo_live  Corner shop"
    assert re.fullmatch("key       sy_test_[0-9A-Za-z]{38}", key)

    again = lines(run("seed", f"--admin-email={ADA.upper()}"))
    assert again == [
        *(line.replace("made   ", "there  ") for line in first[:-1]),
        "nothing was missing, nothing was changed",
    ]
    assert len(lines(run("user", "list"))) == 2
    assert len(lines(run("merchant", "list"))) == 2
    assert len(lines(run("merchant", "key", "list", "mer_demo_test"))) == 1
