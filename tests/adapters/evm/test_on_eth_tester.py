"""The suites that every chain passes on eth-tester's chain too: another node, the same adapter.

It replaces no block, and calls its newest block final: the suite of reorgs is not for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.adapters.evm.evm_world import EvmWorld
from tests.adapters.evm.local_chain import CHAIN_ID
from tests.contracts.chain import ChainReaderContract, ChainSenderContract
from tests.contracts.chain_escrows import ChainEscrowsContract
from tests.contracts.chain_forks import ChainSequencesContract
from tests.contracts.chain_sweeps import ChainSweepsContract
from tests.support.eth_tester_node import EthTesterNode

if TYPE_CHECKING:
    from collections.abc import Iterator

    from adapters.evm.node import EvmNode
    from tests.adapters.evm.local_chain import LocalChain


@pytest.fixture(scope="module")
def node_url() -> Iterator[str]:
    with EthTesterNode(chain_id=CHAIN_ID) as node:
        yield node.url


class OnEthTester:
    @pytest.fixture
    async def world(self, chain: LocalChain, node: EvmNode) -> EvmWorld:
        return await EvmWorld.prepare(chain, node)


class TestReader(OnEthTester, ChainReaderContract): ...


class TestSender(OnEthTester, ChainSenderContract): ...


class TestSequences(OnEthTester, ChainSequencesContract): ...


class TestEscrows(OnEthTester, ChainEscrowsContract): ...


class TestSweeps(OnEthTester, ChainSweepsContract): ...
