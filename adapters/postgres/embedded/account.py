"""The operating system account that PostgreSQL runs under.

PostgreSQL refuses to run as root. An ordinary user runs it as itself; root runs it as an existing
account without rights, and no account is created and no parent directory is opened for it.
"""

from __future__ import annotations

import os
import stat
import sys
from typing import TYPE_CHECKING

import attrs

from adapters.postgres.embedded.failure import EmbeddedPostgresFailure

if sys.platform != "win32":
    import pwd

if TYPE_CHECKING:
    from pathlib import Path


class UnsupportedPlatform(EmbeddedPostgresFailure):
    """The embedded server needs POSIX accounts, modes and locks: give the URL of another."""


class AccountUnusable(EmbeddedPostgresFailure):
    """Root was told to run PostgreSQL as an account that is missing or is root itself."""

    def __init__(self, *, name: str) -> None:
        self.name = name
        super().__init__(
            f"cannot run PostgreSQL as the account {name!r}: name an existing one other than root"
        )


class DirectoryNotTraversable(EmbeddedPostgresFailure):
    """A directory on the way to the data keeps the account of the server out."""

    def __init__(self, *, blocked: Path, wanted: Path, account: str) -> None:
        self.blocked = blocked
        self.wanted = wanted
        self.account = account
        super().__init__(
            f"{account!r}, the account PostgreSQL runs under, may not enter {blocked}, on the way "
            f"to {wanted}: choose a directory elsewhere (for example below /var/lib), or allow it "
            f"with `chmod o+x {blocked}`"
        )


@attrs.frozen(kw_only=True)
class Account:
    """Who the server runs as; `dropped` says that this differs from who we are (root)."""

    name: str
    uid: int
    gid: int
    dropped: bool

    @property
    def user(self) -> int | None:
        """The `user` argument of subprocess: None keeps the account we have."""
        return self.uid if self.dropped else None

    @property
    def group(self) -> int | None:
        """The `group` argument of subprocess."""
        return self.gid if self.dropped else None

    @property
    def extra_groups(self) -> list[int] | None:
        """The `extra_groups` argument of subprocess: root's own groups are never passed on."""
        return [] if self.dropped else None

    def give(self, path: Path) -> None:
        """Make this account the owner of `path`, which we have just created."""
        if self.dropped:
            os.chown(path, self.uid, self.gid)

    def blocked_at(self, path: Path) -> Path | None:
        """Return the first step from the root to `path` that this account may not pass.

        Steps that do not exist yet block nobody. For another account the answer is read from
        owner, group and mode; access lists are not considered.
        """
        for step in (*reversed(path.parents), path):
            try:
                status = step.stat()
            except FileNotFoundError:
                return None
            if not self._admits(status, step):
                return step
        return None

    def _admits(self, status: os.stat_result, step: Path) -> bool:
        if not self.dropped:
            return os.access(step, os.X_OK)
        if status.st_uid == self.uid:
            return bool(status.st_mode & stat.S_IXUSR)
        if status.st_gid == self.gid:
            return bool(status.st_mode & stat.S_IXGRP)
        return bool(status.st_mode & stat.S_IXOTH)


def account_for(*, unprivileged: str) -> Account:
    """Choose the account: our own, or `unprivileged` when we are root.

    Raises:
        UnsupportedPlatform: this is Windows.
        AccountUnusable: we are root, and `unprivileged` does not exist or is root too.
    """
    if sys.platform == "win32":
        raise UnsupportedPlatform(UnsupportedPlatform.__doc__)
    uid = os.geteuid()
    if uid != 0:
        return Account(name=f"uid {uid}", uid=uid, gid=os.getegid(), dropped=False)
    try:
        entry = pwd.getpwnam(unprivileged)
    except KeyError as error:
        raise AccountUnusable(name=unprivileged) from error
    if entry.pw_uid == 0:
        raise AccountUnusable(name=unprivileged)
    return Account(name=unprivileged, uid=entry.pw_uid, gid=entry.pw_gid, dropped=True)
