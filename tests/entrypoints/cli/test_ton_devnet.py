"""The command that serves a TON chain, where there is no TVM to execute it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from click.testing import CliRunner

from adapters.ton.devnet.emulator import LIBRARY_VARIABLE
from config.ton_devnet import available
from entrypoints.cli.ton_devnet import UNAVAILABLE, ton_devnet

if TYPE_CHECKING:
    from pathlib import Path

    import pytest


def test_it_says_what_is_missing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(LIBRARY_VARIABLE, str(tmp_path / "nowhere"))
    done = CliRunner().invoke(ton_devnet, ["--config-file", str(tmp_path / "global.json")])
    assert done.exit_code == UNAVAILABLE
    assert "Use Python 3.11" in done.output
    assert available() is not None
    assert not (tmp_path / "global.json").exists()
