"""``switchyard keys``: keys in the keystore. No command shows one."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from entrypoints.cli.operating import settings_option

if TYPE_CHECKING:
    from collections.abc import Callable

    from config.keystores import Custody

family_option = click.option(
    "--family",
    type=click.Choice(["eip155", "ton", "none"]),
    required=True,
    help="The chains it is for.",
)
purpose_option = click.option(
    "--purpose",
    type=click.Choice(["hot-wallet", "deposits", "statements"]),
    required=True,
    help="What it may sign.",
)


@click.group()
def keys() -> None:
    """Keys, encrypted in the keystore that the settings name."""


@keys.command(name="create")
@click.argument("id")
@family_option
@purpose_option
@settings_option
def keys_create(id: str, file: Path | None, *, family: str, purpose: str) -> None:
    """Make a new key; its public side is printed."""
    click.echo(_custody(file).create(id, purpose=purpose, family=family))


@keys.command(name="import")
@click.argument("id")
@click.argument("key_file", type=click.Path(path_type=Path, dir_okay=False))
@family_option
@purpose_option
@settings_option
def keys_import(id: str, key_file: Path, file: Path | None, *, family: str, purpose: str) -> None:
    """Keep a key that lies in a file of mode 0600. The file is left alone."""
    click.echo(_custody(file).bring(id, key_file, purpose=purpose, family=family))


@keys.command(name="list")
@settings_option
def keys_list(file: Path | None) -> None:
    """List what keys there are, and what each is wrapped by; nothing is opened."""
    custody = _custody(file)

    def line(id: str) -> str:
        key = custody.kept(id)
        return f" {key.family}  {key.purpose}  {key.wrapper}  {key.public}"

    _each(custody, (), line)


@keys.command(name="export-public")
@click.argument("id")
@settings_option
def keys_export_public(id: str, file: Path | None) -> None:
    """Print a key's public side: an address, a public key, an extended public key."""
    click.echo(_custody(file).verify(id))


@keys.command(name="rewrap")
@click.argument("ids", nargs=-1)
@settings_option
def keys_rewrap(ids: tuple[str, ...], file: Path | None) -> None:
    """Have the wrapper of new keys (``wrap_with``) wrap these keys, or all.

    Keys stay what they are, and every one can be opened at every moment. A key that fails is left
    as it was; the others are wrapped, and the command can be given again.
    """
    custody = _custody(file)

    def rewrap(id: str) -> str:
        done = custody.rewrap(id)
        return f"is wrapped by {custody.wrap_with}" + ("" if done else " already")

    _each(custody, ids, rewrap)


@keys.command(name="verify")
@click.argument("ids", nargs=-1)
@settings_option
def keys_verify(ids: tuple[str, ...], file: Path | None) -> None:
    """Open these keys, or all; exit with 1 where one is not what its file says."""
    custody = _custody(file)
    for path in custody.keystore.leftovers():
        click.echo(f"{path} was never finished and can be deleted", err=True)

    def verify(id: str) -> str:
        return f"is the key of {custody.verify(id)}"

    _each(custody, ids, verify)


@keys.command(name="new-wrapper")
@click.argument("out", type=click.Path(path_type=Path, dir_okay=False))
def keys_new_wrapper(out: Path) -> None:
    """Make a key that wraps others, in a new file of mode 0600."""
    from config.keystores import create_wrapper_file

    try:
        create_wrapper_file(out)
    except OSError as error:
        click.echo(f"{out}: {error.strerror}", err=True)
        sys.exit(1)


def _custody(file: Path | None) -> Custody:
    from config.keystores import custody, load_keystore

    return custody(load_keystore(file))


def _each(custody: Custody, ids: tuple[str, ...], act: Callable[[str], str]) -> None:
    """Do something with keys one by one, all of them if none is named; tell what failed."""
    from entrypoints.cli.failures import failures, told

    failed = 0
    for id in ids or custody.ids():
        try:
            click.echo(f"{id} {act(id)}")
        except failures() as error:
            click.echo(f"{id}: {told(error)}", err=True)
            failed += 1
    if failed:
        sys.exit(1)
