"""What a devnet does at will: it pays what it is told, once, and refuses what it cannot do."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

import attrs
import pytest

from domain.chains.model import EscrowPaid, Transfer
from domain.shared.money import AssetId, Money
from ports.sandbox import SandboxRefused
from tests.contracts.chain import everything

if TYPE_CHECKING:
    from domain.chains.model import Fact
    from domain.escrow.model import EscrowTerms
    from domain.shared.ids import EscrowId
    from ports.sandbox import Sandbox
    from tests.contracts.chain import ChainWorld

    class SandboxWorld(ChainWorld, Protocol):
        """A chain with an escrow contract."""

        def terms(self, reference: str, *, amount: int) -> EscrowTerms: ...

        def escrow_id(self, terms: EscrowTerms) -> EscrowId: ...


async def facts_of(world: ChainWorld, hash: str) -> list[Fact]:
    """Return what a transaction has done."""
    return [each.fact for each in await everything(world) if each.key.transaction == hash]


class SandboxContract:
    @pytest.fixture
    def world(self) -> SandboxWorld:
        raise NotImplementedError

    @pytest.fixture
    def sandbox(self, world: SandboxWorld) -> Sandbox:
        raise NotImplementedError

    async def test_it_is_of_the_chain_that_is_read(
        self, world: SandboxWorld, sandbox: Sandbox
    ) -> None:
        await sandbox.check()

        assert sandbox.chain == world.reader.chain

    @pytest.mark.parametrize("amount", [1, 25_000_000, 10**13])
    async def test_tokens_come_to_who_is_paid(
        self, world: SandboxWorld, sandbox: Sandbox, amount: int
    ) -> None:
        hash = await sandbox.pay(target=world.watched, money=Money(amount, world.token))

        [fact] = await facts_of(world, hash)
        assert isinstance(fact, Transfer)
        assert (fact.money, fact.target) == (Money(amount, world.token), world.watched)

    async def test_coins_come_to_who_is_paid(self, world: SandboxWorld, sandbox: Sandbox) -> None:
        target, money = world.somebody("paid in coins"), Money(7, world.native)
        before = await self._held(world, target, money)
        await sandbox.pay(target=target, money=money)

        assert await self._held(world, target, money) == before + 7

    async def test_money_of_another_chain_cannot_be_had(
        self, world: SandboxWorld, sandbox: Sandbox
    ) -> None:
        elsewhere = AssetId(f"eip155:5/erc20:0x{'7' * 40}")
        with pytest.raises(SandboxRefused):
            await sandbox.pay(target=world.watched, money=Money(1, elsewhere))

    async def test_an_escrow_is_paid_as_its_terms_say(
        self, world: SandboxWorld, sandbox: Sandbox
    ) -> None:
        terms = world.terms("pi_sandbox", amount=5_000)
        hash = await sandbox.pay_escrow(terms)

        [paid] = [it for it in await facts_of(world, hash) if isinstance(it, EscrowPaid)]
        assert (paid.escrow_id, paid.money) == (world.escrow_id(terms), terms.money)

    async def test_an_escrow_is_paid_once(self, world: SandboxWorld, sandbox: Sandbox) -> None:
        terms = world.terms("pi_twice", amount=5_000)
        await sandbox.pay_escrow(terms)

        with pytest.raises(SandboxRefused):
            await sandbox.pay_escrow(terms)
        # What the refused payment has left behind is in nobody's way.
        await sandbox.pay_escrow(world.terms("pi_thrice", amount=5_000))

    async def test_nothing_is_paid_to_an_escrow_whose_time_is_over(
        self, world: SandboxWorld, sandbox: Sandbox
    ) -> None:
        terms = world.terms("pi_over", amount=5_000)
        newest = await world.reader.block((await world.reader.head()).latest)
        assert newest is not None
        over = attrs.evolve(terms, pay_by=newest.time - timedelta(days=1))

        with pytest.raises(SandboxRefused):
            await sandbox.pay_escrow(over)

    async def test_the_newest_blocks_are_replaced_and_their_transactions_gone(
        self, world: SandboxWorld, sandbox: Sandbox
    ) -> None:
        await world.mine(6)
        before = await world.reader.head()
        hash = await sandbox.pay(target=world.watched, money=Money(77, world.token))
        paid_in = await world.reader.block((await world.reader.head()).latest)
        assert paid_in is not None
        await sandbox.reorganize(depth=1)

        after = await world.reader.block(paid_in.number)
        assert after is not None
        assert after.hash != paid_in.hash
        assert await facts_of(world, hash) == []
        final = await world.reader.block(before.final)
        assert final is not None
        assert final.hash == before.final_hash

    async def test_a_final_block_is_not_replaced(
        self, world: SandboxWorld, sandbox: Sandbox
    ) -> None:
        await world.mine(6)
        head = await world.reader.head()
        with pytest.raises(SandboxRefused):
            await sandbox.reorganize(depth=head.latest - head.final + 1)

        await sandbox.reorganize(depth=head.latest - head.final)
        final = await world.reader.block(head.final)
        assert final is not None
        assert final.hash == head.final_hash

    async def _held(self, world: ChainWorld, target: str, money: Money) -> int:
        latest = (await world.reader.head()).latest
        held = await world.reader.balance(target, money.asset, at_block=latest)
        return held.amount
