"""The chain in memory as one of another kind: with memos, batches, and messages that expire."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.chain import InMemoryChain
from adapters.memory.chain_state import Nature
from adapters.memory.clock import FakeClock
from adapters.memory.escrow_contract import InMemoryEscrowContracts
from domain.chains.instructions import ReleaseEscrow, SendMoney
from domain.chains.model import WalletCharged
from domain.shared.money import AssetId
from ports.chain import ChainReader, ChainSender, InstructionRefused
from tests.builders import CHAIN, COIN, USDT, address_of, coins, terms_of, usdt
from tests.contracts.chain import PURSE, WALLET, ChainReaderContract, ChainSenderContract
from tests.contracts.chain_messages import (
    ChainBatchesContract,
    ChainExpiryContract,
    ChainMemosContract,
)

if TYPE_CHECKING:
    from domain.chains.submissions import SignedBytes
    from domain.shared.money import Money

HOT, PAYER = address_of("hot"), address_of("payer")
VALID_FOR = timedelta(hours=1)


@attrs.define
class MessagesWorld:
    chain: InMemoryChain
    clock: FakeClock
    reader: ChainReader
    sender: ChainSender
    native: AssetId = COIN.id
    token: AssetId = USDT.id
    payer: str = PAYER
    watched: str = HOT
    first_block: int = 0
    taken: dict[str, int] = attrs.field(factory=dict)

    def somebody(self, name: str) -> str:
        return address_of(name)

    async def pay(self, *, target: str, amount: int) -> str:
        return self.chain.transfer(usdt(amount), source=PAYER, target=target)

    async def write(self, *, target: str, money: Money, memo: str | None) -> str:
        return self.chain.transfer(money, source=PAYER, target=target, memo=memo)

    def failing(self) -> SendMoney:
        self.chain.reject_pushes_to(address_of("closed"))
        return SendMoney(usdt(7), address_of("closed"))

    async def lapse(self, signed: SignedBytes) -> None:
        del signed
        self.clock.advance(seconds=int(VALID_FOR.total_seconds()) + 1)
        self.chain.mine()
        self.chain.finalize()

    async def mine(self, blocks: int = 1) -> None:
        self.chain.mine(blocks)

    async def finalize(self) -> None:
        self.chain.finalize()


@pytest.fixture
def chain(clock: FakeClock) -> InMemoryChain:
    chain = InMemoryChain(
        chain=CHAIN,
        clock=clock,
        contracts=InMemoryEscrowContracts(),
        native=COIN.id,
        assets=[USDT.id, COIN.id],
        contract=None,
        sender=HOT,
        arbiter="nobody",
        treasury=None,
        nature=Nature(batch_max=3, valid_for=VALID_FOR, shows_coins=True, travels=1),
    )
    chain.fund(HOT, usdt(WALLET))
    chain.fund(HOT, coins(10**9))
    chain.fund(PAYER, usdt(PURSE))
    chain.fund(PAYER, coins(PURSE))
    chain.mine()
    return chain


class OfMessages:
    @pytest.fixture
    def world(self, chain: InMemoryChain, clock: FakeClock) -> MessagesWorld:
        return MessagesWorld(chain, clock, chain, chain)


class TestReader(OfMessages, ChainReaderContract): ...


class TestSender(OfMessages, ChainSenderContract): ...


class TestMemos(OfMessages, ChainMemosContract): ...


class TestBatches(OfMessages, ChainBatchesContract): ...


class TestExpiry(OfMessages, ChainExpiryContract): ...


async def test_numbers_come_into_blocks_in_any_order_and_each_once(
    chain: InMemoryChain, clock: FakeClock
) -> None:
    prepared = await chain.prepare(SendMoney(usdt(1), address_of("till")))
    signed = [await chain.sign(prepared, sequence=number) for number in (5, 2)]
    for each in signed:
        await chain.broadcast(each)
    chain.mine()
    chain.mine()
    assert len(await chain.inclusions([each.hash for each in signed])) == 2

    clock.advance(seconds=1)
    later = await chain.sign(
        await chain.prepare(SendMoney(usdt(1), address_of("till"))), sequence=5
    )
    assert later.raw != signed[0].raw
    with pytest.raises(Exception, match="of that sequence"):
        await chain.broadcast(later)


async def test_where_no_contract_is_nothing_is_released(chain: InMemoryChain) -> None:
    with pytest.raises(InstructionRefused):
        await chain.prepare(ReleaseEscrow(terms_of()))


async def test_rent_is_taken_and_told(chain: InMemoryChain) -> None:
    hash = chain.take_rent(17)
    chain.mine()

    [told] = [it for it in chain.blocks.mined[-1].observations if it.key.transaction == hash]
    assert told.fact == WalletCharged(coins(17))
    assert chain.state.balance(HOT, COIN.id) == 10**9 - 17


async def test_rent_of_a_deposit_address_names_it(chain: InMemoryChain) -> None:
    place = address_of("deposit")
    chain.fund(place, coins(50))
    chain.take_rent(17, of=place)
    chain.mine()

    told = [it.fact for it in chain.blocks.mined[-1].observations]
    assert WalletCharged(coins(17), place) in told
    assert chain.state.balance(place, COIN.id) == 50 - 17
