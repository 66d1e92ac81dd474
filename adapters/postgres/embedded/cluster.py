"""The data directory, in PostgreSQL's words the cluster: made once, checked at every start."""

from __future__ import annotations

import os
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from adapters.postgres.embedded.binaries import MAJOR
from adapters.postgres.embedded.failure import EmbeddedPostgresFailure
from adapters.postgres.embedded.layout import discard, require_owner

if TYPE_CHECKING:
    from adapters.postgres.embedded.account import Account
    from adapters.postgres.embedded.binaries import Installation
    from adapters.postgres.embedded.layout import Layout

SUPERUSER = "switchyard"

ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
"""All that the programs see: the caller's PGDATA or LD_PRELOAD must not reach them."""

_INITDB_SECONDS = 120


class InitializationFailed(EmbeddedPostgresFailure):
    """`initdb` could not make a data directory."""

    def __init__(self, *, data: Path, output: str) -> None:
        self.data = data
        self.output = output
        super().__init__(f"initdb failed for {data}:\n{output}")


class MajorVersionMismatch(EmbeddedPostgresFailure):
    """Another major version wrote the data; `found` is None if it is no data directory."""

    def __init__(self, *, data: Path, found: str | None, expected: str) -> None:
        self.data = data
        self.found = found
        self.expected = expected
        super().__init__(
            f"{data} holds data of PostgreSQL {found or 'no version (without PG_VERSION)'}, but "
            f"the embedded server is {expected}: move it with pg_dump or pg_upgrade, or choose "
            "another directory"
        )


def ensure_cluster(
    *, layout: Layout, installation: Installation, account: Account, durable: bool
) -> None:
    """Make the data directory, or check the one that exists.

    It appears whole, by a rename, so that an initialization that was killed leaves nothing that
    looks like data. With `durable` false nothing is synced to the disk.

    Raises:
        InitializationFailed: initdb failed.
        MajorVersionMismatch: the data is of another major version.
        UnsafeDirectory: the data belongs to another account.
    """
    if layout.data.exists():
        _check(layout.data, uid=account.uid)
        return
    for remains in layout.root.glob("data.*.partial"):
        discard(remains)
    partial = Path(tempfile.mkdtemp(prefix="data.", suffix=".partial", dir=layout.root))
    account.give(partial)
    _initialize(partial, installation=installation, account=account, durable=durable)
    partial.rename(layout.data)
    if durable:
        _sync(layout.root)


def _check(data: Path, *, uid: int) -> None:
    require_owner(data, uid=uid)
    try:
        found = (data / "PG_VERSION").read_text().strip()
    except FileNotFoundError:
        found = None
    if found != MAJOR:
        raise MajorVersionMismatch(data=data, found=found, expected=MAJOR)


def _initialize(
    data: Path, *, installation: Installation, account: Account, durable: bool
) -> None:
    command = [
        str(installation.program("initdb")),
        f"--pgdata={data}",
        f"--username={SUPERUSER}",
        # Trust suits the socket alone: in a 0700 directory only the account itself can reach it.
        "--auth-local=trust",
        "--auth-host=scram-sha-256",
        "--encoding=UTF8",
        "--locale-provider=builtin",
        "--builtin-locale=C.UTF-8",
        "--no-instructions",
        *([] if durable else ["--no-sync"]),
    ]
    try:
        done = subprocess.run(  # noqa: S603 - the programs are ours, and no shell is involved.
            command,
            check=False,
            cwd="/",
            env=ENVIRONMENT,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            errors="replace",
            timeout=_INITDB_SECONDS,
            start_new_session=True,
            user=account.user,
            group=account.group,
            extra_groups=account.extra_groups,
        )
    except BaseException:
        discard(data)
        raise
    if done.returncode != 0:
        discard(data)
        raise InitializationFailed(data=data, output=done.stdout.strip())


def _sync(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
