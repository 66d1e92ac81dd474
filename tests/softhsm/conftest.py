"""A token in software: SoftHSM, of Debian's package ``softhsm2``."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from adapters.keys.pkcs11 import TokenPlace

if TYPE_CHECKING:
    from collections.abc import Iterator

LIBRARY = Path(os.environ.get("SWITCHYARD_TEST_SOFTHSM", "/usr/lib/softhsm/libsofthsm2.so"))
PIN = "made-up-4711"


@pytest.fixture(scope="session")
def token(tmp_path_factory: pytest.TempPathFactory) -> Iterator[TokenPlace]:
    """Make a token. The library reads its configuration once in a process, so there is one."""
    folder = tmp_path_factory.mktemp("softhsm")
    (folder / "tokens").mkdir()
    configuration = folder / "softhsm2.conf"
    configuration.write_text(f"directories.tokendir = {folder / 'tokens'}\nlog.level = ERROR\n")
    os.environ["SOFTHSM2_CONF"] = str(configuration)
    made = ["softhsm2-util", "--init-token", "--free", "--label", "switchyard"]
    subprocess.run(  # noqa: S603 (a program of Debian's)
        [*made, "--so-pin", PIN, "--pin", PIN], check=True, capture_output=True, timeout=30
    )
    yield TokenPlace(library=LIBRARY, token="switchyard", key="hot", pin=PIN)
    del os.environ["SOFTHSM2_CONF"]
