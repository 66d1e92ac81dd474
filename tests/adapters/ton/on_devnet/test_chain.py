"""The TON adapter through the suites that every chain passes, on the devnet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.chains.instructions import FundGas
from domain.chains.model import Transfer
from domain.shared.money import Money
from ports.chain import InsufficientFundsOnChain
from tests.adapters.ton.on_devnet.gateway import gateway
from tests.contracts.chain import (
    ChainReaderContract,
    ChainSenderContract,
    everything,
    included,
    send,
)
from tests.contracts.chain_messages import (
    ChainBatchesContract,
    ChainExpiryContract,
    ChainMemosContract,
)
from tests.contracts.chain_sweeps import HELD, INDEX, ChainSweepsContract, coins_of, paid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.adapters.ton.on_devnet.gateway import Gateway
    from tests.contracts.chain_sweeps import DepositWorld


@pytest.fixture
async def world() -> AsyncIterator[Gateway]:
    async with gateway() as world:
        yield world


class TestReader(ChainReaderContract):
    @pytest.fixture
    def world(self, world: Gateway) -> Gateway:
        return world


class TestSender(ChainSenderContract):
    @pytest.fixture
    def world(self, world: Gateway) -> Gateway:
        return world


class TestMemos(ChainMemosContract):
    @pytest.fixture
    def world(self, world: Gateway) -> Gateway:
        return world


class TestBatches(ChainBatchesContract):
    @pytest.fixture
    def world(self, world: Gateway) -> Gateway:
        return world


class TestExpiry(ChainExpiryContract):
    @pytest.fixture
    def world(self, world: Gateway) -> Gateway:
        return world


class TestSweeps(ChainSweepsContract):
    @pytest.fixture
    def world(self, world: Gateway) -> Gateway:
        return world

    async def test_an_address_without_coin_is_funded_and_swept(self, world: DepositWorld) -> None:
        """As everywhere, but that what arrives is a transaction of its own, with its own name."""
        address = world.deposit(INDEX)
        sweep = await paid(world)
        cost = await world.sender.fee_limit(sweep)
        with pytest.raises(InsufficientFundsOnChain) as lack:
            await world.sender.prepare(sweep)
        assert lack.value.asset == cost.asset == world.native

        assert (await included(world, await send(world, FundGas(cost, address)))).succeeded
        signed = await send(world, sweep)
        inclusion = await included(world, signed)

        assert inclusion.succeeded
        assert (signed.sender, signed.sequence) == (address, 0)
        facts = [it.fact for it in await everything(world)]
        swept = Transfer(Money(HELD, world.token), address, world.sender.sender)
        assert facts.count(swept) == 1
        assert not [it for it in facts if isinstance(it, Transfer) and it.target == address][1:]
        left = await coins_of(world, address)
        assert left == cost - inclusion.cost
        assert left.amount >= 0
        assert await world.sender.next_sequence(address) == 1
        assert await world.sender.next_sequence(world.sender.sender) == 0
