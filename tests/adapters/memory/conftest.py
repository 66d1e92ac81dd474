from __future__ import annotations

import pytest

from adapters.memory.clock import FakeClock
from adapters.memory.ids import SequentialIds
from adapters.memory.store import Store


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def store(clock: FakeClock) -> Store:
    return Store(clock=clock, ids=SequentialIds())
