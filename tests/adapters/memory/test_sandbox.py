"""The sandbox in memory through its suite, and its faults."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.memory.sandbox import InMemorySandbox
from ports.chain import ChainUnavailable
from ports.sandbox import SandboxRefused, WrongSandbox
from tests.adapters.memory.test_chain import InMemoryWorld, new_chain
from tests.builders import address_of, usdt
from tests.contracts.sandbox import SandboxContract

if TYPE_CHECKING:
    from adapters.memory.clock import FakeClock

TARGET = address_of("deposit")


@pytest.fixture
def world(clock: FakeClock) -> InMemoryWorld:
    chain = new_chain(clock)
    return InMemoryWorld(chain, chain, chain)


@pytest.fixture
def sandbox(world: InMemoryWorld) -> InMemorySandbox:
    return InMemorySandbox(world.chain)


class TestSandbox(SandboxContract):
    @pytest.fixture
    def world(self, clock: FakeClock) -> InMemoryWorld:
        chain = new_chain(clock)
        return InMemoryWorld(chain, chain, chain)

    @pytest.fixture
    def sandbox(self, world: InMemoryWorld) -> InMemorySandbox:
        return InMemorySandbox(world.chain)


async def test_it_refuses_as_it_is_told_to(world: InMemoryWorld, sandbox: InMemorySandbox) -> None:
    sandbox.refuse_next("not today")
    with pytest.raises(SandboxRefused, match="not today"):
        await sandbox.pay(target=TARGET, money=usdt(5))

    assert world.chain.state.balance(TARGET, world.token) == 0
    await sandbox.pay(target=TARGET, money=usdt(5))


async def test_its_answer_can_be_lost(world: InMemoryWorld, sandbox: InMemorySandbox) -> None:
    sandbox.time_out_after_doing()
    with pytest.raises(ChainUnavailable):
        await sandbox.pay(target=TARGET, money=usdt(5))

    assert world.chain.state.balance(TARGET, world.token) == 5
    assert sandbox.asked == 1


async def test_it_can_be_none_at_all(sandbox: InMemorySandbox) -> None:
    sandbox.turn_real()
    with pytest.raises(WrongSandbox):
        await sandbox.check()
    with pytest.raises(WrongSandbox):
        await sandbox.pay(target=TARGET, money=usdt(5))
