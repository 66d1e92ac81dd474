from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.postgres.storage import PoolSettings, PostgresStorage

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.concurrency.gateway import Gateways
    from tests.domain.services import Surroundings

SETTINGS = PoolSettings(
    connections_min=2,
    connections_max=8,
    wait_seconds=30,
    lock_timeout_ms=30_000,
    statement_timeout_ms=60_000,
)
"""On a busy machine all wait long for all; only those who wait in a circle are told so at once."""


@pytest.fixture
def around() -> Surroundings:
    from tests.domain.services import Surroundings  # noqa: PLC0415 (only then is it rewritten)

    return Surroundings()


@pytest.fixture
async def storages(
    postgres_dsn: str, around: Surroundings
) -> AsyncIterator[tuple[PostgresStorage, PostgresStorage]]:
    """Two pools of connections, as two processes have them."""
    first, second = (
        PostgresStorage(dsn=postgres_dsn, clock=around.clock, ids=around.ids, settings=SETTINGS)
        for _ in range(2)
    )
    await first.open()
    try:
        await second.open()
        try:
            yield first, second
        finally:
            await second.close()
    finally:
        await first.close()


@pytest.fixture
async def gateways(
    storages: tuple[PostgresStorage, PostgresStorage], around: Surroundings
) -> Gateways:
    from tests.concurrency.gateway import open_gateways  # noqa: PLC0415 (only then rewritten)

    return await open_gateways(storages, around)
