"""``switchyard merchant``: accounts for both kinds of money, and keys."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.builders import address_of

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result


CHAINS = [
    {
        "id": "eip155:31337",
        "rpc_url": "http://127.0.0.1:9",
        "escrow_contract": "0x" + "ee" * 20,
        "hot_wallet": "0x" + "aa" * 20,
        "treasury": "0x" + "ff" * 20,
        "first_block": 1,
    }
]
PAID_AT = f"--destination=eip155:31337={address_of('ada')}"


@pytest.fixture
def run(
    switchyard: Callable[..., Result], written: Callable[..., Path], postgres_dsn: str
) -> Callable[..., Result]:
    """Run a command of ``switchyard merchant``."""
    option = f"--settings={written(database={'url': postgres_dsn}, chains=CHAINS)}"
    return lambda *arguments: switchyard("merchant", *arguments, option)


def lines(result: Result) -> list[str]:
    assert result.exit_code == 0, result.output
    return result.stdout.splitlines()


def test_a_merchant_has_an_account_for_each_mode(run: Callable[..., Result]) -> None:
    made = lines(run("create", "Ada", "--fee-bps=100", PAID_AT))
    test, live = (line.split("  ")[1] for line in made)
    [other] = lines(run("create", "Bob", "--fee-bps=0", "--mode=live"))

    assert [line.split("  ")[0] for line in made] == ["test", "live"]
    assert lines(run("list")) == [
        f"test  {test}  100 bps  Ada  twin {live}",
        f"live  {live}  100 bps  Ada  twin {test}",
        f"live  {other.removeprefix('live  ')}  0 bps  Bob",
    ]


@pytest.mark.parametrize(
    ("destination", "why"),
    [
        ("eip155:31337=0xada", "'0xada'"),
        ("eip155:31337=0x" + "0" * 40, "0x000"),
        ("eip155:31337=0x" + "aa" * 20, "0xaaa"),
        ("eip155:99=0x" + "5" * 40, "eip155:99"),
    ],
)
def test_where_nothing_can_be_sent_nobody_is_paid(
    run: Callable[..., Result], destination: str, why: str
) -> None:
    refused = run("create", "Ada", "--fee-bps=100", f"--destination={destination}")

    assert refused.exit_code == 1
    assert why in refused.stderr
    assert lines(run("list")) == []


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
