"""A PostgreSQL server of our own, for the demo and the tests: one host, no TCP, no set-up."""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Self
from urllib.parse import quote

import attrs
import psycopg
from psycopg import sql

from adapters.postgres.embedded import guard
from adapters.postgres.embedded.account import account_for
from adapters.postgres.embedded.binaries import reachable_installation
from adapters.postgres.embedded.cluster import ENVIRONMENT, SUPERUSER, ensure_cluster
from adapters.postgres.embedded.failure import EmbeddedPostgresFailure
from adapters.postgres.embedded.layout import (
    PORT,
    choose_socket_directory,
    discard,
    prepare,
)
from adapters.postgres.embedded.lock import acquire
from adapters.postgres.embedded.remains import clear_remains, postmaster_pid

if TYPE_CHECKING:
    from types import TracebackType

    from adapters.postgres.embedded.account import Account
    from adapters.postgres.embedded.binaries import Installation
    from adapters.postgres.embedded.layout import Layout

START_SECONDS = 120.0
"""Long enough for the recovery of a large write-ahead log."""

_GUARD_GRACE_SECONDS = 5.0
_RESERVED = frozenset(
    {"data_directory", "hba_file", "listen_addresses", "port", "unix_socket_directories"}
    | {"unix_socket_permissions"}
)


class ReservedParameter(EmbeddedPostgresFailure):
    """A setting that decides where the server listens is not the caller's to choose."""

    def __init__(self, *, names: frozenset[str]) -> None:
        self.names = names
        super().__init__(f"the embedded server sets {', '.join(sorted(names))} itself")


class AlreadyStarted(EmbeddedPostgresFailure):
    """`start` was called twice."""


class NotStarted(EmbeddedPostgresFailure):
    """The server is not running, so it has no address."""


class StartFailed(EmbeddedPostgresFailure):
    """The server ended, or did not accept connections in time; `log` is the tail of its log."""

    def __init__(self, *, reason: str, log: str) -> None:
        self.reason = reason
        self.log = log
        super().__init__(f"PostgreSQL {reason}; the end of its log:\n{log}")


def _unreserved(_: object, __: object, value: Mapping[str, str]) -> None:
    if taken := _RESERVED & {name.lower() for name in value}:
        raise ReservedParameter(names=taken)


@attrs.frozen(kw_only=True)
class _Run:
    """One start: where it is reached, and the stack that undoes it."""

    socket_directory: Path
    guard_process: subprocess.Popen[bytes]
    undo: contextlib.ExitStack


@attrs.define(kw_only=True, eq=False)
class EmbeddedPostgres:
    """A server on `directory`, running between `start` and `stop` or inside `with`.

    It ends with this process, even if that is killed. Committed data survives everything unless
    `parameters` say otherwise (`fsync=off`). `account` is used by root only, and is whom the
    server runs as; whatever else runs as that account can reach the server.
    """

    directory: Path
    parameters: Mapping[str, str] = attrs.field(factory=dict, validator=_unreserved)
    account: str = "nobody"
    _run: _Run | None = attrs.field(init=False, default=None)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.stop()

    def start(self) -> None:
        """Start the server, over the remains of a crash if need be, and return once it answers.

        Raises:
            AlreadyStarted: it runs.
            DirectoryInUse: another supervisor works in the directory.
            StartFailed: the server ended or did not answer within START_SECONDS.
            EmbeddedPostgresFailure: any of its other children, whose names say what is wrong.
        """
        if self._run is not None:
            raise AlreadyStarted(f"the server on {self.directory} has already been started")
        account = account_for(unprivileged=self.account)
        layout = prepare(self.directory, account=account)
        with contextlib.ExitStack() as undo:
            undo.callback(os.close, acquire(layout.supervisor_lock, timeout_seconds=0))
            # The guard of a supervisor that was killed is given the time to stop its server.
            guard_lock = acquire(layout.guard_lock, timeout_seconds=guard.STOP_SECONDS + 5.0)
            with contextlib.closing(os.fdopen(guard_lock, "rb")):
                clear_remains(layout.data)
                installation = reachable_installation(layout=layout, account=account)
                durable = self.parameters.get("fsync", "on").lower() != "off"
                ensure_cluster(
                    layout=layout, installation=installation, account=account, durable=durable
                )
                socket_directory = choose_socket_directory(layout, account=account)
                if socket_directory != layout.data:
                    undo.callback(discard, socket_directory)
                process = self._launch(
                    layout=layout,
                    installation=installation,
                    account=account,
                    socket_directory=socket_directory,
                    guard_lock=guard_lock,
                )
            undo.callback(_end, process, layout)
            _await_answer(_address(socket_directory), process=process, layout=layout)
            self._run = _Run(
                socket_directory=socket_directory, guard_process=process, undo=undo.pop_all()
            )

    def stop(self) -> None:
        """Stop the server, ending its sessions; do nothing if it is not running."""
        run, self._run = self._run, None
        if run is not None:
            run.undo.close()

    def dsn(self, *, database: str = "postgres") -> str:
        """Return the URL of a database, as libpq and SQLAlchemy read it.

        Raises:
            NotStarted: the server is not running.
        """
        if self._run is None:
            raise NotStarted(f"the server on {self.directory} has not been started")
        return _address(self._run.socket_directory, database=database)

    def create_database(self, name: str, *, template: str | None = None) -> None:
        """Create a database, as a copy of `template` if given; nobody may be connected to that.

        Raises:
            psycopg.errors.DuplicateDatabase: it exists.
            psycopg.errors.ObjectInUse: somebody is connected to the template.
        """
        copied = sql.SQL(" TEMPLATE {}").format(sql.Identifier(template or "template1"))
        self._execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)) + copied)

    def drop_database(self, name: str) -> None:
        """Drop a database, ending the sessions that are connected to it.

        Raises:
            psycopg.errors.InvalidCatalogName: there is no such database.
        """
        self._execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))

    def _execute(self, statement: sql.Composed) -> None:
        with psycopg.connect(self.dsn(), autocommit=True) as connection:
            connection.execute(statement)

    def _launch(
        self,
        *,
        layout: Layout,
        installation: Installation,
        account: Account,
        socket_directory: Path,
        guard_lock: int,
    ) -> subprocess.Popen[bytes]:
        quoted = str(socket_directory).replace('"', '""')
        settings = {
            **self.parameters,
            "listen_addresses": "",
            "port": str(PORT),
            "unix_socket_directories": f'"{quoted}"',
            "unix_socket_permissions": "0700",
        }
        command = [str(installation.program("postgres")), "-D", str(layout.data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        temporary = None if socket_directory == layout.data else str(socket_directory)
        errand: guard.Errand = {
            "supervisor": os.getpid(),
            "command": command,
            "user": account.user,
            "group": account.group,
            "extra_groups": account.extra_groups,
            "temporary_directory": temporary,
        }
        with contextlib.closing(os.fdopen(layout.open_log(), "ab")) as log:
            return subprocess.Popen(  # noqa: S603 - our own script and interpreter; no shell.
                [sys.executable, "-I", "-S", guard.__file__, json.dumps(errand)],
                cwd="/",
                env=ENVIRONMENT,
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
                pass_fds=(guard_lock,),
            )


def _address(socket_directory: Path, *, database: str = "postgres") -> str:
    host = quote(str(socket_directory))
    return f"postgresql://{SUPERUSER}@/{quote(database, safe='')}?host={host}&port={PORT}"


def _await_answer(address: str, *, process: subprocess.Popen[bytes], layout: Layout) -> None:
    deadline = time.monotonic() + START_SECONDS
    pause_seconds = 0.01
    while time.monotonic() < deadline:
        if process.poll() is not None:
            raise StartFailed(reason="ended at the start", log=layout.log_tail())
        try:
            psycopg.connect(address, connect_timeout=5).close()
        except psycopg.OperationalError:
            time.sleep(pause_seconds)
            pause_seconds = min(pause_seconds * 1.5, 0.05)
        else:
            return
    raise StartFailed(reason=f"did not answer in {START_SECONDS} s", log=layout.log_tail())


def _end(process: subprocess.Popen[bytes], layout: Layout) -> None:
    """Let the guard stop the server; if the guard was killed, or hangs, stop what it has left."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        process.wait(guard.STOP_SECONDS + _GUARD_GRACE_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
    if postmaster_pid(layout.data) is not None:
        clear_remains(layout.data)
