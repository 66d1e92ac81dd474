"""What every chain keeps: what is seen is of a block, what is sent is sent once.

An adapter's tests build a ``ChainWorld``: a fresh chain, a hot wallet that holds ``WALLET`` tokens
and enough coin for fees, and a payer who holds ``PURSE`` tokens. They derive both suites and
override ``world``. What only some chains can do has suites of its own beside this one: reorgs and
numbers without gaps (``chain_forks``), the escrow contract (``chain_escrows``), deposit addresses
(``chain_sweeps``), memos, batches and messages that expire (``chain_messages``).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import attrs
import pytest

from domain.chains.instructions import Part, SendMany, SendMoney
from domain.chains.model import Transfer
from domain.shared.ids import PayoutId
from domain.shared.money import Money
from ports.chain import ChainUnavailable, InstructionRefused, InsufficientFundsOnChain

if TYPE_CHECKING:
    from collections.abc import Collection

    from domain.chains.instructions import Instruction
    from domain.chains.model import Block, Fact, Observation
    from domain.chains.submissions import Inclusion, SignedBytes
    from domain.shared.money import AssetId
    from ports.chain import ChainReader, ChainSender

WALLET = 1_000_000
"""What the hot wallet holds of the token at first, smallest units."""

PURSE = 1_000_000
"""What the payer holds of the token at first, smallest units."""

BLOCKS_MAX = 20
"""How many blocks a transaction is waited for."""


class ChainWorld(Protocol):
    """A chain, and what others do on it. What is submitted may be mined at once or by ``mine``."""

    reader: ChainReader
    sender: ChainSender
    native: AssetId
    token: AssetId
    payer: str
    watched: str
    """An address whose incoming transfers the reader tells of; it may hold something already."""
    first_block: int
    """The first block that the reader can read."""
    taken: dict[str, int]
    """Each sender's next number, by our own count; empty at first."""

    def somebody(self, name: str) -> str:
        """Return the address of somebody who holds nothing, the same one for the same name."""
        ...

    async def pay(self, *, target: str, amount: int) -> str:
        """Have the payer send tokens; return the name of the transaction that brings them."""
        ...

    async def mine(self, blocks: int = 1) -> None:
        """Make blocks; what waits comes into the first of them."""
        ...

    async def finalize(self) -> None:
        """Make what is in the newest block final."""
        ...


class _ChainContract:
    @pytest.fixture
    def world(self) -> ChainWorld:
        raise NotImplementedError


class ChainReaderContract(_ChainContract):
    async def test_blocks_follow_each_other_up_to_the_head(self, world: ChainWorld) -> None:
        await world.mine(3)
        head = await world.reader.head()

        scan = await world.reader.scan(first=head.latest - 2, last=head.latest)

        numbers = [block.number for block in scan.blocks]
        assert numbers == [head.latest - 2, head.latest - 1, head.latest]
        for parent, block in zip(scan.blocks, scan.blocks[1:], strict=False):
            assert block.parent == parent.hash
            assert block.time >= parent.time
        for block in scan.blocks:
            assert await world.reader.block(block.number) == block

    async def test_a_block_that_is_not_there_yet_is_none(self, world: ChainWorld) -> None:
        assert await world.reader.block((await world.reader.head()).latest + 1) is None

    async def test_one_provider_agrees_to_a_block_that_it_has(self, world: ChainWorld) -> None:
        assert await world.reader.agreed(await newest(world), providers=1)

    async def test_more_providers_than_there_are_do_not_agree(self, world: ChainWorld) -> None:
        assert not await world.reader.agreed(await newest(world), providers=9)

    async def test_to_a_block_that_is_not_there_yet_nobody_agrees(self, world: ChainWorld) -> None:
        block = await newest(world)
        later = attrs.evolve(block, number=block.number + 5)

        assert not await world.reader.agreed(later, providers=1)

    async def test_of_two_blocks_with_one_number_nobody_can_tell(self, world: ChainWorld) -> None:
        await world.mine()
        block = await newest(world)
        other = attrs.evolve(block, hash=block.parent)

        with pytest.raises(ChainUnavailable):
            await world.reader.agreed(other, providers=1)

    async def test_a_deposit_is_seen_and_becomes_final(self, world: ChainWorld) -> None:
        target = world.watched
        hash = await world.pay(target=target, amount=700)
        await world.mine()

        [found] = await facts_to(world, target)
        assert found.fact == Transfer(Money(700, world.token), world.payer, target)
        assert found.key.transaction == hash
        assert found.key.chain == world.reader.chain
        await world.finalize()
        head = await world.reader.head()
        assert found.block.number <= head.final <= head.safe <= head.latest
        assert await facts_to(world, target) == [found], "the same reading, the same facts"

    async def test_two_deposits_in_one_block_are_two_observations(self, world: ChainWorld) -> None:
        target = world.watched
        for _ in range(2):
            await world.pay(target=target, amount=700)
        await world.mine()

        one, other = await facts_to(world, target)
        assert one.fact == other.fact
        assert one.key != other.key

    async def test_a_range_holds_the_facts_of_its_blocks_alone(self, world: ChainWorld) -> None:
        target = world.watched
        await world.pay(target=target, amount=1)
        await world.mine()
        [found] = await facts_to(world, target)
        number = found.block.number
        await world.mine(2)

        scan = await world.reader.scan(first=number + 1, last=number + 1)
        assert not scan.observations
        scan = await world.reader.scan(first=number, last=number)
        assert found in scan.observations
        assert [block.number for block in scan.blocks] == [number]

    async def test_strangers_may_be_left_out_and_nobody_of_ours(self, world: ChainWorld) -> None:
        target = world.watched
        await world.pay(target=target, amount=700)
        await world.mine()
        [found] = await facts_to(world, target)
        number = found.block.number

        async def ours(addresses: Collection[str]) -> Collection[str]:
            return {target}.intersection(addresses)

        scan = await world.reader.scan(first=number, last=number, ours=ours)

        assert found in scan.observations
        every = (await world.reader.scan(first=number, last=number)).observations
        assert set(scan.observations) <= set(every)

    async def test_a_balance_is_that_after_a_block(self, world: ChainWorld) -> None:
        target = world.watched
        before = await balance_of(world, target)
        await world.pay(target=target, amount=700)
        await world.mine()
        [found] = await facts_to(world, target)
        await world.pay(target=target, amount=50)
        await world.mine()

        for at_block, amount in (
            (found.block.number - 1, 0),
            (found.block.number, 700),
            ((await newest(world)).number, 750),
        ):
            held = await world.reader.balance(target, world.token, at_block=at_block)
            assert held == before + Money(amount, world.token)
            addresses = [world.payer, target]
            of_both = await world.reader.balances(addresses, world.token, at_block=at_block)
            assert of_both[1] == held

    async def test_a_balance_after_a_block_to_come_is_not_told(self, world: ChainWorld) -> None:
        number = (await newest(world)).number + 5

        with pytest.raises(ChainUnavailable):
            await world.reader.balance(world.payer, world.token, at_block=number)


class ChainSenderContract(_ChainContract):
    async def test_money_sent_arrives_and_costs_what_the_inclusion_says(
        self, world: ChainWorld
    ) -> None:
        target = world.somebody("merchant")
        before = await newest(world)
        signed = await send(world, SendMoney(Money(400, world.token), target))

        inclusion = await included(world, signed)

        assert (inclusion.succeeded, inclusion.failed) == (True, frozenset())
        assert inclusion.hash == signed.hash
        block = await world.reader.block(inclusion.block_number)
        assert block is not None
        assert block.hash == inclusion.block_hash
        arrived = await world.reader.balance(target, world.token, at_block=block.number)
        assert arrived == Money(400, world.token)
        assert inclusion.cost.asset == world.native
        coins = [
            await world.reader.balance(world.sender.sender, world.native, at_block=number)
            for number in (before.number, inclusion.block_number)
        ]
        assert coins[0] - coins[1] == inclusion.cost
        assert inclusion.cost.amount > 0

    async def test_the_fee_limit_bounds_the_cost(self, world: ChainWorld) -> None:
        instruction = SendMoney(Money(400, world.token), world.somebody("merchant"))
        prepared = await world.sender.prepare(instruction)
        signed = await send(world, instruction)

        assert (await included(world, signed)).cost <= prepared.fee_limit

    async def test_the_same_arguments_give_the_same_bytes(self, world: ChainWorld) -> None:
        instruction = SendMoney(Money(400, world.token), world.somebody("merchant"))
        prepared = await world.sender.prepare(instruction)

        one = await world.sender.sign(prepared, sequence=7)
        assert await world.sender.sign(prepared, sequence=7) == one
        other = await world.sender.sign(prepared, sequence=8)
        assert (one.sequence, other.sequence) == (7, 8)
        assert (one.hash, one.raw) != (other.hash, other.raw)
        assert one.sender == prepared.sender == world.sender.sender

    async def test_what_has_not_waited_is_not_replaced(self, world: ChainWorld) -> None:
        instruction = SendMoney(Money(400, world.token), world.somebody("merchant"))
        signed = await send(world, instruction)

        better = await world.sender.replace(instruction, attempts=[signed], waited=0)

        assert better is None

    async def test_what_has_landed_is_neither_replaced_nor_canceled(
        self, world: ChainWorld
    ) -> None:
        instruction = SendMoney(Money(400, world.token), world.somebody("merchant"))
        signed = await send(world, instruction)
        await included(world, signed)

        better = await world.sender.replace(instruction, attempts=[signed], waited=10_000)

        assert better is None
        assert await world.sender.cancel(attempts=[signed]) is None

    async def test_nothing_is_sent_before_the_broadcast(self, world: ChainWorld) -> None:
        instruction = SendMoney(Money(400, world.token), world.somebody("merchant"))
        signed = await world.sender.sign(await world.sender.prepare(instruction), sequence=0)
        await world.mine()

        assert await world.reader.inclusions([signed.hash]) == []

    async def test_handing_bytes_over_again_is_no_error_and_has_no_effect(
        self, world: ChainWorld
    ) -> None:
        target = world.somebody("merchant")
        signed = await send(world, SendMoney(Money(400, world.token), target))
        await world.sender.broadcast(signed)
        await included(world, signed)
        await world.sender.broadcast(signed)
        await world.finalize()
        await world.sender.broadcast(signed)
        await world.mine()

        assert await balance_of(world, target) == Money(400, world.token)

    async def test_inclusions_are_told_together_and_only_of_what_is_there(
        self, world: ChainWorld
    ) -> None:
        one = await send(world, SendMoney(Money(1, world.token), world.somebody("merchant")))
        other = await send(world, SendMoney(Money(2, world.token), world.somebody("merchant")))
        for signed in (one, other):
            await included(world, signed)

        inclusions = await world.reader.inclusions([other.hash, "0x" + "9" * 64, one.hash])
        assert {it.hash for it in inclusions} == {one.hash, other.hash}

    async def test_more_than_the_wallet_holds_is_not_prepared(self, world: ChainWorld) -> None:
        too_much = SendMoney(Money(WALLET + 1, world.token), world.somebody("merchant"))

        with pytest.raises(InsufficientFundsOnChain) as refusal:
            await world.sender.prepare(too_much)
        assert refusal.value.asset == world.token

    async def test_more_payouts_than_come_into_a_transaction_are_refused(
        self, world: ChainWorld
    ) -> None:
        assert world.sender.batch_max >= 1
        send = SendMoney(Money(1, world.token), world.somebody("merchant"))
        count = world.sender.batch_max + 1
        too_many = SendMany(tuple(Part(PayoutId(f"po_{n}"), send) for n in range(count)))

        with pytest.raises(InstructionRefused):
            await world.sender.prepare(too_many)


async def newest(world: ChainWorld) -> Block:
    block = await world.reader.block((await world.reader.head()).latest)
    assert block is not None
    return block


async def everything(world: ChainWorld) -> list[Observation]:
    """Return what was observed since the first block, read as a watcher would read it."""
    found: list[Observation] = []
    latest, first = (await world.reader.head()).latest, world.first_block
    while first <= latest:
        scan = await world.reader.scan(first=first, last=latest)
        assert scan.blocks[0].number == first
        assert {it.block for it in scan.observations} <= {*scan.blocks}
        found += scan.observations
        first = scan.blocks[-1].number + 1
    return found


async def facts_to(world: ChainWorld, target: str) -> list[Observation]:
    """Return what was seen to come from the payer to an address."""
    return [
        it
        for it in await everything(world)
        if isinstance(it.fact, Transfer)
        and (it.fact.source, it.fact.target) == (world.payer, target)
    ]


async def facts_of(world: ChainWorld, signed: SignedBytes) -> set[Fact]:
    return {it.fact for it in await everything(world) if it.key.transaction == signed.hash}


async def balance_of(world: ChainWorld, address: str) -> Money:
    """Return what an address holds of the token by the newest block."""
    number = (await newest(world)).number
    return await world.reader.balance(address, world.token, at_block=number)


async def take_sequence(world: ChainWorld, sender: str) -> int:
    """Return a sender's next number, as the gateway does: by its own count and the chain's."""
    at_least = await world.sender.next_sequence(sender)
    sequence = max(at_least, world.taken.get(sender, 0))
    world.taken[sender] = sequence + 1
    return sequence


async def send(world: ChainWorld, instruction: Instruction) -> SignedBytes:
    """Send as the gateway does: prepare, take a sequence, sign, broadcast."""
    prepared = await world.sender.prepare(instruction)
    sequence = await take_sequence(world, prepared.sender)
    signed = await world.sender.sign(prepared, sequence=sequence)
    await world.sender.broadcast(signed)
    return signed


async def included(world: ChainWorld, signed: SignedBytes) -> Inclusion:
    """Mine until a transaction has come to its end, and return where."""
    for _ in range(BLOCKS_MAX):
        found = await world.reader.inclusions([signed.hash])
        if found and found[0].settled:
            return found[0]
        await world.mine()
    raise AssertionError(f"{signed.hash} is in no block")
