"""Try the demo and the EVM adapter on anvil, which npm installs into a folder of its own.

``python -m tests.support.anvil.run FOLDER [arguments of pytest]``; the status is that of the first
of the two that fails.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

from entrypoints.cli.processes import free

if TYPE_CHECKING:
    from collections.abc import Iterator

HERE: Final = Path(__file__).parent
ROOT: Final = HERE.parents[2]
START_SECONDS = 20
STOP_SECONDS = 10


def install(folder: Path) -> Path:
    """Install anvil into a folder as the lock says; return the program itself.

    npm's own link is a script that starts the program and does not pass signals on.
    """
    npm = shutil.which("npm")
    if npm is None:
        sys.exit("npm is needed to install anvil")
    folder.mkdir(parents=True, exist_ok=True)
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, folder)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    subprocess.run(command, cwd=folder, check=True)  # noqa: S603 (found on PATH)
    (program,) = folder.glob("node_modules/@foundry-rs/anvil-*/bin/anvil*")
    return program


@contextmanager
def node(program: Path, *, block_seconds: int | None = 1) -> Iterator[str]:
    """Run anvil with a block every so often, the third newest final; yield its URL.

    Without an interval it makes blocks for transactions, and when it is told to.
    """
    port = free(0)
    url = f"http://127.0.0.1:{port}"
    options = ["--slots-in-an-epoch", "1", "--chain-id", "31337", "--silent"]
    if block_seconds is not None:
        options += ["--block-time", str(block_seconds)]
    process = subprocess.Popen([program, "--port", str(port), *options])  # noqa: S603 (ours)
    try:
        _wait_for(url, process)
        yield url
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def main(folder: Path, arguments: list[str]) -> int:
    """Run both and return the status."""
    program = install(folder)
    switchyard = [sys.executable, "-m", "entrypoints.cli.main"]
    with node(program) as url:
        status = _run([*switchyard, "demo", "--script", "--evm-rpc", url])
    found_first = os.pathsep.join((str(program.parent), os.environ.get("PATH", os.defpath)))
    pytest = [sys.executable, "-m", "pytest", "tests/adapters/evm", "-k", "anvil", *arguments]
    return status or _run(pytest, PATH=found_first)


def _run(command: list[str], **environment: str) -> int:
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, **environment}, check=False)  # noqa: S603 (ours)
    return done.returncode


def _wait_for(url: str, process: subprocess.Popen[bytes]) -> None:
    call = b'{"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}'
    request = urllib.request.Request(url, call, {"Content-Type": "application/json"})  # noqa: S310 (ours)
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and process.poll() is None:
        with suppress(urllib.error.URLError), urllib.request.urlopen(request, timeout=1):  # noqa: S310 (ours)
            return
        time.sleep(0.05)
    sys.exit("anvil does not answer")


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), sys.argv[2:]))
