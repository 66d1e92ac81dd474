"""Tests on the devnet, where there is a TVM; elsewhere there is nothing here to run."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.ton.devnet.emulator import emulator_library
from tests.adapters.ton.on_devnet.gateway import gateway

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.adapters.ton.on_devnet.gateway import Gateway

collect_ignore_glob = [] if emulator_library() else ["test_*.py"]


@pytest.fixture
async def gate() -> AsyncIterator[Gateway]:
    async with gateway() as gate:
        yield gate
