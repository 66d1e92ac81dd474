"""``switchyard books balance``, ``reverse``, ``statement`` and ``check`` on PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import attrs
import psycopg
import pytest
from click.testing import Result

from adapters.keys.ed25519 import create_signing_key
from adapters.memory.clock import FakeClock
from adapters.postgres.storage import PostgresStorage
from adapters.system.ids import RandomIds
from domain.ledger.accounts import available
from domain.ledger.sealing import Sealing
from domain.shared.ids import MerchantId
from tests.builders import MERCHANT, OTHER_MERCHANT, USD, USDT, a_merchant, earned

DAY = datetime(2026, 3, 1, tzinfo=UTC)
DATES = ("--from=2026-03-01", "--to=2026-03-02")
ROUNDS_MAX = 10


@attrs.frozen
class Shop:
    """A merchant's books: 100 earned a day ago, then 20 and 7 on the day of the statement."""

    run: Callable[..., Result]
    settings: Path
    dsn: str
    public_key: str
    folder: Path

    def switchyard(self, *arguments: str) -> Result:
        return self.run(*arguments, f"--settings={self.settings}")

    def as_superuser(self, statement: str) -> list[Any]:
        """Do what a superuser can who replays a log: no trigger looks."""
        with psycopg.connect(self.dsn) as connection:
            connection.execute("set session_replication_role = replica")
            return connection.execute(statement).fetchall()


@pytest.fixture
async def shop(
    switchyard: Callable[..., Result],
    written: Callable[..., Path],
    postgres_dsn: str,
    tmp_path: Path,
) -> Shop:
    clock = FakeClock(DAY - timedelta(days=1))
    storage = PostgresStorage(dsn=postgres_dsn, clock=clock, ids=RandomIds())
    await storage.open()
    try:
        async with storage.begin() as work:
            for id in (MERCHANT, OTHER_MERCHANT):
                await work.merchants.add(a_merchant(MerchantId(id)))
            await work.ledger.book(earned(100))
            await work.commit()
        clock.advance(days=1, hours=9)
        for amount, owner in ((20, MERCHANT), (5, OTHER_MERCHANT), (7, MERCHANT)):
            async with storage.begin() as work:
                await work.ledger.book(earned(amount, by=owner))
                await work.commit()
        for _ in range(ROUNDS_MAX):
            await Sealing(storage.begin).seal()
    finally:
        await storage.close()
    key = tmp_path / "statement_key"
    public_key = create_signing_key(key)
    assets = [
        {"id": asset.id, "symbol": asset.symbol, "decimals": asset.decimals}
        for asset in (USD, USDT)
    ]
    settings = written(
        database={"url": postgres_dsn},
        assets=assets,
        books={"statement_key_file": str(key)},
    )
    return Shop(switchyard, settings, postgres_dsn, public_key, tmp_path)


def test_a_statement_is_issued_and_verified_without_any_of_that(shop: Shop) -> None:
    out = shop.folder / "march.json"

    issued = shop.switchyard(
        "books", "statement", f"--merchant={MERCHANT}", *DATES, f"--out={out}"
    )
    verified = shop.run("books", "verify", str(out), f"--key={shop.public_key}")

    assert (issued.exit_code, issued.stderr) == (0, "")
    assert issued.stdout == f"{out}: signed with {shop.public_key}\n"
    assert (verified.exit_code, verified.stderr) == (0, "")
    assert f"{available(MERCHANT)}  {USDT.id}  100 -> 127" in verified.stdout
    statement = json.loads(out.read_text())
    amounts = [it["postings"][0]["amount"] for it in statement["transactions"]]
    assert amounts == ["20", "7"]
    assert statement["seals"]["head"]["number"] == 4


def test_without_out_it_is_printed(shop: Shop) -> None:
    told = shop.switchyard("books", "statement", f"--merchant={MERCHANT}", *DATES)

    assert json.loads(told.stdout)["merchant"] == MERCHANT


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (("--merchant=mer_none", *DATES), "no merchant mer_none"),
        ((f"--merchant={MERCHANT}", "--from=2026-03-02", "--to=2026-03-01"), "not empty"),
        ((f"--merchant={MERCHANT}", "--from=2026-03-02", "--to=2999-01-01"), "is over"),
    ],
)
def test_what_cannot_be_issued_is_told_in_a_line(
    shop: Shop, arguments: tuple[str, ...], line: str
) -> None:
    told = shop.switchyard("books", "statement", *arguments)

    assert (told.exit_code, told.stdout) == (1, "")
    (said,) = told.stderr.splitlines()
    assert line in said


def test_a_past_that_somebody_has_edited_is_found(shop: Shop) -> None:
    before = shop.switchyard("books", "check")
    ((changed,),) = shop.as_superuser(
        "update ledger_transaction set reference = 'pi_other'"
        " where position = (select min(position) from ledger_transaction) returning id"
    )

    after = shop.switchyard("books", "check")

    assert before.exit_code == 0
    assert before.stdout.startswith("sealed up to 4: ")
    assert after.exit_code == 1
    assert after.stderr == f"transaction is not what was sealed: seal 1, {changed}\n"


def test_postings_that_are_gone_are_found_wherever_they_were(shop: Shop) -> None:
    shop.as_superuser(
        "delete from posting where transaction_id = (select transaction_id from ledger_seal"
        " where number = 2) returning line"
    )

    told = shop.switchyard("books", "check")

    assert told.exit_code == 1
    assert "seal 2" in told.stderr


def test_a_balance_of_the_past_is_shown(shop: Shop) -> None:
    account = f"--account={available(MERCHANT)}"

    now = shop.switchyard("books", "balance", account)
    past = shop.switchyard("books", "balance", account, "--at=2026-03-01T00:00:00Z")

    assert now.stdout.split() == [available(MERCHANT), USDT.render(127), USDT.symbol]
    assert past.stdout.split() == [available(MERCHANT), USDT.render(100), USDT.symbol]


def test_a_booking_is_reversed_once_with_its_reason(shop: Shop) -> None:
    [(wrong,)] = shop.as_superuser(
        "select transaction_id from posting where account like '%available' and abs(amount) = 7"
    )

    first = shop.switchyard("books", "reverse", wrong, "--reason=booked twice")
    second = shop.switchyard("books", "reverse", wrong, "--reason=booked twice")
    again = shop.switchyard("books", "reverse", first.stdout.split()[0], "--reason=after all")

    assert first.exit_code == 0
    assert f"reverses {wrong}" in first.stdout
    assert (second.exit_code, again.exit_code) == (1, 1)
    assert second.stderr.startswith("The transaction has been reversed before")
    assert "it is a reversal itself" in again.stderr
    kept = shop.as_superuser("select note from ledger_transaction where reverses is not null")
    assert kept == [("booked twice",)]
