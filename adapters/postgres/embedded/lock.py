"""One supervisor a directory: advisory locks that end with the process that holds them."""

from __future__ import annotations

import os
import sys
import time
from typing import TYPE_CHECKING

from adapters.postgres.embedded.failure import EmbeddedPostgresFailure

if sys.platform != "win32":
    import fcntl

if TYPE_CHECKING:
    from pathlib import Path

_POLL_SECONDS = 0.02


class DirectoryInUse(EmbeddedPostgresFailure):
    """Another supervisor, or the guard of one that has just died, still works in the directory."""

    def __init__(self, *, lock: Path) -> None:
        self.directory = lock.parent
        self.lock = lock
        super().__init__(f"{lock.parent} is in use by another process ({lock.name} is held)")


def acquire(path: Path, *, timeout_seconds: float) -> int:
    """Lock the file `path`, created if missing, and return its descriptor; closing it unlocks.

    The lock belongs to the open file (flock(2)), so a child that inherits the descriptor keeps it.

    Raises:
        DirectoryInUse: somebody else held the lock for all of `timeout_seconds`.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o600)
    deadline = time.monotonic() + timeout_seconds
    try:
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError as error:
                if time.monotonic() >= deadline:
                    raise DirectoryInUse(lock=path) from error
                time.sleep(_POLL_SECONDS)
            else:
                return descriptor
    except BaseException:
        os.close(descriptor)
        raise
