"""What every command says where the database does not answer."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.entrypoints.cli.conftest import SETTINGS

if TYPE_CHECKING:
    from collections.abc import Callable

ROOT = Path(__file__).parents[3]
COMMANDS = (["serve"], ["worker"], ["migrate"], ["settle", "run"], ["books", "check"])


def test_a_database_that_is_down_is_told_in_a_line(
    written: Callable[..., Path], tmp_path: Path
) -> None:
    keys = {**SETTINGS["keys"], "hot_wallet_file": str(tmp_path / "not read, there is no chain")}
    file = written(keys=keys)
    # All at once: each of them waits some seconds for the database.
    running = {
        " ".join(command): subprocess.Popen(  # noqa: S603 (our own program)
            [sys.executable, "-m", "entrypoints.cli.main", *command, f"--settings={file}"],
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for command in COMMANDS
    }
    ended = {
        name: (*each.communicate(timeout=60), each.returncode) for name, each in running.items()
    }
    for name, (said, complained, status) in ended.items():
        assert status not in {0, 2}, name
        assert "Traceback" not in complained, complained
        assert "The storage did not answer" in complained, name
        assert "not-told" not in said + complained, name
