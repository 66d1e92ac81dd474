"""Batches of sweeps by EIP-7702: many addresses, one transaction of the hot wallet's."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING, Self

import attrs
import pytest

from adapters.evm.addresses import XpubAddresses
from adapters.evm.authorizations import CODE_PREFIX
from adapters.evm.collecting import collecting_gas
from adapters.evm.fees import Fees
from adapters.evm.node import EvmNode, NotOurCollector
from adapters.evm.prepared import EvmPrepared
from adapters.evm.private_keys import ExtendedPrivateKey
from adapters.evm.reader import EvmChainReader
from adapters.evm.sender import EvmChainSender
from adapters.evm.settings import FeeLimits
from adapters.evm.transactions import UnsignedTransaction
from adapters.evm.wallet import PayerWallet
from domain.chains.instructions import FundGas, SweepDeposit, SweepMany, SweptPlace
from domain.shared.ids import SweepId
from domain.shared.money import Money
from ports.chain import InstructionRefused
from tests.adapters.evm.evm_world import EvmWorld
from tests.adapters.evm.local_chain import (
    NATIVE,
    OPERATOR,
    PAYER,
    STRANGER,
    address,
)
from tests.contracts.chain import PURSE, WALLET, included, send
from tests.contracts.chain_batch_sweeps import FIRST, HELD, ChainBatchSweepsContract, paid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.adapters.evm.local_chain import LocalChain

GWEI = 10**9
FEES = FeeLimits(stuck_after_blocks=3, min_tip_wei=GWEI, replacements_max=2)


@attrs.define(kw_only=True)
class CollectingWorld(EvmWorld):
    """A chain with a collector, to which the hot wallet's batches go."""

    collector: str
    account: ExtendedPrivateKey
    """Of this world's own deposit addresses: none of another's has been used."""

    @classmethod
    async def collecting(cls, chain: LocalChain, node: EvmNode, collector: str) -> Self:
        await chain.funded(PURSE, PAYER)
        await chain.funded(WALLET, OPERATOR)
        account = ExtendedPrivateKey.master(secrets.token_bytes(32)).account(0)
        signer = chain.deposit_signer(collector, deposits=account)
        return cls(
            chain=chain,
            reader=EvmChainReader(node),
            sender=EvmChainSender(node, chain.signer(), deposits=signer),
            usual=await chain.terms(),
            native=NATIVE,
            token=chain.usdt,
            payer=address(PAYER),
            watched=address(STRANGER),
            collector=collector,
            account=account,
        )

    def deposit(self, index: int) -> str:
        return XpubAddresses(self.account.xpub()).derive(index)

    async def empty(self, index: int) -> None:
        """Have the owner of the phrase move an address's tokens by hand."""
        owner = self.deposit(index)
        await self.chain.fund(owner)
        async with PayerWallet(self.chain.url, self.account.deposit_key(index)) as wallet:
            held = await self.tokens(owner)
            await wallet.transfer(token=self.chain.token, target=address(STRANGER), amount=held)

    async def tokens(self, holder: str) -> int:
        head = await self.reader.head()
        return (await self.reader.balance(holder, self.token, at_block=head.latest)).amount

    async def code(self, index: int) -> str:
        return str(await self.chain.control("eth_getCode", self.deposit(index), "latest"))


@pytest.fixture
async def world(chain: LocalChain) -> AsyncIterator[CollectingWorld]:
    collector = await chain.deploy_collector()
    settings = chain.settings(collector=collector, collects_to=address(OPERATOR), fees=FEES)
    async with EvmNode(settings) as node:
        yield await CollectingWorld.collecting(chain, node, collector)


class TestBatchSweeps(ChainBatchSweepsContract):
    @pytest.fixture
    def world(self, world: CollectingWorld) -> CollectingWorld:
        return world


async def carried(world: CollectingWorld, batch: SweepMany) -> UnsignedTransaction:
    """Send a batch; return its transaction."""
    signed = await send(world, batch)
    assert (await included(world, signed)).succeeded
    return UnsignedTransaction.of_signed(signed.raw)


async def test_an_address_delegates_once(world: CollectingWorld) -> None:
    batch = await paid(world, 2)
    first = await carried(world, batch)
    assert [it.delegation.nonce for it in first.authorizations] == [0, 0]
    for place in range(2):
        assert await world.code(FIRST + place) == "0x" + CODE_PREFIX.hex() + world.collector[2:]

    again = await carried(world, await paid(world, 3))

    assert len(again.authorizations) == 1
    last = await carried(world, await paid(world, 3))
    assert (last.authorizations, last.target) == ((), world.collector)
    assert await world.tokens(address(OPERATOR)) == WALLET + 8 * HELD + 1 + 3 + 3


async def test_an_authorization_that_is_stale_costs_its_own_place_alone(
    world: CollectingWorld,
) -> None:
    batch = await paid(world, 3)
    prepared = await world.sender.prepare(batch)
    # Anything that the address sends by itself uses its number up.
    await world.chain.fund(world.deposit(FIRST + 2))
    async with PayerWallet(world.chain.url, world.account.deposit_key(FIRST + 2)) as wallet:
        await wallet.transfer_native(target=address(STRANGER), wei=1)
    sequence = await world.sender.next_sequence(world.sender.sender)
    signed = await world.sender.sign(prepared, sequence=sequence)
    await world.sender.broadcast(signed)

    inclusion = await included(world, signed)

    assert inclusion.succeeded
    assert inclusion.failed == {2}
    assert await world.tokens(world.deposit(FIRST + 2)) == HELD + 2
    assert (await included(world, await send(world, batch))).failed == {0, 1}


async def test_whoever_uses_an_authorization_first_has_only_helped(world: CollectingWorld) -> None:
    batch = await paid(world, 1)
    prepared = await world.sender.prepare(batch)
    ours = await world.sender.sign(prepared, sequence=10**6)
    stolen = UnsignedTransaction.of_signed(ours.raw)
    thief = world.chain.signer(STRANGER)
    nonce = int(await world.chain.control("eth_getTransactionCount", thief.address, "latest"), 16)
    raw = thief.sign_transaction(attrs.evolve(stolen, nonce=nonce, data=b"").encode())
    hash = await world.chain.control("eth_sendRawTransaction", "0x" + raw.hex())
    await world.chain.mined(hash)
    assert await world.code(FIRST) == "0x" + CODE_PREFIX.hex() + world.collector[2:]

    sequence = await world.sender.next_sequence(world.sender.sender)
    signed = await world.sender.sign(prepared, sequence=sequence)
    await world.sender.broadcast(signed)

    inclusion = await included(world, signed)
    assert (inclusion.succeeded, inclusion.failed) == (True, frozenset())
    assert await world.tokens(world.deposit(FIRST)) == 0


async def test_an_address_that_has_delegated_can_still_be_swept_by_itself(
    world: CollectingWorld,
) -> None:
    batch = await paid(world, 1)
    await carried(world, batch)
    [place] = (await paid(world, 1)).places
    sweep = SweepDeposit(Money(HELD, world.token), world.deposit(FIRST), FIRST)
    cost = await world.sender.fee_limit(sweep)
    funding = await send(world, FundGas(cost + cost, sweep.source))
    assert (await included(world, funding)).succeeded
    prepared = await world.sender.prepare(sweep)
    # Delegating has used up the address's first number.
    sequence = await world.sender.next_sequence(sweep.source)
    assert sequence == 1

    signed = await world.sender.sign(prepared, sequence=sequence)
    await world.sender.broadcast(signed)

    assert (await included(world, signed)).succeeded
    assert await world.tokens(place.sweep.source) == 0


async def test_what_is_stuck_is_outbid_with_the_same_authorizations(
    world: CollectingWorld,
) -> None:
    batch = await paid(world, 2)
    await world.chain.automine(enabled=False)
    try:
        prepared = await world.sender.prepare(batch)
        assert isinstance(prepared, EvmPrepared)
        prepared = attrs.evolve(prepared, fees=Fees(2 * GWEI, GWEI // 1_000))
        sequence = await world.sender.next_sequence(world.sender.sender)
        first = await world.sender.sign(prepared, sequence=sequence)
        await world.sender.broadcast(first)
        better = await world.sender.replace(batch, attempts=[first], waited=3)
        assert better is not None
        second = await world.sender.sign(better, sequence=sequence)
        await world.sender.broadcast(second)
    finally:
        await world.chain.mine()
        await world.chain.automine(enabled=True)

    one, other = (UnsignedTransaction.of_signed(it.raw) for it in (first, second))
    assert len(one.authorizations) == 2
    assert other.authorizations == one.authorizations
    assert (other.data, other.gas_limit) == (one.data, one.gas_limit)
    assert other.max_fee_per_gas > one.max_fee_per_gas
    [landed] = await world.reader.inclusions([first.hash, second.hash])
    assert (landed.hash, landed.succeeded, landed.failed) == (second.hash, True, frozenset())


async def test_coins_are_not_swept_together(world: CollectingWorld) -> None:
    coins = SweepDeposit(Money(1, NATIVE), world.deposit(FIRST), FIRST)

    with pytest.raises(InstructionRefused, match="coins"):
        await world.sender.prepare(SweepMany((SweptPlace(SweepId("swp_1"), coins),)))


async def test_without_a_key_or_a_collector_nothing_is_swept_together(
    chain: LocalChain, world: CollectingWorld
) -> None:
    batch = await paid(world, 1)
    async with EvmNode(chain.settings()) as node:
        without = EvmChainSender(node, chain.signer(), deposits=chain.deposit_signer())
        assert without.sweeps_max == 0
        with pytest.raises(InstructionRefused, match="their own"):
            await without.prepare(batch)
    settings = chain.settings(collector=world.collector, collects_to=address(OPERATOR))
    async with EvmNode(settings) as node:
        assert EvmChainSender(node, chain.signer()).sweeps_max == 0


@pytest.mark.parametrize("wrong", ["none", "escrow", "another"])
async def test_nothing_starts_with_a_collector_that_pays_somebody_else(
    chain: LocalChain, wrong: str
) -> None:
    at = {
        "none": "0x" + "c" * 40,
        "escrow": chain.escrow,
        "another": await chain.deploy_collector(STRANGER),
    }[wrong]
    settings = chain.settings(collector=at, collects_to=address(OPERATOR))

    async with EvmNode(settings) as node:
        with pytest.raises(NotOurCollector) as refused:
            await node.open()

    assert refused.value.address == at


async def test_a_payer_pays_an_address_that_has_delegated(world: CollectingWorld) -> None:
    await carried(world, await paid(world, 1))
    payer = await world.chain.wallet()
    before = await payer.balance()

    await payer.transfer_native(target=world.deposit(FIRST), wei=5)

    assert await payer.balance() < before
    held = await world.chain.control("eth_getBalance", world.deposit(FIRST), "latest")
    assert int(held, 16) == 5


def test_gas_is_reckoned_for_each_place_and_each_authorization() -> None:
    assert collecting_gas([], authorizations=0) == 30_000
    assert collecting_gas([46_000, 61_000], authorizations=1) == 30_000 + 25_000 + 45_000 + 60_000
