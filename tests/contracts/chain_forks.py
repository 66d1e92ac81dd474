"""What a chain keeps that can replace its newest blocks, and numbers transactions without gaps."""

from __future__ import annotations

from typing import Protocol

import pytest

from domain.chains.instructions import SendMoney
from domain.shared.money import Money
from tests.contracts.chain import (
    ChainWorld,
    balance_of,
    facts_to,
    included,
    newest,
    send,
)


class ForkedWorld(ChainWorld, Protocol):
    """A chain of which blocks can be replaced until they are final."""

    async def reorg(self, *, depth: int) -> None:
        """Replace the newest blocks by others without transactions, and at least one more."""
        ...


class ChainReorgsContract:
    @pytest.fixture
    def world(self) -> ForkedWorld:
        raise NotImplementedError

    async def test_a_deposit_is_not_final_at_once(self, world: ForkedWorld) -> None:
        await world.pay(target=world.watched, amount=700)
        await world.mine()

        [found] = await facts_to(world, world.watched)
        assert found.block.number > (await world.reader.head()).final

    async def test_a_reorg_replaces_blocks_and_drops_what_was_in_them(
        self, world: ForkedWorld
    ) -> None:
        target = world.watched
        before_all = await balance_of(world, target)
        await world.mine(2)
        await world.pay(target=target, amount=700)
        await world.mine()
        [found] = await facts_to(world, target)
        before = await newest(world)
        depth = before.number - found.block.number + 1
        kept = await world.reader.block(found.block.number - 1)

        await world.reorg(depth=depth)

        assert await facts_to(world, target) == []
        replaced = await world.reader.block(found.block.number)
        assert replaced is not None
        assert replaced.hash != found.block.hash
        assert await world.reader.block(found.block.number - 1) == kept
        assert (await newest(world)).number >= before.number
        assert await balance_of(world, target) == before_all

    async def test_bytes_lost_in_a_reorg_are_taken_again(self, world: ForkedWorld) -> None:
        target = world.somebody("merchant")
        await world.mine(2)
        signed = await send(world, SendMoney(Money(400, world.token), target))
        inclusion = await included(world, signed)
        depth = (await newest(world)).number - inclusion.block_number + 1
        await world.reorg(depth=depth)
        assert await world.reader.inclusions([signed.hash]) == []

        await world.sender.broadcast(signed)

        again = await included(world, signed)
        assert again.block_hash != inclusion.block_hash
        assert await balance_of(world, target) == Money(400, world.token)


class ChainSequencesContract:
    @pytest.fixture
    def world(self) -> ChainWorld:
        raise NotImplementedError

    async def test_sequence_numbers_count_what_waits(self, world: ChainWorld) -> None:
        first = await world.sender.next_sequence(world.sender.sender)
        one = await send(world, SendMoney(Money(1, world.token), world.somebody("merchant")))
        assert one.sequence == first
        assert await world.sender.next_sequence(world.sender.sender) == first + 1
        other = await send(world, SendMoney(Money(2, world.token), world.somebody("merchant")))

        await world.mine(2)
        inclusions = await world.reader.inclusions([other.hash, "0x" + "9" * 64, one.hash])
        assert {it.hash for it in inclusions} == {one.hash, other.hash}
        assert await world.sender.next_sequence(world.sender.sender) == first + 2

    async def test_what_was_only_signed_does_not_count(self, world: ChainWorld) -> None:
        sequence = await world.sender.next_sequence(world.sender.sender)
        instruction = SendMoney(Money(400, world.token), world.somebody("merchant"))
        await world.sender.sign(await world.sender.prepare(instruction), sequence=sequence)
        await world.mine()

        assert await world.sender.next_sequence(world.sender.sender) == sequence
