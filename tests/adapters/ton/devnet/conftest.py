"""The devnet's tests, where there is a TVM; elsewhere there is nothing here to run."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from adapters.ton.devnet.devnet import TonDevnet
from adapters.ton.devnet.emulator import emulator_library
from tests.adapters.ton.devnet.box import Box, client_of

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

collect_ignore_glob = [] if emulator_library() else ["test_*.py"]


@pytest.fixture
async def devnet() -> AsyncIterator[TonDevnet]:
    started = time.time()  # Time stands still: a second's rent would be a nanoton.
    async with TonDevnet(block_seconds=0, clock=lambda: started) as running:
        yield running


@pytest.fixture
async def box(devnet: TonDevnet) -> AsyncIterator[Box]:
    async with client_of(devnet.config()) as client:
        yield Box(devnet, client)
