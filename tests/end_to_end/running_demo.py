"""``switchyard demo`` in a process group of its own, as a terminal runs it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs
import psutil

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT: Final = Path(__file__).parents[2]
START_SECONDS = 120
STOP_SECONDS = 30
"""How long a demo may take to stop, however it is stopped."""
_POLL_SECONDS = 0.05


def switchyard(*arguments: str) -> list[str]:
    """Return the command line of ``switchyard``."""
    return [sys.executable, "-m", "entrypoints.cli.main", *arguments]


def run(*arguments: str, timeout_seconds: float = 60) -> subprocess.CompletedProcess[str]:
    """Run ``switchyard`` to its end, outside any demo's directory and settings."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("SWITCHYARD_")}
    return subprocess.run(  # noqa: S603 (our own program)
        switchyard(*arguments),
        cwd=ROOT,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        timeout=timeout_seconds,
    )


@contextmanager
def data_directory() -> Iterator[Path]:
    """Make a directory that the account PostgreSQL runs under, where we are root, may enter."""
    directory = Path(tempfile.mkdtemp(prefix="switchyard-demo-")).resolve()
    directory.chmod(0o711)
    try:
        yield directory / "demo"
    finally:
        kill(processes_in(directory))
        shutil.rmtree(directory)


def processes_in(directory: Path) -> list[psutil.Process]:
    """Find every process that works in a directory or was told of a path in it."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):
            told = any(str(directory) in word for word in process.cmdline())
            inside = Path(process.cwd()).is_relative_to(directory)
            if (told or inside) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
    return found


def wait_until_gone(directory: Path, *, timeout_seconds: float = STOP_SECONDS) -> float:
    """Wait until no process of a demo is left; return how many seconds that took."""
    began = time.monotonic()
    while alive := processes_in(directory):
        waited = time.monotonic() - began
        assert waited < timeout_seconds, [" ".join(process.cmdline()) for process in alive]
        time.sleep(_POLL_SECONDS)
    return time.monotonic() - began


def kill(processes: list[psutil.Process]) -> None:
    """Kill them all, as near to at once as can be: none may see another one end."""
    for number in (signal.SIGSTOP, signal.SIGKILL):
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.send_signal(number)


@attrs.define
class RunningDemo:
    """One run of a demo over a data directory."""

    directory: Path
    process: subprocess.Popen[str]
    output: Path

    @classmethod
    def start(cls, directory: Path, *arguments: str) -> RunningDemo:
        """Start a demo on free ports, and do not wait until it is ready."""
        output = directory.with_suffix(".out")
        with output.open("w") as file:
            process = subprocess.Popen(  # noqa: S603 (our own program)
                switchyard("demo", f"--data={directory}", "--port=0", "--devnet-port=0")
                + list(arguments),
                cwd=ROOT,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                text=True,
                start_new_session=True,
            )
        return cls(directory, process, output)

    @classmethod
    def ready(cls, directory: Path) -> RunningDemo:
        """Start a demo and wait until it says that it runs."""
        demo = cls.start(directory)
        deadline = time.monotonic() + START_SECONDS
        while "Ctrl-C stops it" not in demo.said():
            assert demo.process.poll() is None, demo.said()
            assert time.monotonic() < deadline, demo.said()
            time.sleep(_POLL_SECONDS)
        return demo

    def said(self) -> str:
        """Return what it has printed."""
        return self.output.read_text()

    def line(self, name: str) -> str:
        """Return the first word after a name in the welcome."""
        found = re.search(rf"^  {name} +(\S+)", self.said(), re.MULTILINE)
        assert found, self.said()
        return found[1]

    @property
    def api_url(self) -> str:
        """Where the API listens."""
        return self.line("API")

    def commands(self) -> list[str]:
        """Return the commands that the welcome tells the reader to try, as a shell reads them."""
        joined = self.said().replace("\\\n", " ")
        return re.findall(r"^  ((?:curl|switchyard) .*)$", joined, re.MULTILINE)

    def process_of(self, command: str) -> psutil.Process:
        """Return the process of one of ``switchyard``'s commands."""
        (found,) = [each for each in processes_in(self.directory) if command in each.cmdline()]
        return found

    def interrupt(self) -> int:
        """Press Ctrl-C, and return the exit status when nothing of the demo is left."""
        os.killpg(self.process.pid, signal.SIGINT)
        status = self.process.wait(STOP_SECONDS)
        wait_until_gone(self.directory, timeout_seconds=1)
        return status

    def kill_supervisor(self) -> float:
        """Kill the demo's own process alone; return the seconds until its children are gone."""
        self.process.kill()
        self.process.wait(STOP_SECONDS)
        return wait_until_gone(self.directory)

    def kill_everything(self) -> None:
        """Kill every process of the demo at once, as when the power fails."""
        kill(processes_in(self.directory))
        self.process.wait(STOP_SECONDS)
        wait_until_gone(self.directory)
