"""The in-memory chain through the suite of chains that sweep many addresses together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.shared.money import Money
from tests.adapters.memory.test_chain import InMemoryWorld, new_chain
from tests.contracts.chain_batch_sweeps import ChainBatchSweepsContract

if TYPE_CHECKING:
    from adapters.memory.clock import FakeClock

STRANGER = "0x" + "5" * 40


class World(InMemoryWorld):
    async def empty(self, index: int) -> None:
        source = self.deposit(index)
        held = self.chain.state.balance(source, self.token)
        self.chain.transfer(Money(held, self.token), source=source, target=STRANGER)
        self.chain.mine()


class TestBatchSweeps(ChainBatchSweepsContract):
    @pytest.fixture
    def world(self, clock: FakeClock) -> World:
        chain = new_chain(clock)
        chain.sweeps_max = 16
        return World(chain=chain, reader=chain, sender=chain)
