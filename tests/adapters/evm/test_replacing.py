"""Transactions that are stuck on a chain: outbid, or taken back, with the same nonce."""

# What a test changes may be of any type.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from adapters.evm.names import chain_name
from adapters.evm.node import EvmNode
from adapters.evm.reader import EvmChainReader
from adapters.evm.sender import EvmChainSender
from adapters.evm.settings import FeeLimits
from adapters.evm.signed_calls import EvmTransactionReader
from adapters.evm.signer import LocalSigner
from adapters.evm.transactions import NotATransaction, UnsignedTransaction
from domain.chains.instructions import SendMoney, SweepDeposit
from domain.shared.money import Money
from ports.chain import ChainUnavailable
from tests.adapters.evm.local_chain import (
    CHAIN_ID,
    DEPOSITS,
    MERCHANT,
    NATIVE,
    OPERATOR,
    STRANGER,
    address,
    key,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.chains.submissions import SignedBytes
    from tests.adapters.evm.local_chain import LocalChain
    from tests.adapters.evm.relay import Relay

GWEI = 10**9
WAIT = 3
FEES = FeeLimits(stuck_after_blocks=WAIT, min_tip_wei=GWEI, replacements_max=2)


@pytest.fixture
async def sender(chain: LocalChain, relay: Relay) -> AsyncIterator[EvmChainSender]:
    """What sends through the relay, on a chain that mines only when it is told to."""
    async with EvmNode(chain.settings(rpc_url=relay.url, fees=FEES)) as node:
        await chain.automine(enabled=False)
        try:
            yield EvmChainSender(node, chain.signer(), deposits=chain.deposit_signer())
        finally:
            await chain.mine()
            await chain.automine(enabled=True)


def wei(amount: int, target: int = STRANGER) -> SendMoney:
    return SendMoney(Money(amount, NATIVE), address(target))


def market(relay: Relay, *, base: int, tip: int) -> None:
    """Have the network ask for these, whatever the chain's own blocks are like."""
    result = {"baseFeePerGas": [hex(base)], "reward": [[hex(tip)] * 3]}
    relay.spoil("eth_feeHistory", lambda _, response: {**response, "result": result})


async def send(sender: EvmChainSender, instruction: SendMoney) -> SignedBytes:
    prepared = await sender.prepare(instruction)
    sequence = await sender.next_sequence(sender.sender)
    signed = await sender.sign(prepared, sequence=sequence)
    await sender.broadcast(signed)
    return signed


async def replaced(
    sender: EvmChainSender, instruction: SendMoney, *attempts: SignedBytes
) -> SignedBytes:
    prepared = await sender.replace(instruction, attempts=attempts, waited=WAIT)
    assert prepared is not None
    return await sender.sign(prepared, sequence=attempts[-1].sequence)


async def test_what_is_stuck_is_outbid_and_lands_once(
    chain: LocalChain, sender: EvmChainSender, relay: Relay
) -> None:
    before = await (await chain.wallet(MERCHANT)).balance()
    market(relay, base=2 * GWEI, tip=GWEI)
    first = await send(sender, wei(700, MERCHANT))
    market(relay, base=4 * GWEI, tip=3 * GWEI)

    second = await replaced(sender, wei(700, MERCHANT), first)
    await sender.broadcast(second)
    await chain.mine()

    one, other = (UnsignedTransaction.of_signed(it.raw) for it in (first, second))
    assert other == attrs.evolve(one, max_fee_per_gas=11 * GWEI, tip_per_gas=3 * GWEI)
    assert (second.sender, second.sequence, second.cancels) == (
        first.sender,
        first.sequence,
        False,
    )
    async with EvmNode(chain.settings()) as node:
        [landed] = await EvmChainReader(node).inclusions([first.hash, second.hash])
    assert (landed.hash, landed.succeeded) == (second.hash, True)
    assert await (await chain.wallet(MERCHANT)).balance() == before + 700


async def test_nodes_take_the_least_that_is_ever_offered_more(
    sender: EvmChainSender, relay: Relay
) -> None:
    market(relay, base=20 * GWEI, tip=5 * GWEI)
    first = await send(sender, wei(1))
    market(relay, base=20 * GWEI, tip=5 * GWEI + 1)

    second = await replaced(sender, wei(1), first)

    better = UnsignedTransaction.of_signed(second.raw)
    assert better.max_fee_per_gas == 45 * GWEI * 1_125 // 1_000
    assert better.tip_per_gas == 5 * GWEI * 1_125 // 1_000
    await sender.broadcast(second)
    assert await sender.next_sequence(sender.sender) == first.sequence + 1


async def test_the_original_lands_where_nobody_has_heard_of_the_replacement(
    chain: LocalChain, sender: EvmChainSender, relay: Relay
) -> None:
    market(relay, base=2 * GWEI, tip=GWEI)
    first = await send(sender, wei(1))
    market(relay, base=9 * GWEI, tip=3 * GWEI)
    second = await replaced(sender, wei(1), first)
    await chain.mine()

    with pytest.raises(ChainUnavailable):
        await sender.broadcast(second)
    async with EvmNode(chain.settings()) as node:
        [landed] = await EvmChainReader(node).inclusions([first.hash, second.hash])
    assert landed.hash == first.hash
    assert await sender.replace(wei(1), attempts=[first, second], waited=WAIT) is None
    await sender.broadcast(first)


async def test_an_original_behind_its_replacement_is_refused_and_unknown(
    sender: EvmChainSender, relay: Relay
) -> None:
    market(relay, base=2 * GWEI, tip=GWEI)
    first = await send(sender, wei(1))
    market(relay, base=9 * GWEI, tip=3 * GWEI)
    await sender.broadcast(await replaced(sender, wei(1), first))

    with pytest.raises(ChainUnavailable):
        await sender.broadcast(first)


async def test_a_provider_that_times_out_after_it_took_the_replacement(
    chain: LocalChain, sender: EvmChainSender, relay: Relay
) -> None:
    market(relay, base=2 * GWEI, tip=GWEI)
    first = await send(sender, wei(1))
    market(relay, base=9 * GWEI, tip=3 * GWEI)
    second = await replaced(sender, wei(1), first)
    relay.hang_up = True
    with pytest.raises(ChainUnavailable):
        await sender.broadcast(second)
    relay.heal()

    await sender.broadcast(second)
    await chain.mine()

    assert await chain.control("eth_getTransactionReceipt", second.hash)


class TestNoNeed:
    async def test_before_the_time_is_up(self, sender: EvmChainSender, relay: Relay) -> None:
        first = await send(sender, wei(1))
        relay.asked.clear()
        market(relay, base=50 * GWEI, tip=9 * GWEI)

        assert await sender.replace(wei(1), attempts=[first], waited=WAIT - 1) is None
        assert relay.asked == []

    async def test_where_it_offers_what_is_asked(
        self, sender: EvmChainSender, relay: Relay
    ) -> None:
        market(relay, base=2 * GWEI, tip=GWEI)
        first = await send(sender, wei(1))

        assert await sender.replace(wei(1), attempts=[first], waited=99) is None

    async def test_where_it_is_in_a_block(
        self, chain: LocalChain, sender: EvmChainSender, relay: Relay
    ) -> None:
        first = await send(sender, wei(1))
        await chain.mine()
        market(relay, base=50 * GWEI, tip=9 * GWEI)

        assert await sender.replace(wei(1), attempts=[first], waited=99) is None
        assert await sender.cancel(attempts=[first]) is None

    async def test_after_so_many(self, sender: EvmChainSender, relay: Relay) -> None:
        market(relay, base=2 * GWEI, tip=GWEI)
        first = await send(sender, wei(1))
        market(relay, base=50 * GWEI, tip=9 * GWEI)

        assert await sender.replace(wei(1), attempts=[first] * 2, waited=WAIT)
        assert await sender.replace(wei(1), attempts=[first] * 3, waited=WAIT) is None


class TestNoWay:
    @pytest.mark.parametrize(
        "limits", [{"max_fee_per_gas_wei": 16 * GWEI}, {"max_tip_wei": 3 * GWEI}]
    )
    async def test_over_the_limits(
        self, chain: LocalChain, sender: EvmChainSender, relay: Relay, limits: dict[str, Any]
    ) -> None:
        market(relay, base=6 * GWEI, tip=3 * GWEI)
        first = await send(sender, wei(1))
        market(relay, base=12 * GWEI, tip=3 * GWEI)
        fees = attrs.evolve(FEES, **limits)
        async with EvmNode(chain.settings(rpc_url=relay.url, fees=fees)) as node:
            capped = EvmChainSender(node, chain.signer())

            assert await capped.replace(wei(1), attempts=[first], waited=WAIT) is None
            assert await capped.cancel(attempts=[first]) is None

    async def test_with_too_little_coin(
        self, chain: LocalChain, sender: EvmChainSender, relay: Relay
    ) -> None:
        market(relay, base=2 * GWEI, tip=GWEI)
        balance = await (await chain.wallet(OPERATOR)).balance()
        prepared = await sender.prepare(wei(1))
        most = wei(balance - prepared.fee_limit.amount)
        first = await send(sender, most)
        market(relay, base=9 * GWEI, tip=3 * GWEI)

        assert await sender.replace(most, attempts=[first], waited=WAIT) is None
        await sender.broadcast(await replaced_by_nothing(sender, first))

    async def test_fees_that_are_too_high_are_waited_out(
        self, sender: EvmChainSender, relay: Relay
    ) -> None:
        first = await send(sender, wei(1))
        market(relay, base=600 * GWEI, tip=3 * GWEI)

        with pytest.raises(ChainUnavailable):
            await sender.replace(wei(1), attempts=[first], waited=WAIT)


async def replaced_by_nothing(sender: EvmChainSender, *attempts: SignedBytes) -> SignedBytes:
    prepared = await sender.cancel(attempts=attempts)
    assert prepared is not None
    return await sender.sign(prepared, sequence=attempts[-1].sequence)


class TestCancel:
    async def test_leaves_nothing_of_what_was_signed(
        self, chain: LocalChain, sender: EvmChainSender, relay: Relay
    ) -> None:
        before = await (await chain.wallet(MERCHANT)).balance()
        market(relay, base=2 * GWEI, tip=GWEI)
        first = await send(sender, wei(700, MERCHANT))

        nothing = await replaced_by_nothing(sender, first)
        await sender.broadcast(nothing)
        await chain.mine()

        read = UnsignedTransaction.of_signed(nothing.raw)
        assert (read.target, read.value, read.data) == (address(OPERATOR), 0, b"")
        assert (nothing.sequence, nothing.cancels) == (first.sequence, True)
        async with EvmNode(chain.settings()) as node:
            [landed] = await EvmChainReader(node).inclusions([first.hash, nothing.hash])
        assert (landed.hash, landed.succeeded) == (nothing.hash, True)
        assert await (await chain.wallet(MERCHANT)).balance() == before

    async def test_that_is_stuck_is_outbid_by_another(
        self, sender: EvmChainSender, relay: Relay
    ) -> None:
        market(relay, base=2 * GWEI, tip=GWEI)
        first = await send(sender, wei(1))
        nothing = await replaced_by_nothing(sender, first)
        market(relay, base=9 * GWEI, tip=3 * GWEI)

        again = await replaced(sender, wei(1), first, nothing)

        read = UnsignedTransaction.of_signed(again.raw)
        assert (again.cancels, read.value, read.target) == (True, 0, address(OPERATOR))

    async def test_is_nothing_for_a_deposit_address(self, sender: EvmChainSender) -> None:
        first = await send(sender, wei(1))
        of_deposit = attrs.evolve(first, sender=address(STRANGER))

        assert await sender.cancel(attempts=[of_deposit]) is None

    async def test_moves_nothing_in_the_eyes_of_a_signer(
        self, sender: EvmChainSender, relay: Relay
    ) -> None:
        market(relay, base=2 * GWEI, tip=GWEI)
        first = await send(sender, wei(1))
        prepared = await sender.cancel(attempts=[first])
        assert prepared is not None
        reader = EvmTransactionReader(
            chain_name(CHAIN_ID), escrow_contract=None, hot_wallet=sender.sender
        )

        unsigned = prepared.unsigned(chain_id=CHAIN_ID, nonce=first.sequence)
        reading = reader.read(unsigned.encode(), sender=sender.sender)

        assert reading.movements == ()
        some = attrs.evolve(unsigned, value=1).encode()
        assert len(reader.read(some, sender=sender.sender).movements) == 1
        to_others = attrs.evolve(unsigned, target=address(STRANGER)).encode()
        assert len(reader.read(to_others, sender=sender.sender).movements) == 1


async def test_a_sweep_is_outbid_by_its_own_key(
    chain: LocalChain, sender: EvmChainSender, relay: Relay
) -> None:
    await chain.automine(enabled=True)
    source = sender_of_deposits()
    wallet = await chain.wallet(STRANGER)
    await wallet.mint(token=chain.token, amount=50)
    await wallet.transfer(target=source, amount=50, token=chain.token)
    await wallet.transfer_native(target=source, wei=10**16)
    await chain.automine(enabled=False)
    sweep = SweepDeposit(Money(50, chain.usdt), source, 3)
    market(relay, base=2 * GWEI, tip=GWEI)
    first = await sender.sign(await sender.prepare(sweep), sequence=0)
    market(relay, base=9 * GWEI, tip=3 * GWEI)

    prepared = await sender.replace(sweep, attempts=[first], waited=WAIT)
    assert prepared is not None
    second = await sender.sign(prepared, sequence=0)
    await sender.broadcast(second)
    await chain.mine()

    assert second.sender == source
    receipt = await chain.control("eth_getTransactionReceipt", second.hash)
    assert receipt["status"] == "0x1"


def sender_of_deposits() -> str:
    return LocalSigner(DEPOSITS.deposit_key(3), chain_id=CHAIN_ID).address


async def test_two_gateways_with_one_key_cannot_both_use_a_nonce(
    chain: LocalChain, sender: EvmChainSender
) -> None:
    one = await send(sender, wei(1))
    prepared = await sender.prepare(wei(2))
    other = await sender.sign(prepared, sequence=one.sequence)

    with pytest.raises(ChainUnavailable):
        await sender.broadcast(other)
    await chain.mine()
    with pytest.raises(ChainUnavailable):
        await sender.broadcast(other)


def test_only_what_was_sealed_can_be_read_back() -> None:
    signer = LocalSigner(key(OPERATOR), chain_id=CHAIN_ID)
    for tip in (None, 3):
        unsigned = UnsignedTransaction(
            chain_id=CHAIN_ID,
            nonce=7,
            target=address(MERCHANT),
            value=5,
            data=b"data",
            gas_limit=21_000,
            max_fee_per_gas=9,
            tip_per_gas=tip,
        )
        raw = signer.sign_transaction(unsigned.encode())
        assert UnsignedTransaction.of_signed(raw) == unsigned
        for broken in (b"", raw[:-1], raw + b"\0", b"\x03" + raw[1:]):
            with pytest.raises(NotATransaction):
                UnsignedTransaction.of_signed(broken)
