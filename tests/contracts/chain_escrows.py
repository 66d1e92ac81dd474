"""What a chain keeps that has the escrow contract on it: paid, released, refunded, or reverted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from domain.chains.instructions import RefundEscrow, Release, ReleaseEscrow, ReleaseMany
from domain.chains.model import EscrowPaid, EscrowRefunded, EscrowReleased, Transfer
from domain.shared.money import Money
from ports.chain import InstructionRefused
from tests.contracts.chain import ChainWorld, everything, facts_of, included, send, take_sequence

if TYPE_CHECKING:
    from domain.escrow.model import EscrowTerms
    from domain.shared.ids import EscrowId


class EscrowWorld(ChainWorld, Protocol):
    """A chain with the contract, which the payer may pay into."""

    def terms(self, reference: str, *, amount: int) -> EscrowTerms:
        """Return terms that can be paid and released now, with a fee of 1 %."""
        ...

    def escrow_id(self, terms: EscrowTerms) -> EscrowId:
        """Return the contract's name for a payment of these terms."""
        ...

    async def pay_escrow(self, terms: EscrowTerms) -> str:
        """Have the payer pay into the contract; return the transaction's hash."""
        ...


def together(world: EscrowWorld, *batch: EscrowTerms) -> ReleaseMany:
    """Return what releases several escrows by one transaction."""
    return ReleaseMany(
        tuple(Release(world.escrow_id(it), ReleaseEscrow(it, due=True)) for it in batch)
    )


class ChainEscrowsContract:
    @pytest.fixture
    def world(self) -> EscrowWorld:
        raise NotImplementedError

    async def test_a_payment_into_escrow_is_seen_with_its_transfer(
        self, world: EscrowWorld
    ) -> None:
        terms = world.terms("pi_01", amount=1_000)
        hash = await world.pay_escrow(terms)
        await world.mine()

        found = [it for it in await everything(world) if it.key.transaction == hash]
        paid = EscrowPaid(world.escrow_id(terms), "pi_01", world.payer, terms.money)
        moved = Transfer(terms.money, world.payer, terms.contract)
        assert {it.fact for it in found} == {paid, moved}
        assert len({it.key for it in found}) == 2

    async def test_what_the_contract_would_revert_is_refused(self, world: EscrowWorld) -> None:
        never_paid = world.terms("pi_99", amount=1_000)

        for instruction in (ReleaseEscrow(never_paid), RefundEscrow(never_paid)):
            with pytest.raises(InstructionRefused) as refusal:
                await world.sender.prepare(instruction)
            assert refusal.value.reason

    async def test_an_escrow_is_released_less_its_fee(self, world: EscrowWorld) -> None:
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

    async def test_an_escrow_is_refunded_in_full(self, world: EscrowWorld) -> None:
        terms = world.terms("pi_01", amount=12_345)
        await world.pay_escrow(terms)
        await world.mine()

        signed = await send(world, RefundEscrow(terms))

        assert (await included(world, signed)).succeeded
        assert await facts_of(world, signed) == {
            EscrowRefunded(world.escrow_id(terms), 12_345, pushed=True),
            Transfer(terms.money, terms.contract, world.payer),
        }

    async def test_each_of_a_batch_is_released_and_the_fee_is_taken_once(
        self, world: EscrowWorld
    ) -> None:
        batch = [world.terms(f"pi_{number}", amount=1_000) for number in range(3)]
        for terms in batch:
            await world.pay_escrow(terms)
        await world.mine()

        signed = await send(world, together(world, *batch))

        inclusion = await included(world, signed)
        assert (inclusion.succeeded, inclusion.failed) == (True, frozenset())
        assert await facts_of(world, signed) == {
            *(EscrowReleased(world.escrow_id(it), 990, 10, pushed=True) for it in batch),
            Transfer(Money(990, world.token), batch[0].contract, batch[0].merchant),
        }

    async def test_one_that_cannot_be_released_any_more_is_named_by_its_place(
        self, world: EscrowWorld
    ) -> None:
        batch = [world.terms(f"pi_{number}", amount=1_000) for number in range(3)]
        for terms in batch:
            await world.pay_escrow(terms)
        await world.mine()
        prepared = await world.sender.prepare(together(world, *batch))
        await included(world, await send(world, RefundEscrow(batch[1])))

        sequence = await take_sequence(world, world.sender.sender)
        signed = await world.sender.sign(prepared, sequence=sequence)
        await world.sender.broadcast(signed)

        inclusion = await included(world, signed)
        assert (inclusion.succeeded, inclusion.failed) == (True, frozenset({1}))
        ended = {it for it in await facts_of(world, signed) if isinstance(it, EscrowReleased)}
        assert {it.escrow_id for it in ended} == {*map(world.escrow_id, batch[::2])}

    async def test_a_batch_that_would_release_none_is_refused(self, world: EscrowWorld) -> None:
        never_paid = [world.terms(f"pi_9{number}", amount=1_000) for number in range(2)]

        with pytest.raises(InstructionRefused):
            await world.sender.prepare(together(world, *never_paid))

    async def test_what_becomes_impossible_before_its_block_fails_and_costs(
        self, world: EscrowWorld
    ) -> None:
        terms = world.terms("pi_01", amount=1_000)
        await world.pay_escrow(terms)
        await world.mine()
        refund = await world.sender.prepare(RefundEscrow(terms))
        await included(world, await send(world, ReleaseEscrow(terms)))

        sequence = await take_sequence(world, world.sender.sender)
        late = await world.sender.sign(refund, sequence=sequence)
        await world.sender.broadcast(late)

        inclusion = await included(world, late)
        assert not inclusion.succeeded
        assert inclusion.cost.amount > 0
        assert await facts_of(world, late) == set()
