from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.chain import InMemoryChain
from adapters.memory.deposit_addresses import InMemoryDepositAddresses
from adapters.memory.escrow_contract import InMemoryEscrowContracts
from domain.chains.instructions import SendMoney
from domain.chains.model import (
    CreditWithdrawn,
    EscrowDisputed,
    EscrowRefunded,
    EscrowReleased,
    EscrowResolved,
    Transfer,
)
from domain.shared.money import AssetId
from ports.chain import ChainReader, ChainSender, ChainUnavailable, InsufficientFundsOnChain
from tests.builders import CHAIN, COIN, CONTRACT, USDT, address_of, coins, terms_of, usdt
from tests.contracts.chain import (
    PURSE,
    WALLET,
    ChainReaderContract,
    ChainSenderContract,
)
from tests.contracts.chain_escrows import ChainEscrowsContract
from tests.contracts.chain_forks import ChainReorgsContract, ChainSequencesContract
from tests.contracts.chain_sweeps import ChainSweepsContract

if TYPE_CHECKING:
    from adapters.memory.clock import FakeClock
    from domain.chains.model import Fact
    from domain.escrow.model import EscrowTerms
    from domain.shared.ids import EscrowId
    from tests.contracts.chain_sweeps import DepositWorld

HOT, PAYER, MERCHANT = address_of("hot"), address_of("payer"), address_of("merchant")
ARBITER, TREASURY = address_of("arbiter"), address_of("treasury")
CONTRACTS = InMemoryEscrowContracts()
DEPOSITS = InMemoryDepositAddresses()


def new_chain(clock: FakeClock) -> InMemoryChain:
    chain = InMemoryChain(
        chain=CHAIN,
        clock=clock,
        contracts=CONTRACTS,
        native=COIN.id,
        assets=[USDT.id],
        contract=CONTRACT,
        sender=HOT,
        arbiter=ARBITER,
        treasury=TREASURY,
        deposits=DEPOSITS,
    )
    chain.fund(HOT, usdt(WALLET))
    chain.fund(HOT, coins(10**9))
    chain.fund(PAYER, usdt(PURSE))
    chain.mine()
    return chain


@attrs.define
class InMemoryWorld:
    chain: InMemoryChain
    reader: ChainReader
    sender: ChainSender
    native: AssetId = COIN.id
    token: AssetId = USDT.id
    payer: str = PAYER
    watched: str = address_of("deposit")
    first_block: int = 0
    taken: dict[str, int] = attrs.field(factory=dict)

    def somebody(self, name: str) -> str:
        return address_of(name)

    def terms(self, reference: str, *, amount: int) -> EscrowTerms:
        return terms_of(reference, money=usdt(amount))

    def deposit(self, index: int) -> str:
        return DEPOSITS.derive(index)

    def escrow_id(self, terms: EscrowTerms) -> EscrowId:
        return CONTRACTS.escrow_id(terms)

    async def pay(self, *, target: str, amount: int) -> str:
        return self.chain.transfer(usdt(amount), source=PAYER, target=target)

    async def pay_escrow(self, terms: EscrowTerms) -> str:
        return self.chain.pay_escrow(terms, payer=PAYER)

    async def mine(self, blocks: int = 1) -> None:
        self.chain.mine(blocks)

    async def finalize(self) -> None:
        self.chain.finalize()

    async def reorg(self, *, depth: int) -> None:
        self.chain.reorg(depth=depth)


@pytest.fixture
def chain(clock: FakeClock) -> InMemoryChain:
    return new_chain(clock)


class InMemory:
    @pytest.fixture
    def world(self, chain: InMemoryChain) -> DepositWorld:
        return InMemoryWorld(chain, chain, chain)


class TestChainReader(InMemory, ChainReaderContract): ...


class TestChainSender(InMemory, ChainSenderContract): ...


class TestChainReorgs(InMemory, ChainReorgsContract): ...


class TestChainSequences(InMemory, ChainSequencesContract): ...


class TestChainEscrows(InMemory, ChainEscrowsContract): ...


class TestChainSweeps(InMemory, ChainSweepsContract): ...


class TestFaults:
    async def test_a_failed_call_reaches_nothing(self, chain: InMemoryChain) -> None:
        chain.fail_next(2)
        for _ in range(2):
            with pytest.raises(ChainUnavailable):
                await chain.head()
        await chain.head()

    async def test_a_time_out_may_come_after_the_bytes_were_taken(
        self, chain: InMemoryChain
    ) -> None:
        prepared = await chain.prepare(SendMoney(usdt(5), MERCHANT))
        signed = await chain.sign(prepared, sequence=0)
        chain.time_out_after_accepting()

        with pytest.raises(ChainUnavailable):
            await chain.broadcast(signed)

        chain.mine()
        assert len(await chain.inclusions([signed.hash])) == 1
        await chain.broadcast(signed)

    async def test_another_transaction_of_a_used_sequence_is_not_taken(
        self, chain: InMemoryChain
    ) -> None:
        for amount in (1, 2):
            prepared = await chain.prepare(SendMoney(usdt(amount), MERCHANT))
            signed = await chain.sign(prepared, sequence=0)
            if amount == 1:
                await chain.broadcast(signed)
        with pytest.raises(ChainUnavailable):
            await chain.broadcast(signed)
        chain.mine()
        with pytest.raises(ChainUnavailable):
            await chain.broadcast(signed)

    async def test_a_transaction_waits_for_the_ones_before_it(self, chain: InMemoryChain) -> None:
        prepared = await chain.prepare(SendMoney(usdt(1), MERCHANT))
        second, first = [await chain.sign(prepared, sequence=n) for n in (1, 0)]
        await chain.broadcast(second)
        chain.mine()
        assert await chain.inclusions([second.hash]) == []

        await chain.broadcast(first)
        chain.mine()
        assert len(await chain.inclusions([first.hash, second.hash])) == 2

    async def test_nodes_that_lag_hide_the_newest_blocks(self, chain: InMemoryChain) -> None:
        chain.mine(9)
        latest = (await chain.head()).latest
        chain.lag(3)

        assert (await chain.head()).latest == latest - 3
        assert await chain.block(latest) is None
        assert (await chain.scan(first=latest - 4, last=latest)).blocks[-1].number == latest - 3

    async def test_a_reorg_can_drop_a_transaction_for_good(self, chain: InMemoryChain) -> None:
        dropped = chain.transfer(usdt(1), source=PAYER, target=MERCHANT)
        kept = chain.transfer(usdt(2), source=PAYER, target=MERCHANT)
        chain.mine()
        chain.reorg(depth=1, drop=[dropped])
        chain.mine()

        found = (await chain.scan(first=0, last=99)).observations
        hashes = {it.key.transaction for it in found}
        assert kept in hashes
        assert dropped not in hashes

    async def test_final_blocks_are_replaced_only_where_a_chain_breaks_its_word(
        self, chain: InMemoryChain
    ) -> None:
        chain.mine(8)
        final = (await chain.head()).final
        depth = chain.blocks.latest - final + 1
        with pytest.raises(ValueError, match="can be replaced"):
            chain.reorg(depth=depth)

        before = await chain.block(final)
        chain.reorg(depth=depth, through_final=True)
        assert await chain.block(final) != before

    async def test_the_word_on_finality_is_never_taken_back(self, chain: InMemoryChain) -> None:
        chain.mine(8)
        final = (await chain.head()).final
        chain.lag(7)

        assert (await chain.head()).final == final

    async def test_a_wallet_without_coin_for_fees_prepares_nothing(self, clock: FakeClock) -> None:
        chain = new_chain(clock)
        chain.transfer(coins(10**9), source=HOT, target=MERCHANT)
        chain.mine()

        with pytest.raises(InsufficientFundsOnChain) as refusal:
            await chain.prepare(SendMoney(usdt(1), MERCHANT))
        assert refusal.value.asset == COIN.id


class TestEscrow:
    async def test_what_a_merchant_rejects_becomes_a_credit(self, chain: InMemoryChain) -> None:
        terms = terms_of(money=usdt(1_000))
        chain.reject_pushes_to(MERCHANT)
        chain.pay_escrow(terms, payer=PAYER)
        chain.release(terms, by=PAYER)
        chain.mine()

        assert chain.escrow.credit_of(MERCHANT, USDT.id) == 990
        assert chain.escrow.credit_of(TREASURY, USDT.id) == 10
        [_, _, released] = await facts(chain)
        assert released == EscrowReleased(CONTRACTS.escrow_id(terms), 990, 10, pushed=False)

        chain.withdraw(USDT.id, by=MERCHANT, to=address_of("cold"))
        chain.mine()
        assert await facts(chain) == [
            CreditWithdrawn(MERCHANT, address_of("cold"), usdt(990)),
            Transfer(usdt(990), CONTRACT, address_of("cold")),
        ]

    async def test_a_dispute_is_split_by_the_arbiter(self, chain: InMemoryChain) -> None:
        terms = terms_of(money=usdt(1_000))
        id = CONTRACTS.escrow_id(terms)
        chain.pay_escrow(terms, payer=PAYER)
        chain.dispute(terms, by=PAYER)
        chain.release(terms, by=PAYER)
        chain.resolve(terms, payer_amount=400)
        chain.mine()

        assert (await facts(chain))[2:] == [
            EscrowDisputed(id),
            EscrowResolved(id, 400, 594, 6, payer_pushed=True, merchant_pushed=True),
            Transfer(usdt(400), CONTRACT, PAYER),
            Transfer(usdt(594), CONTRACT, MERCHANT),
        ]

    async def test_an_undecided_dispute_goes_back_to_the_payer_in_the_end(
        self, chain: InMemoryChain, clock: FakeClock
    ) -> None:
        terms = terms_of(money=usdt(1_000))
        chain.pay_escrow(terms, payer=PAYER)
        chain.dispute(terms, by=MERCHANT)
        chain.claim_unresolved(terms)
        chain.mine()
        assert len(await facts(chain)) == 3

        clock.advance(days=30)
        chain.claim_unresolved(terms)
        chain.mine()
        assert EscrowRefunded(CONTRACTS.escrow_id(terms), 1_000, pushed=True) in (
            await facts(chain)
        )

    async def test_clocks_decide_who_may_do_what(
        self, chain: InMemoryChain, clock: FakeClock
    ) -> None:
        one, other = terms_of("pi_01", money=usdt(10)), terms_of("pi_02", money=usdt(10))
        stranger = address_of("stranger")
        for terms in (one, other):
            chain.pay_escrow(terms, payer=PAYER)
        chain.release(one, by=stranger)
        chain.reclaim(other, by=PAYER)
        chain.mine()
        assert chain.state.balance(CONTRACT, USDT.id) == 20

        clock.move_to(one.auto_release_at)
        chain.release(one, by=stranger)
        chain.mine()
        clock.move_to(other.refund_until)
        chain.dispute(other, by=PAYER)
        chain.reclaim(other, by=PAYER)
        chain.pay_escrow(terms_of("pi_03", money=usdt(10)), payer=PAYER)
        chain.mine()
        assert chain.state.balance(CONTRACT, USDT.id) == 0
        assert chain.state.balance(MERCHANT, USDT.id) == 10

    async def test_money_is_conserved_through_everything_and_back(
        self, chain: InMemoryChain, clock: FakeClock
    ) -> None:
        terms = terms_of(money=usdt(1_000))
        chain.pay_escrow(terms, payer=PAYER)
        chain.mine()
        chain.release(terms, by=PAYER)
        await chain.broadcast(
            await chain.sign(await chain.prepare(SendMoney(usdt(7), MERCHANT)), sequence=0)
        )
        clock.advance(minutes=1)
        chain.mine()
        after = chain.state.balance(MERCHANT, USDT.id)
        chain.reorg(depth=2)

        assert (after, chain.state.balance(MERCHANT, USDT.id)) == (997, 0)
        assert chain.state.balance(CONTRACT, USDT.id) == 0
        assert [chain.state.total(asset) for asset in (USDT.id, COIN.id)] == [0, 0]
        chain.mine()
        assert chain.state.balance(MERCHANT, USDT.id) == after
        assert [chain.state.total(asset) for asset in (USDT.id, COIN.id)] == [0, 0]

    async def test_a_trial_run_leaves_no_trace(self, chain: InMemoryChain) -> None:
        before = chain.state.balance(HOT, USDT.id)
        await chain.prepare(SendMoney(usdt(7), MERCHANT))

        assert chain.state.balance(HOT, USDT.id) == before

    async def test_terms_of_another_contract_are_not_paid(self, chain: InMemoryChain) -> None:
        chain.pay_escrow(terms_of(contract=address_of("another")), payer=PAYER)
        chain.mine()

        assert await facts(chain) == []


async def facts(chain: InMemoryChain) -> list[Fact]:
    """Return the facts of the newest block."""
    latest = (await chain.head()).latest
    return [it.fact for it in (await chain.scan(first=latest, last=latest)).observations]
