from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import count
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.postgres.storage import PoolSettings, PostgresStorage
from domain.shared.ids import PREFIXES

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from ports.unit_of_work import Begin


@attrs.frozen
class WallClock:
    def now(self) -> datetime:
        return datetime.now(UTC)


@attrs.frozen
class CountedIds:
    """Identifiers that count up, so that later ones sort after earlier ones."""

    numbers: Iterator[int] = attrs.field(factory=count)

    def new(self, kind: str) -> str:
        return f"{PREFIXES[kind]}_n{next(self.numbers):020d}"

    def entropy(self, size: int) -> bytes:
        return next(self.numbers).to_bytes(size)


@pytest.fixture
async def storage(postgres_dsn: str) -> AsyncIterator[PostgresStorage]:
    storage = PostgresStorage(
        dsn=postgres_dsn,
        clock=WallClock(),
        ids=CountedIds(),
        settings=PoolSettings(connections_min=1, connections_max=16, lock_timeout_ms=10_000),
    )
    await storage.open()
    yield storage
    await storage.close()


@pytest.fixture
def begin(storage: PostgresStorage) -> Begin:
    return storage.begin
