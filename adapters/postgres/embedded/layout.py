"""Where the parts of one embedded server lie, and who owns them.

`<directory>/` holds the locks, the log and, for root, a copy of the programs where the account
cannot reach the installed ones; `<directory>/data/` is PGDATA with the socket. For an ordinary
user all of it is private. For root the directory itself belongs to root (mode 0711, so that the
account may pass but not list it) and only `data` belongs to the account: nothing root opens or
runs lies where the account could exchange it.
"""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import attrs
import platformdirs

from adapters.postgres.embedded.account import DirectoryNotTraversable
from adapters.postgres.embedded.failure import EmbeddedPostgresFailure

if TYPE_CHECKING:
    from adapters.postgres.embedded.account import Account

PORT = 5432
"""Only names the socket file: TCP is off."""

_SOCKET_PATH_BYTES = 100
"""sun_path holds 108 bytes on Linux and 104 on macOS, the final zero included."""

_LOG_TAIL_BYTES = 4096


class UnsafeDirectory(EmbeddedPostgresFailure):
    """A directory that exists belongs to somebody else, or others may write to it."""

    def __init__(self, *, path: Path, owner: int, mode: int, expected_owner: int) -> None:
        self.path = path
        self.owner = owner
        self.mode = mode
        self.expected_owner = expected_owner
        super().__init__(
            f"{path} has owner uid {owner} and mode {mode:04o}; it needs owner uid "
            f"{expected_owner} and no write access for others: repair it, or choose another"
        )


class SocketPathTooLong(EmbeddedPostgresFailure):
    """Even in the temporary directory the path of the socket exceeds what the system allows."""

    def __init__(self, *, path: Path) -> None:
        self.path = path
        super().__init__(
            f"{path} has a comma or leaves no room for a socket in {_SOCKET_PATH_BYTES} bytes: "
            "point TMPDIR to a shorter path"
        )


def default_data_root() -> Path:
    """Return where Switchyard keeps its data unless told otherwise.

    /var/lib/switchyard for root; for a user the platform's place for application data, which on
    Linux is $XDG_DATA_HOME/switchyard or ~/.local/share/switchyard.
    """
    if os.name == "posix" and os.geteuid() == 0:
        return Path("/var/lib/switchyard")
    return platformdirs.user_data_path("switchyard", appauthor=False)


@attrs.frozen
class Layout:
    """The paths below one directory."""

    root: Path

    @property
    def data(self) -> Path:
        """PGDATA, mode 0700, owned by the account of the server."""
        return self.root / "data"

    @property
    def log(self) -> Path:
        """What the running postmaster and its guard print."""
        return self.root / "server.log"

    @property
    def supervisor_lock(self) -> Path:
        """Held while a supervisor works here."""
        return self.root / "supervisor.lock"

    @property
    def guard_lock(self) -> Path:
        """Held while a guard lives, which may be a little longer than its supervisor."""
        return self.root / "guard.lock"

    def open_log(self) -> int:
        """Put the log of the run before aside as server.log.old and open a new one."""
        if self.log.exists():
            self.log.replace(self.log.with_suffix(".log.old"))
        return os.open(self.log, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)

    def log_tail(self) -> str:
        """Return the last lines of the log, at most 4 KiB."""
        try:
            return self.log.read_bytes()[-_LOG_TAIL_BYTES:].decode(errors="replace").strip()
        except FileNotFoundError:
            return ""


def prepare(directory: Path, *, account: Account) -> Layout:
    """Create the directory where it is missing, or check that the existing one is ours.

    A missing or empty directory gets the mode described at the top; no other directory that exists
    is touched.

    Raises:
        DirectoryNotTraversable: the account cannot reach the directory.
        UnsafeDirectory: the directory belongs to another user, or others may write to it.
    """
    root = directory.expanduser().resolve()
    mode = 0o711 if account.dropped else 0o700
    _require_way(root.parent, wanted=root, account=account)
    for missing in reversed([p for p in (root, *root.parents) if not p.exists()]):
        missing.mkdir(mode=mode)
        missing.chmod(mode)  # A strict umask must not lock the account out of what we make for it.
    if root.stat().st_uid == os.geteuid() and not any(root.iterdir()):
        root.chmod(mode)
    require_owner(root, uid=os.geteuid())
    _require_way(root, wanted=root, account=account)
    return Layout(root)


def require_owner(path: Path, *, uid: int) -> None:
    """Raise UnsafeDirectory unless `path` belongs to `uid` and nobody else may write to it."""
    status = path.lstat()
    mode = stat.S_IMODE(status.st_mode)
    if status.st_uid != uid or mode & 0o022:
        raise UnsafeDirectory(path=path, owner=status.st_uid, mode=mode, expected_owner=uid)


def choose_socket_directory(layout: Layout, *, account: Account) -> Path:
    """Return the data directory, or a new temporary one if no socket address can name it.

    libpq reads a comma in `host` as a list of hosts, so such a path does not fit either.

    Raises:
        SocketPathTooLong: the system's temporary directory does not fit either.
        DirectoryNotTraversable: the account cannot reach the system's temporary directory.
    """
    if _fits(layout.data):
        return layout.data
    temporary = Path(tempfile.gettempdir()).resolve()
    _require_way(temporary, wanted=temporary, account=account)
    created = Path(tempfile.mkdtemp(prefix="switchyard-", dir=temporary))
    if not _fits(created):
        created.rmdir()
        raise SocketPathTooLong(path=created)
    account.give(created)
    return created


def discard(directory: Path) -> None:
    """Remove a directory of ours and all below it, as far as that is possible."""
    shutil.rmtree(directory, ignore_errors=True)


def _fits(directory: Path) -> bool:
    socket = os.fsencode(directory / f".s.PGSQL.{PORT}")
    return len(socket) <= _SOCKET_PATH_BYTES and b"," not in socket


def _require_way(path: Path, *, wanted: Path, account: Account) -> None:
    blocked = account.blocked_at(path)
    if blocked is not None:
        raise DirectoryNotTraversable(blocked=blocked, wanted=wanted, account=account.name)
