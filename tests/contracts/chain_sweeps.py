"""What every chain keeps of sweeps: a deposit address sends by its own key, once it can pay."""

from __future__ import annotations

from contextlib import suppress
from typing import Protocol

import pytest

from domain.chains.instructions import FundGas, SweepDeposit
from domain.chains.model import Transfer
from domain.shared.money import Money
from ports.chain import ChainUnavailable, InstructionRefused, InsufficientFundsOnChain
from tests.contracts.chain import ChainWorld, facts_of, included, newest, send

INDEX = 7
HELD = 700


class DepositWorld(ChainWorld, Protocol):
    """A chain whose sender has the keys of deposit addresses."""

    def deposit(self, index: int) -> str:
        """Return the deposit address at a place."""
        ...


class ChainSweepsContract:
    @pytest.fixture
    def world(self) -> DepositWorld:
        raise NotImplementedError

    async def test_an_address_without_coin_is_funded_and_swept(self, world: DepositWorld) -> None:
        address = world.deposit(INDEX)
        sweep = await paid(world)
        cost = await world.sender.fee_limit(sweep)
        with pytest.raises(InsufficientFundsOnChain) as lack:
            await world.sender.prepare(sweep)
        assert lack.value.asset == cost.asset == world.native

        funding = await send(world, FundGas(cost, address))
        assert (await included(world, funding)).succeeded
        before = await world.sender.next_sequence(world.sender.sender)
        signed = await send(world, sweep)
        inclusion = await included(world, signed)

        assert inclusion.succeeded
        assert (signed.sender, signed.sequence) == (address, 0)
        assert await facts_of(world, signed) == {
            Transfer(Money(HELD, world.token), address, world.sender.sender)
        }
        left = await coins_of(world, address)
        assert left == cost - inclusion.cost
        assert left.amount >= 0
        assert await world.sender.next_sequence(address) == 1
        assert await world.sender.next_sequence(world.sender.sender) == before

    async def test_the_same_sweep_gives_the_same_bytes(self, world: DepositWorld) -> None:
        sweep = await funded(world)
        prepared = await world.sender.prepare(sweep)

        one = await world.sender.sign(prepared, sequence=0)
        assert await world.sender.sign(prepared, sequence=0) == one
        assert (await world.sender.sign(prepared, sequence=1)).raw != one.raw
        assert one.sender == prepared.sender == world.deposit(INDEX)

    async def test_an_address_takes_its_numbers_without_a_gap(self, world: DepositWorld) -> None:
        prepared = await world.sender.prepare(await funded(world))
        lowest = await world.sender.next_sequence(prepared.sender)
        first, second = [
            await world.sender.sign(prepared, sequence=number) for number in (lowest, lowest + 1)
        ]
        assert first.gapless

        with suppress(ChainUnavailable):
            await world.sender.broadcast(second)
        await world.mine(3)
        assert await world.reader.inclusions([second.hash]) == []

        await world.sender.broadcast(first)
        assert (await included(world, first)).succeeded

    async def test_more_than_the_address_holds_is_not_prepared(self, world: DepositWorld) -> None:
        await funded(world)
        address = world.deposit(INDEX)

        with pytest.raises(InsufficientFundsOnChain) as lack:
            await world.sender.prepare(SweepDeposit(Money(HELD + 1, world.token), address, INDEX))
        assert lack.value.asset == world.token

    async def test_a_key_signs_for_its_own_address_alone(self, world: DepositWorld) -> None:
        sweep = await funded(world)
        wrong = SweepDeposit(sweep.money, sweep.source, INDEX + 1)

        with pytest.raises(InstructionRefused):
            await world.sender.sign(await world.sender.prepare(wrong), sequence=0)

    async def test_more_than_there_is_cannot_be_estimated(self, world: DepositWorld) -> None:
        nothing = SweepDeposit(Money(1, world.token), world.deposit(INDEX + 2), INDEX + 2)

        with pytest.raises(InstructionRefused):
            await world.sender.fee_limit(nothing)

    async def test_whose_key_is_not_there_is_not_swept(self, world: DepositWorld) -> None:
        await world.pay(target=world.somebody("anybody"), amount=HELD)
        await world.mine()
        anybody = SweepDeposit(Money(HELD, world.token), world.somebody("anybody"), INDEX)

        with pytest.raises((InstructionRefused, InsufficientFundsOnChain)):
            await world.sender.prepare(anybody)


async def paid(world: DepositWorld) -> SweepDeposit:
    """Pay a deposit address; return its sweep."""
    address = world.deposit(INDEX)
    await world.pay(target=address, amount=HELD)
    await world.mine()
    return SweepDeposit(Money(HELD, world.token), address, INDEX)


async def funded(world: DepositWorld) -> SweepDeposit:
    """Pay a deposit address and fund it; return its sweep."""
    sweep = await paid(world)
    cost = await world.sender.fee_limit(sweep)
    await included(world, await send(world, FundGas(cost + cost, sweep.source)))
    return sweep


async def coins_of(world: DepositWorld, address: str) -> Money:
    number = (await newest(world)).number
    return await world.reader.balance(address, world.native, at_block=number)
