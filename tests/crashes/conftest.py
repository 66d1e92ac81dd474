from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest
import pytest_asyncio

from adapters.postgres import migrate

# Without this a failed assertion of a story or an audit would show nothing but its line.
for module in ("audit", "escrows", "matrix", "payouts", "scenarios", "sweeps"):
    pytest.register_assert_rewrite(f"tests.crashes.{module}")

from tests.crashes.matrix import ROW, Row  # noqa: E402 (not before the line above)
from tests.crashes.world import new_world  # noqa: E402 (as above)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.crashes.world import World
    from tests.support.postgres import PostgresServer


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def world(
    postgres_server: PostgresServer, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[World]:
    async with _made(postgres_server, "crashes", tmp_path_factory.mktemp("world")) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="session")
async def own_world(postgres_server: PostgresServer, tmp_path: Path) -> AsyncIterator[World]:
    """A world of this test's own."""
    async with _made(postgres_server, "crashes_own", tmp_path) as world:
        yield world
    postgres_server.drop_database("crashes_own")


@pytest_asyncio.fixture(loop_scope="session")
async def collecting_world(
    postgres_server: PostgresServer, tmp_path: Path
) -> AsyncIterator[World]:
    """A world of this test's own, whose deposit addresses are swept many at once."""
    name = "crashes_collecting"
    async with _made(postgres_server, name, tmp_path, together=True) as world:
        yield world
    postgres_server.drop_database(name)


@asynccontextmanager
async def _made(
    server: PostgresServer, database: str, directory: Path, *, together: bool = False
) -> AsyncIterator[World]:
    server.create_database(database)
    dsn = server.dsn(database=database)
    migrate.upgrade(dsn)
    async with new_world(directory, dsn, together=together) as world:
        await world.go_on()
        yield world


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    rows = [
        Row(**told)
        for reports in terminalreporter.stats.values()
        for report in reports
        for name, told in getattr(report, "user_properties", ())
        if name == ROW and report.when == "call"
    ]
    if not rows:
        return
    terminalreporter.section("crash matrix")
    terminalreporter.line(f"{'scenario':20} {'steps':>6} {'killed':>6} {'seconds':>8}")
    for row in rows:
        terminalreporter.line(str(row))
    steps, killed = sum(row.steps for row in rows), sum(row.killed for row in rows)
    terminalreporter.line(
        str(Row("all", steps=steps, killed=killed, seconds=sum(row.seconds for row in rows)))
    )
