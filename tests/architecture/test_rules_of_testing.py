"""What tests/conftest.py promises."""

from __future__ import annotations

import shutil
import socket
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest
from hypothesis import settings

from tests.architecture.tree import ROOT

if TYPE_CHECKING:
    from pathlib import Path

SKIPPED_TEST = """
import pytest

def test_later():
    pytest.skip("not today")
"""
SKIPPED_MODULE = """
import pytest

pytest.skip("not here", allow_module_level=True)
"""


@pytest.mark.parametrize("skipping", [SKIPPED_TEST, SKIPPED_MODULE], ids=["test", "module"])
@pytest.mark.parametrize("ci", [False, True], ids=["anywhere", "in CI"])
def test_a_skip_fails_in_ci_alone(tmp_path: Path, skipping: str, *, ci: bool) -> None:
    shutil.copy(ROOT / "tests/conftest.py", tmp_path)
    (tmp_path / "test_skipping.py").write_text(skipping)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-rs"],
        cwd=tmp_path,
        env={"CI": "true" if ci else "", "PYTHONPATH": str(ROOT)},
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (done.returncode in {1, 2}) is ci, done.stdout
    assert ("nothing is skipped in CI" in done.stdout) is ci
    assert ("1 skipped" in done.stdout) is not ci


@pytest.mark.parametrize("host", ["192.0.2.1", "2001:db8::1"])
def test_nothing_outside_this_machine_is_reached(host: str) -> None:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as sock:
        sock.settimeout(1)
        with pytest.raises(UserWarning, match=r"tried to use socket\.socket\.connect"):
            sock.connect((host, 9))


def test_this_machine_is_reached() -> None:
    with (
        socket.create_server(("127.0.0.1", 0)) as server,
        socket.create_connection(server.getsockname(), timeout=1),
    ):
        pass


def test_unix_sockets_are_reached(tmp_path: Path) -> None:
    path = str(tmp_path / "s")
    with socket.socket(socket.AF_UNIX) as server, socket.socket(socket.AF_UNIX) as client:
        server.bind(path)
        server.listen()
        client.connect(path)


def test_hypothesis_sets_no_deadline() -> None:
    assert settings.default is not None
    assert settings.default.deadline is None
