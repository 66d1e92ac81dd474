"""``switchyard ton-devnet``: a TON chain of one's own, kept in a file."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import click

from entrypoints.cli.lifetime import stop_event, stop_with_parent

UNAVAILABLE = 69
"""The exit status where this machine has no TVM (``EX_UNAVAILABLE`` of BSD's sysexits)."""


@click.command(name="ton-devnet")
@click.option("--database", type=click.Path(path_type=Path), help="Where the chain is kept.")
@click.option("--port", type=click.IntRange(0, 65535), default=0, show_default=True)
@click.option(
    "--block-seconds", type=click.FloatRange(0, min_open=True), default=1.0, show_default=True
)
@click.option(
    "--config-file",
    type=click.Path(path_type=Path),
    required=True,
    help="Where the network's global configuration is written to when the liteserver answers.",
)
@click.option(
    "--stop-with-parent",
    "with_parent",
    is_flag=True,
    hidden=True,
    help="Stop when standard input ends, as it does when the parent dies.",
)
def ton_devnet(
    *,
    database: Path | None,
    port: int,
    block_seconds: float,
    config_file: Path,
    with_parent: bool,
) -> None:
    """Serve a TON chain of your own on this machine; without --database it is forgotten."""
    from config.ton_devnet import available
    from config.ton_devnet import run as serve
    from entrypoints.cli.processes import free

    if missing := available():
        click.echo(missing, err=True)
        sys.exit(UNAVAILABLE)
    port = free(port)

    async def run() -> None:
        stop = stop_event()
        if with_parent:
            stop_with_parent()
        await serve(
            database=database,
            port=port,
            block_seconds=block_seconds,
            config_file=config_file,
            stop=stop,
            on_ready=lambda address: click.echo(f"ton-devnet: {address}"),
        )

    asyncio.run(run())
