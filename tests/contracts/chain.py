"""What every chain keeps: what is seen is of a block, what is sent is sent once.

An adapter's tests build a ``ChainWorld``: a fresh chain with the escrow contract on it, a hot
wallet that holds ``WALLET`` tokens and enough coin for fees, and a payer who holds ``PURSE``
tokens and may use the contract. They derive both suites and override ``world``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from domain.chains.model import EscrowPaid, EscrowRefunded, EscrowReleased, Transfer
from domain.chains.submissions import RefundEscrow, ReleaseEscrow, SendMoney
from domain.shared.money import Money
from ports.chain import ChainUnavailable, InstructionRefused, InsufficientFundsOnChain
from tests.builders import address_of

if TYPE_CHECKING:
    from domain.chains.model import Block, Fact, Observation
    from domain.chains.submissions import Inclusion, Instruction, SignedBytes
    from domain.escrow.model import EscrowTerms
    from domain.shared.ids import EscrowId
    from domain.shared.money import AssetId
    from ports.chain import ChainReader, ChainSender

WALLET = 1_000_000
"""What the hot wallet holds of the token at first, smallest units."""

PURSE = 1_000_000
"""What the payer holds of the token at first, smallest units."""


class ChainWorld(Protocol):
    """A chain, and what others do on it. What is submitted may be mined at once or by ``mine``."""

    reader: ChainReader
    sender: ChainSender
    native: AssetId
    token: AssetId
    payer: str

    def terms(self, reference: str, *, amount: int) -> EscrowTerms:
        """Return terms that can be paid and released now, with a fee of 1 %."""
        ...

    def escrow_id(self, terms: EscrowTerms) -> EscrowId:
        """Return the contract's name for a payment of these terms."""
        ...

    async def pay(self, *, target: str, amount: int) -> str:
        """Have the payer send tokens; return the transaction's hash."""
        ...

    async def pay_escrow(self, terms: EscrowTerms) -> str:
        """Have the payer pay into the contract; return the transaction's hash."""
        ...

    async def mine(self, blocks: int = 1) -> None:
        """Make blocks; what waits comes into the first of them."""
        ...

    async def finalize(self) -> None:
        """Make what is in the newest block final."""
        ...

    async def reorg(self, *, depth: int) -> None:
        """Replace the newest blocks by others without transactions, and at least one more."""
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

    async def test_a_deposit_is_seen_and_becomes_final(self, world: ChainWorld) -> None:
        target = address_of("deposit")
        hash = await world.pay(target=target, amount=700)
        await world.mine()

        [found] = await facts_to(world, target)
        assert found.fact == Transfer(Money(700, world.token), world.payer, target)
        assert found.key.transaction == hash
        assert found.key.chain == world.reader.chain
        head = await world.reader.head()
        assert found.block.number > head.final

        await world.finalize()
        head = await world.reader.head()
        assert found.block.number <= head.final <= head.safe <= head.latest
        assert await facts_to(world, target) == [found], "the same reading, the same facts"

    async def test_two_deposits_in_one_block_are_two_observations(self, world: ChainWorld) -> None:
        target = address_of("deposit")
        for _ in range(2):
            await world.pay(target=target, amount=700)
        await world.mine()

        one, other = await facts_to(world, target)
        assert one.fact == other.fact
        assert one.key != other.key

    async def test_a_range_holds_the_facts_of_its_blocks_alone(self, world: ChainWorld) -> None:
        target = address_of("deposit")
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

    async def test_a_reorg_replaces_blocks_and_drops_what_was_in_them(
        self, world: ChainWorld
    ) -> None:
        target = address_of("deposit")
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
        assert (
            await world.reader.balance(target, world.token, at_block=(await newest(world)).number)
        ).amount == 0

    async def test_a_payment_into_escrow_is_seen_with_its_transfer(
        self, world: ChainWorld
    ) -> None:
        terms = world.terms("pi_01", amount=1_000)
        hash = await world.pay_escrow(terms)
        await world.mine()

        found = [it for it in await everything(world) if it.key.transaction == hash]
        paid = EscrowPaid(world.escrow_id(terms), "pi_01", world.payer, terms.money)
        moved = Transfer(terms.money, world.payer, terms.contract)
        assert {it.fact for it in found} == {paid, moved}
        assert len({it.key for it in found}) == 2

    async def test_a_balance_is_that_after_a_block(self, world: ChainWorld) -> None:
        target = address_of("deposit")
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
            assert held == Money(amount, world.token)
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
        target = address_of("merchant")
        before = await newest(world)
        signed = await send(world, SendMoney(Money(400, world.token), target))

        inclusion = await included(world, signed)

        assert inclusion.succeeded
        assert inclusion.hash == signed.hash
        [found] = await facts_to(world, target)
        assert found.block.hash == inclusion.block_hash
        assert found.block.number == inclusion.block_number
        assert found.key.transaction == signed.hash
        assert inclusion.cost.asset == world.native
        coins = [
            await world.reader.balance(world.sender.sender, world.native, at_block=number)
            for number in (before.number, inclusion.block_number)
        ]
        assert coins[0] - coins[1] == inclusion.cost
        assert inclusion.cost.amount > 0

    async def test_the_fee_limit_bounds_the_cost(self, world: ChainWorld) -> None:
        instruction = SendMoney(Money(400, world.token), address_of("merchant"))
        prepared = await world.sender.prepare(instruction)
        sequence = await world.sender.next_sequence(world.sender.sender)
        signed = await world.sender.sign(prepared, sequence=sequence)
        await world.sender.broadcast(signed)

        assert (await included(world, signed)).cost <= prepared.fee_limit

    async def test_the_same_arguments_give_the_same_bytes(self, world: ChainWorld) -> None:
        instruction = SendMoney(Money(400, world.token), address_of("merchant"))
        prepared = await world.sender.prepare(instruction)

        one = await world.sender.sign(prepared, sequence=7)
        assert await world.sender.sign(prepared, sequence=7) == one
        other = await world.sender.sign(prepared, sequence=8)
        assert (one.sequence, other.sequence) == (7, 8)
        assert (one.hash, one.raw) != (other.hash, other.raw)
        assert one.sender == world.sender.sender

    async def test_nothing_is_sent_before_the_broadcast(self, world: ChainWorld) -> None:
        sequence = await world.sender.next_sequence(world.sender.sender)
        instruction = SendMoney(Money(400, world.token), address_of("merchant"))
        signed = await world.sender.sign(
            await world.sender.prepare(instruction), sequence=sequence
        )
        await world.mine()

        assert await world.reader.inclusions([signed.hash]) == []
        assert await world.sender.next_sequence(world.sender.sender) == sequence

    async def test_handing_bytes_over_again_is_no_error_and_has_no_effect(
        self, world: ChainWorld
    ) -> None:
        target = address_of("merchant")
        signed = await send(world, SendMoney(Money(400, world.token), target))
        await world.sender.broadcast(signed)
        await included(world, signed)
        await world.sender.broadcast(signed)
        await world.finalize()
        await world.sender.broadcast(signed)
        await world.mine()

        assert len(await facts_to(world, target)) == 1

    async def test_sequence_numbers_count_what_waits(self, world: ChainWorld) -> None:
        first = await world.sender.next_sequence(world.sender.sender)
        one = await send(world, SendMoney(Money(1, world.token), address_of("merchant")))
        assert one.sequence == first
        assert await world.sender.next_sequence(world.sender.sender) == first + 1
        other = await send(world, SendMoney(Money(2, world.token), address_of("merchant")))

        await world.mine(2)
        inclusions = await world.reader.inclusions([other.hash, "0x" + "9" * 64, one.hash])
        assert {it.hash for it in inclusions} == {one.hash, other.hash}
        assert await world.sender.next_sequence(world.sender.sender) == first + 2

    async def test_bytes_lost_in_a_reorg_are_taken_again(self, world: ChainWorld) -> None:
        target = address_of("merchant")
        await world.mine(2)
        signed = await send(world, SendMoney(Money(400, world.token), target))
        inclusion = await included(world, signed)
        depth = (await newest(world)).number - inclusion.block_number + 1
        await world.reorg(depth=depth)
        assert await world.reader.inclusions([signed.hash]) == []

        await world.sender.broadcast(signed)

        again = await included(world, signed)
        assert again.block_hash != inclusion.block_hash
        assert len(await facts_to(world, target)) == 1

    async def test_more_than_the_wallet_holds_is_not_prepared(self, world: ChainWorld) -> None:
        too_much = SendMoney(Money(WALLET + 1, world.token), address_of("merchant"))

        with pytest.raises(InsufficientFundsOnChain) as refusal:
            await world.sender.prepare(too_much)
        assert refusal.value.asset == world.token

    async def test_what_the_contract_would_revert_is_refused(self, world: ChainWorld) -> None:
        never_paid = world.terms("pi_99", amount=1_000)

        for instruction in (ReleaseEscrow(never_paid), RefundEscrow(never_paid)):
            with pytest.raises(InstructionRefused) as refusal:
                await world.sender.prepare(instruction)
            assert refusal.value.reason

    async def test_an_escrow_is_released_less_its_fee(self, world: ChainWorld) -> None:
        terms = world.terms("pi_01", amount=12_345)
        await world.pay_escrow(terms)
        await world.mine()

        signed = await send(world, ReleaseEscrow(terms))

        assert (await included(world, signed)).succeeded
        assert await facts_of(world, signed) == {
            EscrowReleased(world.escrow_id(terms), 12_222, 123, pushed=True),
            Transfer(Money(12_222, world.token), terms.contract, terms.merchant),
        }
        with pytest.raises(InstructionRefused):
            await world.sender.prepare(RefundEscrow(terms))

    async def test_an_escrow_is_refunded_in_full(self, world: ChainWorld) -> None:
        terms = world.terms("pi_01", amount=12_345)
        await world.pay_escrow(terms)
        await world.mine()

        signed = await send(world, RefundEscrow(terms))

        assert (await included(world, signed)).succeeded
        assert await facts_of(world, signed) == {
            EscrowRefunded(world.escrow_id(terms), 12_345, pushed=True),
            Transfer(terms.money, terms.contract, world.payer),
        }

    async def test_what_becomes_impossible_before_its_block_fails_and_costs(
        self, world: ChainWorld
    ) -> None:
        terms = world.terms("pi_01", amount=1_000)
        await world.pay_escrow(terms)
        await world.mine()
        refund = await world.sender.prepare(RefundEscrow(terms))
        await included(world, await send(world, ReleaseEscrow(terms)))

        sequence = await world.sender.next_sequence(world.sender.sender)
        late = await world.sender.sign(refund, sequence=sequence)
        await world.sender.broadcast(late)

        inclusion = await included(world, late)
        assert not inclusion.succeeded
        assert inclusion.cost.amount > 0
        assert await facts_of(world, late) == set()


async def newest(world: ChainWorld) -> Block:
    block = await world.reader.block((await world.reader.head()).latest)
    assert block is not None
    return block


async def everything(world: ChainWorld) -> list[Observation]:
    """Return what was observed since the first block, read as a watcher would read it."""
    found: list[Observation] = []
    latest, first = (await world.reader.head()).latest, 0
    while first <= latest:
        scan = await world.reader.scan(first=first, last=latest)
        assert scan.blocks[0].number == first
        assert {it.block for it in scan.observations} <= {*scan.blocks}
        found += scan.observations
        first = scan.blocks[-1].number + 1
    return found


async def facts_to(world: ChainWorld, target: str) -> list[Observation]:
    return [
        it
        for it in await everything(world)
        if isinstance(it.fact, Transfer) and it.fact.target == target
    ]


async def facts_of(world: ChainWorld, signed: SignedBytes) -> set[Fact]:
    return {it.fact for it in await everything(world) if it.key.transaction == signed.hash}


async def send(world: ChainWorld, instruction: Instruction) -> SignedBytes:
    """Send as the gateway does: prepare, take a sequence, sign, broadcast."""
    prepared = await world.sender.prepare(instruction)
    sequence = await world.sender.next_sequence(world.sender.sender)
    signed = await world.sender.sign(prepared, sequence=sequence)
    await world.sender.broadcast(signed)
    return signed


async def included(world: ChainWorld, signed: SignedBytes) -> Inclusion:
    """Mine until a transaction is in a block, and return where."""
    for _ in range(5):
        found = await world.reader.inclusions([signed.hash])
        if found:
            return found[0]
        await world.mine()
    raise AssertionError(f"{signed.hash} is in no block")
