"""``switchyard signer``: the process that has the keys, and what it remembers."""

from __future__ import annotations

import asyncio
import json
from typing import TYPE_CHECKING

import click

from entrypoints.cli import lifetime
from entrypoints.cli.operating import settings_option

if TYPE_CHECKING:
    from pathlib import Path

    from config.signer import SignerProcess


@click.group(invoke_without_command=True)
@settings_option
@click.option(
    "--stop-with-parent",
    is_flag=True,
    hidden=True,
    help="Stop when standard input ends, as it does when the parent dies.",
)
@click.pass_context
def signer(context: click.Context, file: Path | None, *, stop_with_parent: bool) -> None:
    """Sign what the policies let this process sign, for workers that have no key.

    The settings are a file of the signer's own, which no other process needs to read.
    """
    if context.invoked_subcommand is not None:
        return
    from config.signer import keep_to_itself, load_signer
    from config.signer import signer as build

    keep_to_itself()
    process = build(load_signer(file))
    if stop_with_parent:
        lifetime.stop_with_parent()
    asyncio.run(_run(process))


@signer.command(name="log")
@settings_option
def signer_log(file: Path | None) -> None:
    """Print what was signed and refused, a JSON object a line, and check the chain of hashes."""
    from config.signer import journal_lines, load_signer

    for line in journal_lines(load_signer(file)):
        click.echo(json.dumps(line, separators=(",", ":")))


async def _run(process: SignerProcess) -> None:
    stop = lifetime.stop_event()
    with process.journal:
        async with process.server.listening() as place:
            click.echo(f"signer: {place}")
            await stop.wait()
