"""``switchyard secrets``: how secrets lie in the database, and by which key. None is shown."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from entrypoints.cli.operating import operate, settings_option

if TYPE_CHECKING:
    from config.bootstrap import OperatorServices
    from domain.at_rest.model import Standing


@click.group()
def secrets() -> None:
    """Secrets in the database, and the ring of keys that they are sealed by."""


@secrets.command(name="new-key")
@click.argument("ring", type=click.Path(path_type=Path, dir_okay=False))
def secrets_new_key(ring: Path) -> None:
    """Make a key that seals from now on, at the front of a ring; a ring that is not there is made.

    Its name is printed. Every process has to have the file before one of them seals with it.
    """
    from config.key_ring import add_key

    click.echo(add_key(ring))


@secrets.command(name="status")
@settings_option
def secrets_status(file: Path | None) -> None:
    """Tell by which keys secrets are sealed; exit with 1 if any is not by the one that seals."""

    async def run(services: OperatorServices) -> int:
        found = await services.at_rest.standing()
        _tell(found)
        return 1 if found.outdated or found.sealing is None else 0

    operate(file, run)


@secrets.command(name="reseal")
@settings_option
def secrets_reseal(file: Path | None) -> None:
    """Seal all secrets by the key that seals now, those in clear too.

    It can be stopped at any moment and given again. What does not open is left as it is and named,
    and the exit status is 1.
    """

    async def run(services: OperatorServices) -> int:
        done = await services.at_rest.reseal()
        click.echo(f"{done.resealed} resealed")
        for each in done.unreadable:
            click.echo(each, err=True)
        _tell(done)
        return 1 if done.outdated else 0

    operate(file, run)


def _tell(found: Standing) -> None:
    for table, key in sorted(found.kinds, key=str):
        click.echo(f"{table}\t{_named(key, found)}\t{found.kinds[table, key]}")
    if found.sealing is None:
        click.echo("nothing is sealed: the settings name no ring, or say not to", err=True)


def _named(key: str | None, found: Standing) -> str:
    if key is None:
        return "in clear"
    if key == found.sealing:
        return f"{key} (seals)"
    return key if key in found.ring else f"{key} (not on the ring)"
