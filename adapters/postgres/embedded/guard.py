"""The process between a supervisor and its postmaster: the server ends when the supervisor does.

Run as a script, by path and in isolated mode, so that it needs nothing but the standard library
whatever the working directory and the environment. Its arguments are one JSON object (see
`Errand`). Its standard input is a pipe that the supervisor holds open and never writes to: the
kernel closes it even when the supervisor is killed. Where a fork of the supervisor keeps the pipe
open, the change of the parent process tells the same. Standard output and error are the server's
log.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import TypedDict

FAST_SECONDS = 30.0
IMMEDIATE_SECONDS = 10.0
STOP_SECONDS = FAST_SECONDS + IMMEDIATE_SECONDS
"""A guard has ended this long after it was told to stop, give or take a second."""

_PARENT_CHECK_SECONDS = 1.0


class Errand(TypedDict):
    """What a guard is told on its command line."""

    supervisor: int
    """Process id of the parent."""
    command: list[str]
    """The postmaster."""
    user: int | None
    group: int | None
    extra_groups: list[int] | None
    """Whom to become, as subprocess takes it."""
    temporary_directory: str | None
    """Where the socket is if not beside the data; removed at the end."""


def main() -> int:
    """Run the postmaster until told to stop, and return 0; or 1 if it ended by itself."""
    errand: Errand = json.loads(sys.argv[1])
    # The wake-up descriptor turns signals into something select can wait for. SIGINT is the
    # terminal's Ctrl-C: the order in which things stop is the supervisor's to decide, so it wakes
    # us and is dropped.
    wake, wake_up = os.pipe()
    os.set_blocking(wake_up, False)
    signal.set_wakeup_fd(wake_up, warn_on_full_buffer=False)
    for number in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM, signal.SIGCHLD):
        signal.signal(number, lambda _number, _frame: None)
    try:
        postmaster = subprocess.Popen(  # noqa: S603 - the supervisor wrote the command; no shell.
            errand["command"],
            cwd="/",
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            umask=0o077,
            user=errand["user"],
            group=errand["group"],
            extra_groups=errand["extra_groups"],
        )
        told = _wait(postmaster, supervisor=errand["supervisor"], wake=wake)
        _stop(postmaster)
    finally:
        if errand["temporary_directory"] is not None:
            _remove(Path(errand["temporary_directory"]))
    return 0 if told else 1


def _wait(postmaster: subprocess.Popen[bytes], *, supervisor: int, wake: int) -> bool:
    """Return True once the server shall stop, False once it has stopped by itself."""
    supervisor_pipe = sys.stdin.fileno()
    while postmaster.poll() is None:
        readable, _, _ = select.select([supervisor_pipe, wake], [], [], _PARENT_CHECK_SECONDS)
        if supervisor_pipe in readable or os.getppid() != supervisor:
            return True
        if wake in readable and {signal.SIGTERM, signal.SIGHUP} & set(os.read(wake, 64)):
            return True
    return False


def _stop(postmaster: subprocess.Popen[bytes]) -> None:
    """End the postmaster: fast (checkpoint), immediate (recovery later), then by force."""
    for number, bound in (
        (signal.SIGINT, FAST_SECONDS),
        (signal.SIGQUIT, IMMEDIATE_SECONDS),
        (signal.SIGKILL, None),
    ):
        postmaster.send_signal(number)  # A postmaster that has already ended is left alone.
        try:
            postmaster.wait(bound)
        except subprocess.TimeoutExpired:
            continue
        return


def _remove(directory: Path) -> None:
    for leftover in directory.glob(".s.PGSQL.*"):
        leftover.unlink(missing_ok=True)
    directory.rmdir()


if __name__ == "__main__":
    sys.exit(main())
