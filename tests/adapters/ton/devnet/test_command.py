"""The command that serves a TON chain: what it writes, how it ends, and what it says."""

from __future__ import annotations

import json
import os
import signal
import socket
import threading
import time
from typing import TYPE_CHECKING, Any

from click.testing import CliRunner

from adapters.ton.devnet.devnet import TonDevnet
from adapters.ton.devnet.store import ChainUnreadable, DevnetRunning
from entrypoints.cli.processes import PortTaken
from entrypoints.cli.ton_devnet import ton_devnet

if TYPE_CHECKING:
    from pathlib import Path

    from click.testing import Result


def _run(directory: Path, *options: str) -> Result:
    arguments = ["--config-file", str(directory / "global.json"), "--block-seconds", "0.05"]
    return CliRunner().invoke(ton_devnet, [*arguments, *options])


def _stop_when(written: Path) -> None:
    for _ in range(500):
        if written.exists():
            break
        time.sleep(0.01)
    os.kill(os.getpid(), signal.SIGTERM)


def _served(directory: Path, *options: str) -> dict[str, Any]:
    written = directory / "global.json"
    written.unlink(missing_ok=True)
    watching = threading.Thread(target=_stop_when, args=[written])
    watching.start()
    done = _run(directory, *options)
    watching.join()
    assert done.exit_code == 0, done.output
    config: dict[str, Any] = json.loads(written.read_text())
    assert f"127.0.0.1:{config['liteservers'][0]['port']}" in done.output
    return config


def test_a_chain_keeps_its_port_and_key_over_restarts(tmp_path: Path) -> None:
    database = ["--database", str(tmp_path / "chain.sqlite")]
    first = _served(tmp_path, *database)
    port = str(first["liteservers"][0]["port"])
    assert _served(tmp_path, *database, "--port", port) == first
    assert sorted(each.name for each in tmp_path.iterdir()) == ["chain.sqlite", "global.json"]


def test_it_does_not_start_where_something_is_in_the_way(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        refused = _run(tmp_path, "--port", str(other.getsockname()[1]))
    assert isinstance(refused.exception, PortTaken)
    database = tmp_path / "chain.sqlite"
    devnet = TonDevnet(database=database, block_seconds=0)
    refused = _run(tmp_path, "--database", str(database))
    devnet.chain.close()
    assert isinstance(refused.exception, DevnetRunning)
    database.write_bytes(b"no chain" * 1024)
    refused = _run(tmp_path, "--database", str(database))
    assert isinstance(refused.exception, ChainUnreadable)
    assert not (tmp_path / "global.json").exists()
