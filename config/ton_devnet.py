"""The TON devnet as a process of its own."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING

from adapters.ton.devnet.devnet import TonDevnet
from adapters.ton.devnet.emulator import EmulatorMissing, emulator_library
from adapters.ton.devnet.purse import DEVNET_COINS, devnet_wallets

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Callable
    from pathlib import Path

IDLE_SECONDS = 2.0
"""Between blocks when nothing happens: 43,200 a day. The most impatient clients wait three seconds
for one."""


def available() -> str | None:
    """Return why there can be no TON devnet on this machine; None where there can."""
    return None if emulator_library() else str(EmulatorMissing())


async def run(
    *,
    database: Path | None,
    port: int,
    block_seconds: float,
    config_file: Path,
    stop: asyncio.Event,
    on_ready: Callable[[str], None],
    idle_seconds: float = IDLE_SECONDS,
) -> None:
    """Serve a chain on loopback until told to stop; a new one has given coins to the devnet's key.

    Args:
        database: Where the chain is kept; None for one that ends with the process.
        port: The liteserver's TCP port; 0 takes a free one.
        block_seconds: Seconds between blocks when something happens.
        config_file: Where the network's global configuration is written to when it listens, whole
            or not at all. What is there from before is removed first.
        stop: Ends it.
        on_ready: Called with host and port when it listens and the file is written.
        idle_seconds: Seconds between blocks when nothing happens.

    Raises:
        EmulatorMissing: There is no TVM here.
        DevnetRunning: Another devnet has the database open.
        ChainUnreadable: The database is no chain that this program can go on with.
        OSError: Another program listens on the port.
    """
    _remove(config_file)
    devnet = TonDevnet(
        database=database,
        block_seconds=block_seconds,
        idle_seconds=idle_seconds,
        port=port,
        endowed={devnet_wallets().derive(0): DEVNET_COINS},
    )
    async with devnet:
        _write(config_file, json.dumps(devnet.config(), indent=2))
        on_ready(f"127.0.0.1:{devnet.liteservers[0].port}")
        await devnet.until(stop)


def _remove(path: Path) -> None:
    path.unlink(missing_ok=True)


def _write(path: Path, text: str) -> None:
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    draft.write_text(text, encoding="utf-8")
    draft.replace(path)
