from __future__ import annotations

import asyncio
import signal
import sys
import time
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import psycopg
import pytest
import tomli_w

from adapters.evm.wallet_seed import account_xpub
from adapters.postgres.storage import PostgresStorage
from adapters.system.clock import SystemClock
from adapters.system.ids import RandomIds
from tests.entrypoints.worker.conftest import SETTINGS
from tests.rabbitmq.server import RabbitServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Iterator

ROOT = Path(__file__).parents[2]
PATIENCE_SECONDS = 150
"""Longer than the lease of a job that is with the broker: a lost message costs that much."""


@pytest.fixture(scope="session")
def rabbit_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RabbitServer]:
    with RabbitServer(tmp_path_factory.mktemp("rabbitmq") / "node") as server:
        yield server


@attrs.define
class Field:
    """A database, a broker, and what workers of theirs have written down."""

    rabbit: RabbitServer
    dsn: str
    directory: Path
    storage: PostgresStorage

    def lines(self) -> list[list[str]]:
        """Return which delivery was begun by whom, in order."""
        file = self.directory / "written"
        return [line.split() for line in file.read_text().splitlines()] if file.exists() else []

    async def promise(self, *deliveries: str) -> None:
        async with self.storage.begin() as work:
            for delivery in deliveries:
                await work.jobs.enqueue("deliver_webhook", arguments={"delivery": delivery})
            await work.commit()

    def rows(self) -> list[tuple[str, str, int, int]]:
        """Return id, state, claims and attempts of each delivery's job."""
        with psycopg.connect(self.dsn) as connection:
            return connection.execute(
                "select id, state, claims, attempts from job where name = 'deliver_webhook'"
                " order by id"
            ).fetchall()

    def all_done(self) -> bool:
        return {state for _, state, _, _ in self.rows()} == {"done"}

    async def wait_for(self, holds: Callable[[], object]) -> None:
        deadline = time.monotonic() + PATIENCE_SECONDS
        while not holds():
            assert time.monotonic() < deadline, (self.rows(), self.lines())
            await asyncio.sleep(0.05)

    @asynccontextmanager
    async def worker(self, **settings: Any) -> AsyncIterator[asyncio.subprocess.Process]:  # noqa: ANN401 (of any type)
        """Run a worker process; what it said is in the file ``said``."""
        told = SETTINGS | {
            "deployment": "demo",
            "database": {"url": self.dsn},
            # There is no chain, so the key is needed by name and never read.
            "keys": {"xpub": account_xpub(bytes(64)), "hot_wallet_file": "none"},
            "worker": {"transport": "rabbitmq", "rabbitmq_url": self.rabbit.url} | settings,
        }
        file = self.directory / "worker.toml"
        file.write_text(tomli_w.dumps(told))
        command = [sys.executable, "-m", "tests.rabbitmq.worker", str(file)]
        with (self.directory / "said").open("ab") as said:
            process = await asyncio.create_subprocess_exec(
                *command, self.directory / "written", cwd=ROOT, stderr=said
            )
        try:
            yield process
            if process.returncode is None:
                process.send_signal(signal.SIGTERM)
                assert await asyncio.wait_for(process.wait(), 30) == 0, self.said()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()

    def said(self) -> str:
        return (self.directory / "said").read_text()


@pytest.fixture
async def field(
    rabbit_server: RabbitServer, postgres_dsn: str, tmp_path: Path
) -> AsyncIterator[Field]:
    storage = PostgresStorage(dsn=postgres_dsn, clock=SystemClock(), ids=RandomIds())
    await storage.open()
    try:
        yield Field(rabbit_server, postgres_dsn, tmp_path, storage)
    finally:
        await storage.close()
