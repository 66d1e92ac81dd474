"""``switchyard migrate``, ``books check`` and ``settle run`` over a real database and chain."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import psycopg
import pytest

from adapters.evm.deploy import Deployer
from adapters.evm.devnet.accounts import devnet_accounts
from adapters.evm.devnet.devnet import Devnet
from adapters.postgres.migrate import head
from config.bootstrap import operator
from config.settings import load
from domain.fees.model import FeeSchedule
from domain.merchants.model import PayoutTerms
from tests.builders import CHAIN, USDT, earned
from tests.chain_builders import a_cursor

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from click.testing import Result

    from config.bootstrap import OperatorServices
    from tests.support.postgres import PostgresServer


@pytest.fixture
def settings_file(written: Callable[..., Path], postgres_dsn: str) -> Path:
    return written(database={"url": postgres_dsn})


@pytest.fixture
def chain() -> Iterator[dict[str, Any]]:
    """The settings of a chain on this machine, with contracts on it."""
    accounts = devnet_accounts()

    async def deploy(url: str) -> str:
        async with Deployer(url, accounts[0].private_key) as deployer:
            escrow = await deployer.deploy_escrow(
                operator=accounts[1].address,
                arbiter=accounts[2].address,
                treasury=accounts[3].address,
            )
        return escrow.address

    with Devnet() as devnet:
        devnet.mine(blocks=5)
        yield {
            "id": CHAIN,
            "rpc_url": devnet.url,
            "escrow_contract": asyncio.run(deploy(devnet.url)),
            "hot_wallet": accounts[1].address.lower(),
            "treasury": accounts[3].address.lower(),
            "first_block": 0,
        }


def with_services(settings_file: Path, act: Callable[[OperatorServices], Any]) -> None:
    """Do something with the services that the settings make."""

    async def run() -> None:
        services = operator(load(settings_file))
        async with services.resources[0]:
            await act(services)

    asyncio.run(run())


async def earn(services: OperatorServices) -> None:
    merchant = await services.merchants.register(
        name="Ada's bicycles", fees=FeeSchedule(bps=100), payouts=PayoutTerms()
    )
    async with services.books.begin() as work:
        await work.ledger.book(earned(100, by=merchant.id))
        await work.commit()


async def read_the_chain(services: OperatorServices) -> None:
    async with services.books.begin() as work:
        await work.chains.save_cursor(a_cursor(5, final=3))
        await work.commit()


def test_migrating_again_changes_nothing(
    switchyard: Callable[..., Result],
    written: Callable[..., Path],
    postgres_server: PostgresServer,
) -> None:
    postgres_server.create_database("migrated")
    file = written(database={"url": postgres_server.dsn(database="migrated")})
    try:
        before = switchyard("books", "check", f"--settings={file}")
        first = switchyard("migrate", f"--settings={file}")
        second = switchyard("migrate", f"--settings={file}")
        after = switchyard("books", "check", f"--settings={file}")
    finally:
        postgres_server.drop_database("migrated")

    assert (before.exit_code, "schema" in before.stderr) == (1, True)
    assert first.exit_code == second.exit_code == after.exit_code == 0
    assert first.stdout == second.stdout == f"schema: {head()}\n"


def test_books_that_are_right(switchyard: Callable[..., Result], settings_file: Path) -> None:
    with_services(settings_file, earn)

    told = switchyard("books", "check", f"--settings={settings_file}")

    assert (told.exit_code, told.stdout, told.stderr) == (0, "the books are right\n", "")


def test_an_entry_that_somebody_has_changed_is_named(
    switchyard: Callable[..., Result], settings_file: Path, postgres_dsn: str
) -> None:
    with_services(settings_file, earn)
    with psycopg.connect(postgres_dsn) as superuser:
        # As a superuser who replays a log does: no trigger looks.
        superuser.execute("set session_replication_role = replica")
        changed = superuser.execute(
            "update posting set amount = amount - 1 where amount < 0"
            " returning transaction_id, account"
        ).fetchall()
    ((transaction, account),) = changed

    told = switchyard("books", "check", f"--settings={settings_file}")

    assert told.exit_code == 1
    assert told.stdout == "4 findings\n"
    assert f"transaction does not sum to zero: {transaction}" in told.stderr
    assert f"all accounts together do not sum to zero: {USDT.id}: -1" in told.stderr
    assert f"kept balance differs from postings: {account}" in told.stderr
    assert "transaction that nobody could have booked: one of those without a seal" in told.stderr


def test_a_chain_that_was_never_read_is_told(
    switchyard: Callable[..., Result],
    written: Callable[..., Path],
    postgres_dsn: str,
    chain: dict[str, Any],
) -> None:
    file = written(database={"url": postgres_dsn}, chains=[chain])

    told = switchyard("books", "check", f"--settings={file}")

    assert told.exit_code == 1
    (line,) = told.stderr.splitlines()
    assert line.startswith("The chain has not been read yet")
    assert CHAIN in line
    assert switchyard("books", "check", "--no-chains", f"--settings={file}").exit_code == 0


def test_a_chain_that_holds_something_else_is_named(
    switchyard: Callable[..., Result],
    written: Callable[..., Path],
    postgres_dsn: str,
    chain: dict[str, Any],
) -> None:
    coin = {"id": f"{CHAIN}/slip44:60", "symbol": "ETH", "decimals": 18}
    dollar = {"id": "iso4217:USD", "symbol": "USD", "decimals": 2}
    file = written(database={"url": postgres_dsn}, chains=[chain], assets=[coin, dollar])
    with_services(file, read_the_chain)

    told = switchyard("books", "check", f"--settings={file}")

    assert told.exit_code == 1
    # Nobody has booked what the hot wallet came with.
    assert f"gas:{CHAIN}  {coin['id']}  block 3  books 0 ≠ chain 1" in told.stdout
    assert f"books and chain differ: gas:{CHAIN} {coin['id']}" in told.stderr
    assert told.stdout.splitlines()[-1] == "1 findings"


def test_settling_where_nothing_is_due(
    switchyard: Callable[..., Result], settings_file: Path
) -> None:
    told = switchyard("settle", "run", f"--settings={settings_file}")

    assert (told.exit_code, told.stdout, told.stderr) == (0, "0 settled\n", "")


def test_what_is_not_there_is_told_in_a_line(
    switchyard: Callable[..., Result], settings_file: Path
) -> None:
    for command in (["settle", "approve", "set_none"], ["settle", "retry", "po_none"]):
        told = switchyard(*command, f"--settings={settings_file}")

        assert told.exit_code == 1
        (line,) = told.stderr.splitlines()
        assert command[-1] in line
