"""What a server that nobody guards any more leaves behind: processes and stale files.

A process is taken for ours only if it is called `postgres` and works in this very data directory,
which the postmaster and all its children make their current directory. The process id in
postmaster.pid alone proves nothing: after a crash or a reboot it may be anybody's.
"""

from __future__ import annotations

import contextlib
import signal
import time
from typing import TYPE_CHECKING

import psutil

from adapters.postgres.embedded.failure import EmbeddedPostgresFailure
from adapters.postgres.embedded.layout import PORT

if TYPE_CHECKING:
    from pathlib import Path

_FAST_SECONDS = 30.0
_IMMEDIATE_SECONDS = 10.0
_POLL_SECONDS = 0.02
_STALE = ("postmaster.pid", f".s.PGSQL.{PORT}", f".s.PGSQL.{PORT}.lock")


class OrphanSurvives(EmbeddedPostgresFailure):
    """Server processes of a run before are still alive after everything was tried."""

    def __init__(self, *, data: Path, pids: tuple[int, ...]) -> None:
        self.data = data
        self.pids = pids
        super().__init__(f"the server processes {pids} of {data} do not end")


def postmaster_pid(data: Path) -> int | None:
    """Return the process id on the first line of postmaster.pid, or None if there is none."""
    try:
        return int((data / "postmaster.pid").read_text().split("\n", 1)[0])
    except (FileNotFoundError, ValueError):
        return None


def clear_remains(data: Path) -> None:
    """Stop what still runs on `data` without a guard, and remove the files that claim it.

    The caller holds the locks of the directory. After a clean stop there is no postmaster.pid and
    this returns at once.

    Raises:
        OrphanSurvives: a process does not end within about a minute.
    """
    if not (data / "postmaster.pid").exists():
        return
    pid = postmaster_pid(data)
    orphans = [process for process in psutil.process_iter() if _works_in(process, data)]
    for wanted, number, bound_seconds in (
        # An orphan postmaster ends its sessions and writes a checkpoint: the fast mode of pg_ctl.
        ([p for p in orphans if p.pid == pid], signal.SIGINT, _FAST_SECONDS),
        # The rest has lost its postmaster, or that one hangs: the immediate mode, then force.
        (orphans, signal.SIGQUIT, _IMMEDIATE_SECONDS),
        (orphans, signal.SIGKILL, _IMMEDIATE_SECONDS),
    ):
        _signal([p for p in wanted if _works_in(p, data)], number)
        _await_end(wanted, data=data, bound_seconds=bound_seconds)
    if survivors := tuple(p.pid for p in orphans if _works_in(p, data)):
        raise OrphanSurvives(data=data, pids=survivors)
    for name in _STALE:
        (data / name).unlink(missing_ok=True)


def _works_in(process: psutil.Process, data: Path) -> bool:
    """Tell whether this is a live server process of `data`; one that waits to be reaped is not."""
    try:
        return process.name() == "postgres" and process.cwd() == str(data)
    except psutil.Error:  # It has ended meanwhile, or is not ours to look at.
        return False


def _await_end(processes: list[psutil.Process], *, data: Path, bound_seconds: float) -> None:
    deadline = time.monotonic() + bound_seconds
    while any(_works_in(p, data) for p in processes) and time.monotonic() < deadline:
        time.sleep(_POLL_SECONDS)


def _signal(processes: list[psutil.Process], number: signal.Signals) -> None:
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            process.send_signal(number)
