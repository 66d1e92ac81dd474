"""``switchyard audit``: who did what, and whether the record of it is whole."""

from __future__ import annotations

from datetime import UTC
from typing import TYPE_CHECKING

import click

from domain.audit.model import Place, Wanted
from domain.shared.ids import MerchantId
from domain.shared.rendering import render_time
from entrypoints.cli.books import FORMS, time_type
from entrypoints.cli.operating import operate, settings_option

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from config.bootstrap import OperatorServices
    from domain.audit.model import Entry, RecordedEntry
    from domain.audit.service import Verified

PAGE = 500
"""How many entries are read at a time."""


@click.group()
def audit() -> None:
    """The audit log."""


@audit.command(name="list")
@settings_option
@click.option("--actor", metavar="ID", help="Only of this key or operator.")
@click.option("--merchant", metavar="ID", help="Only of this account.")
@click.option("--action", help="Only of this action: a verb and path, or a command.")
@click.option("--object", "object_id", metavar="ID", help="Only where this was written.")
@click.option("--since", type=time_type, metavar="TIME", help="Only from this time on.")
@click.option("--until", type=time_type, metavar="TIME", help=f"Only before it. {FORMS}")
@click.option("--limit", type=click.IntRange(min=1), default=100, show_default=True)
def audit_list(
    file: Path | None,
    *,
    actor: str | None,
    merchant: str | None,
    action: str | None,
    object_id: str | None,
    since: datetime | None,
    until: datetime | None,
    limit: int,
) -> None:
    """Show entries, newest first."""
    wanted = Wanted(
        merchant_id=MerchantId(merchant) if merchant else None,
        actor_id=actor,
        action=action,
        object=object_id,
        since=since and since.replace(tzinfo=UTC),
        until=until and until.replace(tzinfo=UTC),
    )

    async def run(services: OperatorServices) -> int:
        left, before = limit, None
        while left:
            asked = min(left, PAGE)
            page = await services.audit.page(wanted, before=before, limit=asked)
            for recorded in page:
                click.echo(_line(recorded))
                before = Place(recorded.entry.at, recorded.sequence)
            if len(page) < asked:
                break
            left -= asked
        return 0

    operate(file, run)


@audit.command(name="verify")
@settings_option
@click.option("--seal", metavar="NUMBER:HASH", help="A seal that was published earlier.")
def audit_verify(file: Path | None, *, seal: str | None) -> None:
    """Verify the whole log; exit with 1 at the first place where it is not what was sealed."""
    published = _published(seal) if seal else None

    async def run(services: OperatorServices) -> int:
        found = await services.audit.verify()
        wrong = found.broken
        if not wrong and published:
            number, hash = published
            kept = await services.audit.seal_of(number)
            if kept is None or kept.hash != hash:
                wrong = f"seal {number} is not the one that was published"
        _tell(found)
        if wrong:
            click.echo(wrong, err=True)
        return 1 if wrong else 0

    operate(file, run)


def _published(text: str) -> tuple[int, bytes]:
    """Read a number and a hash.

    Raises:
        click.BadParameter: it is something else.
    """
    number, _, hash = text.partition(":")
    try:
        return int(number), bytes.fromhex(hash)
    except ValueError as error:
        raise click.BadParameter("a seal is told as NUMBER:HASH") from error


def _tell(found: Verified) -> None:
    if found.head is None:
        click.echo("nothing is sealed")
        return
    head = found.head
    click.echo(
        f"{found.entries} entries are as they were sealed, up to entry {head.last}:"
        f" {head.number}:{head.hash.hex()}"
    )


def _line(recorded: RecordedEntry) -> str:
    entry = recorded.entry
    return "\t".join(
        [
            str(recorded.sequence),
            render_time(entry.at),
            f"{entry.actor} {entry.actor_id}" if entry.actor else "nobody known",
            entry.merchant_id or "-",
            entry.action,
            _outcome(entry),
            ",".join(entry.objects) or "-",
            entry.address or "-",
            entry.request_id or "-",
            entry.detail or "-",
        ]
    )


def _outcome(entry: Entry) -> str:
    parts = [entry.outcome, entry.status, entry.problem]
    said = " ".join(str(part) for part in parts if part is not None)
    return said if entry.times == 1 else f"{said} x{entry.times}"
