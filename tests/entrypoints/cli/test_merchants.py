"""``switchyard merchant``: accounts for both kinds of money, and keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result


@pytest.fixture
def run(
    switchyard: Callable[..., Result], written: Callable[..., Path], postgres_dsn: str
) -> Callable[..., Result]:
    """Run a command of ``switchyard merchant``."""
    option = f"--settings={written(database={'url': postgres_dsn})}"
    return lambda *arguments: switchyard("merchant", *arguments, option)


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_a_merchant_has_an_account_for_each_mode(run: Callable[..., Result]) -> None:
    made = lines(run("create", "Ada", "--fee-bps=100", "--destination=eip155:31337=0xada"))
    test, live = (line.split("  ")[1] for line in made)
    [other] = lines(run("create", "Bob", "--fee-bps=0", "--mode=live"))

    assert [line.split("  ")[0] for line in made] == ["test", "live"]
    assert lines(run("list")) == [
        f"test  {test}  100 bps  Ada  twin {live}",
        f"live  {live}  100 bps  Ada  twin {test}",
        f"live  {other.removeprefix('live  ')}  0 bps  Bob",
    ]


def test_a_key_is_made_listed_and_revoked(run: Callable[..., Result]) -> None:
    [account] = lines(run("create", "Ada", "--fee-bps=0", "--mode=live"))
    merchant = account.removeprefix("live  ")
    wanted = ["--name=till", "--scope=events:read", "--scope=balances:read"]
    [told] = lines(
        run("key", "create", merchant, *wanted, "--network=192.0.2.0/24", "--expires-in-days=9")
    )
    key, text = told.split("  ")

    assert re.fullmatch("sy_live_[0-9A-Za-z]{38}", text)
    shown = (
        f"{key}  {text[:12]}…{text[-4:]}  till  balances:read,events:read"
        "  last used never  from 192.0.2.0/24"
    )
    assert lines(run("key", "list", merchant)) == [f"active   {shown}"]
    again = run("key", "create", merchant, *wanted)
    assert (again.exit_code, again.stderr) == (
        *(1,),
        "There is an active key of this name; it can be regenerated or revoked: till\n",
    )
    assert lines(run("key", "revoke", key)) == [f"revoked  {shown}"]
    assert lines(run("key", "list", merchant)) == [f"revoked  {shown}"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("create", "Ada", "--fee-bps=0", "--destination=nowhere"),
        ("key", "create", "mer_1", "--name=x", "--scope=all"),
        ("key", "create", "mer_1", "--name=x", "--scope=*", "--network=192.0.2.1/24"),
    ],
)
def test_what_makes_no_sense_is_refused(
    run: Callable[..., Result], arguments: tuple[str, ...]
) -> None:
    assert run(*arguments).exit_code == 2


def test_who_is_not_there_is_told(run: Callable[..., Result]) -> None:
    for arguments in (
        ("key", "list", "mer_none"),
        ("key", "revoke", "key_none"),
        ("key", "create", "mer_none", "--name=x", "--scope=*"),
    ):
        assert run(*arguments).exit_code == 1
