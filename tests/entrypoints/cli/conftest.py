from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import pytest
import tomli_w
from click.testing import CliRunner

from adapters.evm.wallet_seed import account_xpub
from config.settings import FILE_VARIABLE, PREFIX
from entrypoints.cli.main import main

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

CLOSED_PORT = 9
"""Discard (RFC 863): nobody listens there."""
ADDRESS = "0x" + "5f" * 20
SETTINGS: dict[str, Any] = {
    "deployment": "demo",
    "database": {"url": f"postgresql://switchyard:not-told@127.0.0.1:{CLOSED_PORT}/none"},
    "http": {"cursor_key": "c" * 32, "port": 0},
    "keys": {"xpub": account_xpub(bytes(64))},
    "assets": [{"id": "iso4217:USD", "symbol": "USD", "decimals": 2}],
    "chains": [],
    "rates": [],
}


@pytest.fixture(autouse=True)
def no_settings_of_ours(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [*os.environ]:
        if name.startswith(PREFIX) or name == FILE_VARIABLE:
            monkeypatch.delenv(name)


@pytest.fixture
def switchyard() -> Callable[..., Result]:
    """Run ``switchyard`` in this process."""

    def run(*arguments: str) -> Result:
        return CliRunner().invoke(main, arguments)

    return run


@pytest.fixture
def written(tmp_path: Path) -> Callable[..., Path]:
    """Write settings: the usual ones, with tables in place of theirs."""

    def write(**tables: Any) -> Path:  # noqa: ANN401 (of any type)
        file = tmp_path / "settings.toml"
        told = {name: table for name, table in (SETTINGS | tables).items() if table is not None}
        file.write_text(tomli_w.dumps(told))
        return file

    return write
