"""What every command says to settings that cannot be used, before it does anything."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from config.settings import FILE_VARIABLE
from tests.entrypoints.cli.conftest import CLOSED_PORT

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from click.testing import Result

COMMANDS = (["serve"], ["worker"], ["migrate"], ["settle", "run"], ["books", "check"])


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
class TestEachCommand:
    def test_explains_itself(self, switchyard: Callable[..., Result], command: list[str]) -> None:
        for option in ("--help", "-h"):
            told = switchyard(*command, option)

            assert told.exit_code == 0
            assert told.stdout.startswith(f"Usage: main {' '.join(command)} [OPTIONS]")
            assert "--settings FILE" in told.stdout
            assert "--stop-with-parent" not in told.stdout

    def test_wants_a_file(self, switchyard: Callable[..., Result], command: list[str]) -> None:
        told = switchyard(*command)

        assert told.exit_code == 2
        assert told.stderr == f"{FILE_VARIABLE} must name the settings file\n"

    def test_names_a_file_that_is_missing(
        self, switchyard: Callable[..., Result], command: list[str], tmp_path: Path
    ) -> None:
        told = switchyard(*command, f"--settings={tmp_path / 'none.toml'}")

        assert told.exit_code == 2
        assert told.stderr == f"{tmp_path / 'none.toml'}: No such file or directory\n"

    def test_names_a_file_that_is_no_toml(
        self, switchyard: Callable[..., Result], command: list[str], tmp_path: Path
    ) -> None:
        file = tmp_path / "settings.toml"
        file.write_text("[database\nurl = secret")

        told = switchyard(*command, f"--settings={file}")

        assert told.exit_code == 2
        assert told.stderr.startswith(f"{file}: ")
        assert "secret" not in told.stderr

    def test_names_each_setting_that_is_wrong(
        self,
        switchyard: Callable[..., Result],
        command: list[str],
        written: Callable[..., Path],
    ) -> None:
        file = written(
            database=None,
            http={"cursor_key": "short"},
            worker={"threads": 0},
            webhook={"timeout_seconds": 5},
        )

        told = switchyard(*command, f"--settings={file}")

        assert told.exit_code == 2
        assert told.stdout == ""
        lines = told.stderr.splitlines()
        for wrong in ("database", "cursor_key", "threads", "webhook"):
            assert [line for line in lines if wrong in line], wrong
        assert "short" not in told.stderr  # It is a key.


CHAIN = {
    "id": "eip155:31337",
    "rpc_url": f"http://127.0.0.1:{CLOSED_PORT}",
    "escrow_contract": "0x" + "e" * 40,
    "hot_wallet": "0x" + "a" * 40,
    "treasury": "0x" + "f" * 40,
    "first_block": 1,
}


@pytest.mark.parametrize(
    ("tables", "told"),
    [
        ({"chains": [CHAIN]}, "settings.keys.hot_wallet_file or hot_wallet_key is needed"),
        ({"keys": {"xpub": "xpub of nobody", "hot_wallet_file": "none"}}, "xpub"),
    ],
)
def test_the_worker_wants_keys(
    switchyard: Callable[..., Result],
    written: Callable[..., Path],
    tables: dict[str, Any],
    told: str,
) -> None:
    result = switchyard("worker", f"--settings={written(**tables)}")

    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert told in line


def test_the_groups_list_their_commands(switchyard: Callable[..., Result]) -> None:
    everything = switchyard("--help").stdout
    for name in ("books", "demo", "devnet", "migrate", "pay", "serve", "settle", "worker"):
        assert f"\n  {name} " in everything
    assert switchyard("--version").stdout.startswith("switchyard, version ")
    assert switchyard("nonsense").exit_code == 2
