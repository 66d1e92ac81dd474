"""``switchyard books``: balances, checks, corrections, statements."""

from __future__ import annotations

import json
import sys
from datetime import UTC
from pathlib import Path
from typing import TYPE_CHECKING

import click

from domain.shared.ids import MerchantId, TransactionId
from entrypoints.cli.operating import operate, settings_option

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from config.bootstrap import OperatorServices
    from domain.ledger.comparing import Comparison
    from domain.shared.events import Json

time_type = click.DateTime(formats=["%Y-%m-%d", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%dT%H:%M:%SZ"])
FORMS = "UTC, as 2026-03-01 or 2026-03-01T09:30:00Z."
"""How times are given, for help texts."""


@click.group()
def books() -> None:
    """The books."""


@books.command(name="check")
@settings_option
@click.option("--chains/--no-chains", default=True, help="Compare with the chains as well.")
def books_check(file: Path | None, *, chains: bool) -> None:
    """Check the books against themselves and the chains; exit with 1 where they disagree."""

    async def run(services: OperatorServices) -> int:
        findings = [f"{finding.what}: {finding.where}" for finding in await services.books.check()]
        for chain in services.chains if chains else ():
            for spot in await services.books.compare(chain=chain):
                click.echo(_compared(spot))
                if not spot.agree:
                    findings.append(f"books and chain differ: {spot.account} {spot.asset}")
        for finding in findings:
            click.echo(finding, err=True)
        head = await services.sealing.head()
        if head is not None:
            click.echo(f"sealed up to {head.number}: {head.hash.hex()}")
        click.echo("the books are right" if not findings else f"{len(findings)} findings")
        return 1 if findings else 0

    operate(file, run)


@books.command(name="gas")
@settings_option
def books_gas(file: Path | None) -> None:
    """Book native coin that somebody has put into the hot wallets."""

    async def run(services: OperatorServices) -> int:
        for chain in services.chains:
            money = await services.books.book_gas(chain=chain)
            asset = services.assets.find(money.asset)
            click.echo(f"{chain}  {asset.render(money.amount)} {asset.symbol}")
        return 0

    operate(file, run)


@books.command(name="balance")
@settings_option
@click.option("--account", default="", help="Only accounts whose name begins so.")
@click.option("--at", type=time_type, metavar="TIME", help=f"As of this time. {FORMS}")
def books_balance(file: Path | None, *, account: str, at: datetime | None) -> None:
    """Show what accounts hold: now, or by all that had been booked at a time."""

    async def run(services: OperatorServices) -> int:
        balances = await services.books.balances(prefix=account, at=_utc(at) if at else None)
        width = max((len(balance.account) for balance in balances), default=0)
        for balance in balances:
            known = services.assets.by_id.get(balance.money.asset)
            amount = known.render(balance.money.amount) if known else balance.money.amount
            symbol = known.symbol if known else balance.money.asset
            click.echo(f"{balance.account:{width}}  {amount:>30}  {symbol}")
        return 0

    operate(file, run)


@books.command(name="reverse")
@click.argument("transaction_id", metavar="TRANSACTION")
@click.option("--reason", required=True, help="Kept with the reversal.")
@settings_option
def books_reverse(transaction_id: str, file: Path | None, *, reason: str) -> None:
    """Undo a booking by its opposite."""

    async def run(services: OperatorServices) -> int:
        reversal = await services.books.reverse(
            transaction_id=TransactionId(transaction_id), reason=reason
        )
        click.echo(f"{reversal.id}  reverses {transaction_id}")
        return 0

    operate(file, run)


@books.command(name="statement")
@click.option("--merchant", required=True, help="Whose books.")
@click.option(
    "--from", "since", type=time_type, metavar="TIME", required=True, help="From this time on."
)
@click.option(
    "--to", "until", type=time_type, metavar="TIME", required=True, help=f"Before it. {FORMS}"
)
@click.option(
    "--out",
    type=click.Path(path_type=Path, dir_okay=False, writable=True),
    help="The file to write it to.",
)
@settings_option
def books_statement(
    file: Path | None, *, merchant: str, since: datetime, until: datetime, out: Path | None
) -> None:
    """Write a merchant's signed statement; without --out to standard output."""
    from domain.ledger.documents import Period

    def write(statement: Mapping[str, Json]) -> None:
        text = json.dumps(statement, indent=2) + "\n"
        if out is None:
            click.echo(text, nl=False)
        else:
            out.write_text(text)
            click.echo(f"{out}: signed with {statement['public_key']}")

    async def run(services: OperatorServices) -> int:
        statement = await services.statements().issue(
            owner=MerchantId(merchant), period=Period(since=_utc(since), until=_utc(until))
        )
        write(statement)
        return 0

    operate(file, run)


@books.command(name="verify")
@click.argument("statement", type=click.Path(path_type=Path, dir_okay=False, exists=True))
@click.option("--key", help="The public key that must have signed it.")
def books_verify(statement: Path, *, key: str | None) -> None:
    """Verify a statement from itself alone; exit with 1 where something is wrong with it."""
    from config.signing import signature_check
    from domain.ledger.verification import NotAStatement, problems, read

    try:
        document = read(statement.read_bytes().decode())
    except (NotAStatement, UnicodeDecodeError) as error:
        click.echo(f"{statement} is no statement: {error}", err=True)
        sys.exit(1)
    found = problems(document, signature_check(), public_key=key)
    for problem in found:
        click.echo(problem, err=True)
    if found:
        sys.exit(1)
    click.echo(f"{document['merchant']}  {document['from']} to {document['to']}")
    for each in document["accounts"]:
        click.echo(f"{each['account']}  {each['asset']}  {each['opening']} -> {each['closing']}")
    click.echo(f"{len(document['transactions'])} transactions, as {document['public_key']} signed")
    if key is None:
        click.echo("whose key that is, only --key with a key from elsewhere can tell")


@books.command(name="key")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
def books_key(out: Path) -> None:
    """Make a key to sign statements with, in a new file; its public key is printed."""
    from config.signing import create_statement_key

    try:
        public_key = create_statement_key(out)
    except OSError as error:
        click.echo(f"{out}: {error.strerror}", err=True)
        sys.exit(1)
    click.echo(public_key)


def _compared(spot: Comparison) -> str:
    mark = "=" if spot.agree else "≠"
    return (
        f"{spot.account}  {spot.asset}  block {spot.block}  "
        f"books {spot.books} {mark} chain {spot.chain}"
    )


def _utc(at: datetime) -> datetime:
    return at.replace(tzinfo=UTC)
