"""The EVM adapter through the suites that every chain passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.adapters.evm.evm_world import EvmWorld
from tests.contracts.chain import ChainReaderContract, ChainSenderContract
from tests.contracts.chain_escrows import ChainEscrowsContract
from tests.contracts.chain_forks import ChainReorgsContract, ChainSequencesContract
from tests.contracts.chain_sweeps import ChainSweepsContract

if TYPE_CHECKING:
    from adapters.evm.node import EvmNode
    from tests.adapters.evm.local_chain import LocalChain


class Evm:
    @pytest.fixture
    async def world(self, chain: LocalChain, node: EvmNode) -> EvmWorld:
        return await EvmWorld.prepare(chain, node)


class TestReader(Evm, ChainReaderContract): ...


class TestSender(Evm, ChainSenderContract): ...


class TestReorgs(Evm, ChainReorgsContract): ...


class TestSequences(Evm, ChainSequencesContract): ...


class TestEscrows(Evm, ChainEscrowsContract): ...


class TestSweeps(Evm, ChainSweepsContract): ...
