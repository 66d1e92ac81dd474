"""Try the exchange adapter on Uniswap's own contracts, which npm puts into a folder of its own.

``python -m tests.support.uniswap.run FOLDER [arguments of pytest]``; the status is pytest's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from tests.support.uniswap.contracts import FOLDER_VARIABLE

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[2]


def install(folder: Path) -> None:
    """Install the contracts into a folder as the lock says."""
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is needed to fetch the contracts")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=folder, check=True)  # noqa: S603 (found on PATH)


def main(folder: Path, arguments: list[str]) -> int:
    """Fetch the contracts, run the tests, and return their status."""
    install(folder)
    command = [sys.executable, "-m", "pytest", "tests/uniswap", *arguments]
    environment = {**os.environ, FOLDER_VARIABLE: str(folder.resolve())}
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode  # noqa: S603 (ours)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
