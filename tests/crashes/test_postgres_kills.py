"""PostgreSQL is killed under load, again and again: what was answered is there, once."""

from __future__ import annotations

import asyncio
import random
import signal
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import IO, TYPE_CHECKING

import psutil
from psycopg import AsyncConnection

from adapters.postgres.embedded.layout import Layout
from adapters.postgres.embedded.remains import postmaster_pid
from adapters.postgres.embedded.server import EmbeddedPostgres
from config.demo.running import migrated, write_settings
from domain.intents.model import Method
from ports.unit_of_work import StorageUnavailable
from tests.crashes.audit import balance, must_be_right, rows
from tests.crashes.traffic import Traffic
from tests.crashes.world import NET, new_address, new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.crashes.world import World

SEED = 20_261_121
KILLS = 5
PATIENCE_SECONDS = 90
"""How long what was left undone may take: leases have to end."""

PACE = {
    "watch_every_seconds": 0.2,
    "hand_over_every_seconds": 0.2,
    "settle_every_seconds": 0.5,
    "release_every_seconds": 10.0,
}
ROOT = Path(__file__).parents[2]


async def test_what_was_answered_outlives_the_database(tmp_path: Path) -> None:
    moments = random.Random(SEED)  # noqa: S311 (moments, not secrets)
    till = new_address()
    with _server() as server:
        dsn = await asyncio.to_thread(migrated, server)
        async with new_world(tmp_path / "world", dsn) as world:
            traffic = Traffic(world=world, merchant=await world.merchant(paid_at=till))
            async with _worker(world, tmp_path) as worker, _trading(traffic):
                for _ in range(KILLS):
                    await asyncio.sleep(moments.uniform(0.5, 2))
                    await asyncio.to_thread(_kill, server)
                    await asyncio.sleep(moments.uniform(0, 0.5))
                    await asyncio.to_thread(_restart, server)
                traffic.closing.set()
                world.database = await AsyncConnection.connect(dsn, autocommit=True)
                async with world.database:
                    await _until_right(world, traffic, till)
                assert worker.poll() is None
    assert traffic.unanswered > 0


async def _all_is_there_once(world: World, traffic: Traffic, till: str) -> None:
    query = "select id from payment_intent where merchant_id = %s"
    intents = [id for (id,) in await rows(world, query, traffic.merchant.id)]
    assert Counter(intents) == Counter(traffic.answered.values())
    paid = Counter(traffic.paid.values())
    query = "select count(*) from payment_intent where merchant_id = %s and status = 'succeeded'"
    assert await rows(world, query, traffic.merchant.id) == [(paid.total(),)]
    # What lies at deposit addresses is owed, and waits for a sweep; the rest has been paid out.
    owed, set_aside = await balance(world, traffic.merchant)
    received = await world.outside.held(till)
    assert (owed + received, set_aside) == (paid.total() * NET, 0)
    assert received >= paid[Method.ESCROW] * NET
    await must_be_right(world, traffic.merchant)


async def _until_right(world: World, traffic: Traffic, till: str) -> None:
    """Wait until everything is as it must be; what is wrong for good is raised."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_SECONDS
    while True:
        try:
            await _all_is_there_once(world, traffic, till)
        except (AssertionError, StorageUnavailable):  # Connections die when they are used.
            if loop.time() > deadline:
                raise
        else:
            return
        await asyncio.sleep(0.2)


@asynccontextmanager
async def _trading(traffic: Traffic) -> AsyncIterator[None]:
    """Let three browse, one pay to addresses and one into escrow, while blocks are added."""
    mining = asyncio.create_task(traffic.mine())
    try:
        async with asyncio.TaskGroup() as group:
            for number in range(3):
                group.create_task(traffic.browse(f"browse-{number}"))
            group.create_task(traffic.buy("address", Method.ADDRESS))
            group.create_task(traffic.buy("escrow", Method.ESCROW))
            yield
    finally:
        mining.cancel()
        with suppress(asyncio.CancelledError):
            await mining


@asynccontextmanager
async def _worker(world: World, directory: Path) -> AsyncIterator[subprocess.Popen[bytes]]:
    """Run the product's own worker, from its command."""
    file = write_settings({**world.settings, "worker": PACE}, directory / "worker.toml")
    command = [sys.executable, "-m", "entrypoints.cli.main", "worker", f"--settings={file}"]
    with (directory / "worker.log").open("wb") as log:
        process = await asyncio.to_thread(_start, command, log)
        try:
            await _until_begun(world, process)
            yield process
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                await asyncio.to_thread(process.wait, 30)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


async def _until_begun(world: World, worker: subprocess.Popen[bytes]) -> None:
    """Wait until a worker has its schedules: it does not start while the database is away."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + PATIENCE_SECONDS
    while await rows(world, "select count(*) from job") == [(0,)]:
        assert worker.poll() is None
        assert loop.time() < deadline
        await asyncio.sleep(0.1)


def _start(command: list[str], log: IO[bytes]) -> subprocess.Popen[bytes]:
    return subprocess.Popen(command, cwd=ROOT, stdout=log, stderr=log)  # noqa: S603 (our own)


@contextmanager
def _server() -> Iterator[EmbeddedPostgres]:
    """Run a durable server in a directory that the account it runs under may enter."""
    with tempfile.TemporaryDirectory(prefix="switchyard-test-") as name:
        directory = Path(name).resolve()
        directory.chmod(0o711)
        with EmbeddedPostgres(directory=directory / "pg", parameters={"fsync": "on"}) as server:
            yield server


def _kill(server: EmbeddedPostgres) -> None:
    """End the postmaster and all its children at once, as when the power fails."""
    pid = postmaster_pid(Layout(server.directory).data)
    assert pid is not None
    postmaster = psutil.Process(pid)
    postmaster.suspend()  # It may start no more children.
    for process in (*postmaster.children(recursive=True), postmaster):
        with suppress(psutil.NoSuchProcess):
            process.kill()


def _restart(server: EmbeddedPostgres) -> None:
    server.stop()
    server.start()
