from __future__ import annotations

import asyncio
import os
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from adapters.evm.devnet.devnet import Devnet
from tests.uniswap.market import GenuineMarket

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

OTHER_NODE = os.environ.get("SWITCHYARD_TEST_EVM_RPC")
"""A node such as anvil with the devnet's accounts, on which the tests run besides the devnet."""


@attrs.define
class DeployedChain:
    """A chain with the contracts on it, and the state to go back to."""

    url: str
    deployed: dict[str, Any]
    snapshot: str


@pytest.fixture(scope="session", params=["devnet", *(["other"] if OTHER_NODE else [])])
def deployed(request: pytest.FixtureRequest) -> Iterator[DeployedChain]:
    with Devnet() as devnet:
        url = devnet.url if request.param == "devnet" else str(OTHER_NODE)
        yield asyncio.run(_deploy(url))


@pytest.fixture
async def uniswap(deployed: DeployedChain) -> AsyncIterator[GenuineMarket]:
    """Begin each test with the contracts as they were deployed."""
    async with AsyncExitStack() as closing:
        market = await GenuineMarket.prepare(deployed.url, closing)
        market.adopt(deployed.deployed)
        yield market
        assert await market.control("evm_revert", deployed.snapshot)
        deployed.snapshot = await market.control("evm_snapshot")


async def _deploy(url: str) -> DeployedChain:
    async with AsyncExitStack() as closing:
        market = await GenuineMarket.prepare(url, closing)
        deployed = await market.deploy()
        return DeployedChain(url, deployed, await market.control("evm_snapshot"))
