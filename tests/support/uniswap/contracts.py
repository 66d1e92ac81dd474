"""Uniswap's own contracts, as npm has brought them: interfaces and bytecode."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path
from typing import Any, Final

import attrs

FOLDER_VARIABLE: Final = "SWITCHYARD_TEST_UNISWAP"
"""Names the folder that npm has installed into; ``tox -e uniswap`` sets it."""

CORE: Final = "v2-core"
PERIPHERY: Final = "v2-periphery"


@attrs.frozen
class Artifact:
    """A compiled contract."""

    abi: list[Any]
    bytecode: str


@cache
def artifact(package: str, name: str) -> Artifact:
    """Read one; both packages are GPL-3.0-or-later, so they are used here and never shipped."""
    folder = Path(os.environ[FOLDER_VARIABLE])
    file = folder / "node_modules" / "@uniswap" / package / "build" / f"{name}.json"
    content = json.loads(file.read_text())
    return Artifact(content["abi"], "0x" + content["bytecode"].removeprefix("0x"))
