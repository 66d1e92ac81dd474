"""What a chain keeps that has memos, takes many payouts at once, or gives messages a last moment.

A chain derives those suites of which it can do what they are about.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Protocol

import attrs
import pytest

from domain.chains.instructions import Part, SendMany, SendMoney
from domain.chains.model import Transfer
from domain.shared.ids import PayoutId
from domain.shared.money import Money
from ports.chain import ChainUnavailable, InsufficientFundsOnChain
from tests.contracts.chain import (
    WALLET,
    ChainWorld,
    balance_of,
    facts_to,
    included,
    newest,
    send,
    take_sequence,
)

if TYPE_CHECKING:
    from domain.chains.model import Block
    from domain.chains.submissions import SignedBytes


class MemoWorld(ChainWorld, Protocol):
    """A chain on which a payer can write something beside a payment, in tokens and in the coin."""

    async def write(self, *, target: str, money: Money, memo: str | None) -> str:
        """Have the payer send money with a memo; return the transaction that brings it."""
        ...


class BatchWorld(ChainWorld, Protocol):
    """A chain that takes several payouts into one transaction."""

    def failing(self) -> SendMoney:
        """Return a payout that a batch can carry and that does not come to pass."""
        ...


class FleetingWorld(ChainWorld, Protocol):
    """A chain whose messages have a last moment."""

    async def lapse(self, signed: SignedBytes) -> None:
        """Let the last moment of signed bytes pass, by the time of a final block."""
        ...


class ChainMemosContract:
    @pytest.fixture
    def world(self) -> MemoWorld:
        raise NotImplementedError

    @pytest.mark.parametrize("memo", [None, "0123456789AB", "zwölf \N{BICYCLE}"])
    async def test_a_memo_is_read_beside_its_transfer(
        self, world: MemoWorld, memo: str | None
    ) -> None:
        for asset in (world.token, world.native):
            hash = await world.write(target=world.watched, money=Money(700, asset), memo=memo)
            await world.mine(2)

            found = [
                it for it in await facts_to(world, world.watched) if it.key.transaction == hash
            ]
            assert [it.fact for it in found] == [
                Transfer(Money(700, asset), world.payer, world.watched, memo)
            ]


class ChainBatchesContract:
    @pytest.fixture
    def world(self) -> BatchWorld:
        raise NotImplementedError

    async def test_each_of_a_batch_arrives_and_the_fee_is_taken_once(
        self, world: BatchWorld
    ) -> None:
        before = await newest(world)
        amounts = {world.somebody(name): amount for name, amount in (("Ada", 3), ("Mary", 5))}
        instruction = _batch(
            *(SendMoney(Money(amount, world.token), to) for to, amount in amounts.items())
        )

        inclusion = await included(world, await send(world, instruction))

        assert (inclusion.succeeded, inclusion.failed) == (True, frozenset())
        for target, amount in amounts.items():
            assert await balance_of(world, target) == Money(amount, world.token)
        wallet = world.sender.sender
        coins = [
            await world.reader.balance(wallet, world.native, at_block=number)
            for number in (before.number, inclusion.block_number)
        ]
        assert coins[0] - coins[1] == inclusion.cost

    async def test_one_that_does_not_come_to_pass_is_named_by_its_place(
        self, world: BatchWorld
    ) -> None:
        ada, mary = world.somebody("Ada"), world.somebody("Mary")
        instruction = _batch(
            SendMoney(Money(3, world.token), ada),
            world.failing(),
            SendMoney(Money(5, world.token), mary),
        )

        inclusion = await included(world, await send(world, instruction))

        assert (inclusion.succeeded, inclusion.failed) == (True, frozenset({1}))
        assert await balance_of(world, ada) == Money(3, world.token)
        assert await balance_of(world, mary) == Money(5, world.token)

    async def test_more_than_the_wallet_holds_in_all_is_not_prepared(
        self, world: BatchWorld
    ) -> None:
        half = SendMoney(Money(WALLET // 2 + 1, world.token), world.somebody("Ada"))

        with pytest.raises(InsufficientFundsOnChain) as lack:
            await world.sender.prepare(_batch(half, half))
        assert lack.value.asset == world.token


class ChainExpiryContract:
    @pytest.fixture
    def world(self) -> FleetingWorld:
        raise NotImplementedError

    async def test_the_last_moment_is_fixed_by_the_preparation(self, world: FleetingWorld) -> None:
        prepared = await world.sender.prepare(_payout(world))
        one = await world.sender.sign(prepared, sequence=7)
        other = await world.sender.sign(prepared, sequence=8)

        assert one.valid_until is not None
        assert one.valid_until == other.valid_until
        assert one.valid_until > (await newest(world)).time

    async def test_the_hot_wallet_takes_its_numbers_in_any_order_and_each_once(
        self, world: FleetingWorld
    ) -> None:
        prepared = await world.sender.prepare(_payout(world))
        for sequence in (8, 7):
            signed = await world.sender.sign(prepared, sequence=sequence)
            assert not signed.gapless
            await world.sender.broadcast(signed)
            assert (await included(world, signed)).succeeded

        bo = world.somebody("Bo")
        other = await world.sender.prepare(SendMoney(Money(1, world.token), bo))
        again = await world.sender.sign(other, sequence=8)
        with suppress(ChainUnavailable):
            await world.sender.broadcast(again)
        await world.mine(3)
        assert await world.reader.inclusions([again.hash]) == []
        assert (await balance_of(world, bo)).amount == 0

    async def test_what_was_never_handed_over_is_absent_and_stays_so(
        self, world: FleetingWorld
    ) -> None:
        prepared = await world.sender.prepare(_payout(world))
        sequence = await take_sequence(world, prepared.sender)
        signed = await world.sender.sign(prepared, sequence=sequence)

        await world.lapse(signed)
        final = await _final(world)

        assert signed.lapsed(at=final.time)
        assert await world.reader.is_absent(signed, through=final)
        with suppress(ChainUnavailable):
            await world.sender.broadcast(signed)
        await world.mine(3)
        assert await world.reader.inclusions([signed.hash]) == []
        assert (await balance_of(world, world.somebody("Ada"))).amount == 0

    async def test_what_is_on_the_chain_is_not_absent_however_late_one_asks(
        self, world: FleetingWorld
    ) -> None:
        signed = await send(world, _payout(world))
        await included(world, signed)

        await world.lapse(signed)

        assert not await world.reader.is_absent(signed, through=await _final(world))

    async def test_nothing_is_told_of_a_block_that_the_node_does_not_have(
        self, world: FleetingWorld
    ) -> None:
        prepared = await world.sender.prepare(_payout(world))
        signed = await world.sender.sign(prepared, sequence=7)
        final = await _final(world)
        elsewhere = attrs.evolve(final, hash=final.hash[::-1])

        with pytest.raises(ChainUnavailable):
            await world.reader.is_absent(signed, through=elsewhere)


def _batch(*sends: SendMoney) -> SendMany:
    return SendMany(tuple(Part(PayoutId(f"po_{n}"), it) for n, it in enumerate(sends)))


def _payout(world: ChainWorld) -> SendMoney:
    return SendMoney(Money(400, world.token), world.somebody("Ada"))


async def _final(world: ChainWorld) -> Block:
    block = await world.reader.block((await world.reader.head()).final)
    assert block is not None
    return block
