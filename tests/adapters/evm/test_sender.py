# What a test changes may be of any type.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest
from eth_account import Account

from adapters.evm.names import native_asset, token_asset
from adapters.evm.reader import EvmChainReader
from adapters.evm.rpc import RpcRefused
from adapters.evm.sender import EvmChainSender
from domain.chains.instructions import RefundEscrow, ReleaseEscrow, SendMoney
from domain.shared.money import AssetId, ChainId, Money
from ports.chain import ChainUnavailable, InstructionRefused, InsufficientFundsOnChain
from tests.adapters.evm.local_chain import (
    CHAIN,
    MERCHANT,
    NATIVE,
    OPERATOR,
    STRANGER,
    address,
)

if TYPE_CHECKING:
    from adapters.evm.node import EvmNode
    from domain.chains.instructions import Instruction
    from domain.chains.submissions import SignedBytes
    from ports.chain import ChainSender
    from tests.adapters.evm.local_chain import LocalChain
    from tests.adapters.evm.relay import Relay


@pytest.fixture
def sender(chain: LocalChain, node: EvmNode) -> ChainSender:
    return EvmChainSender(node, chain.signer())


@pytest.fixture
def over_relay(chain: LocalChain, relayed: EvmNode) -> EvmChainSender:
    return EvmChainSender(relayed, chain.signer())


def wei(amount: int, target: int = STRANGER) -> SendMoney:
    return SendMoney(Money(amount, NATIVE), address(target))


async def signed(sender: ChainSender, instruction: Instruction) -> SignedBytes:
    prepared = await sender.prepare(instruction)
    return await sender.sign(prepared, sequence=await sender.next_sequence(sender.sender))


async def send(chain: LocalChain, sender: ChainSender, instruction: Instruction) -> SignedBytes:
    ready = await signed(sender, instruction)
    await sender.broadcast(ready)
    await chain.mined(ready.hash)
    return ready


async def test_sends_native_coin(chain: LocalChain, sender: ChainSender) -> None:
    stranger = await chain.wallet(STRANGER)
    before = await stranger.balance()

    await send(chain, sender, wei(12_345))

    assert await stranger.balance() == before + 12_345


async def test_sends_a_token_that_returns_nothing(
    chain: LocalChain, node: EvmNode, sender: ChainSender
) -> None:
    await chain.funded(100, OPERATOR)
    sent = await send(chain, sender, SendMoney(Money(60, chain.usdt), address(MERCHANT)))

    (inclusion,) = await EvmChainReader(node).inclusions([sent.hash])

    merchant = await chain.wallet(MERCHANT)
    assert inclusion.succeeded
    assert await merchant.balance(token=chain.token) == 60


@pytest.mark.parametrize(("instruction", "kept"), [(ReleaseEscrow, 0), (RefundEscrow, 25_000_000)])
async def test_ends_an_escrow(
    chain: LocalChain,
    sender: ChainSender,
    instruction: type[ReleaseEscrow | RefundEscrow],
    kept: int,
) -> None:
    payer = await chain.funded()
    terms = await chain.terms()
    await chain.pay(terms)
    before = await payer.balance(token=chain.token)

    await send(chain, sender, instruction(terms))

    assert await payer.balance(token=chain.token) - before == kept


async def test_the_cost_stays_under_the_fee_limit(
    chain: LocalChain, node: EvmNode, sender: ChainSender
) -> None:
    prepared = await sender.prepare(wei(1))
    sent = await sender.sign(prepared, sequence=await sender.next_sequence(sender.sender))
    await sender.broadcast(sent)
    await chain.mined(sent.hash)

    (inclusion,) = await EvmChainReader(node).inclusions([sent.hash])

    assert Money(0, NATIVE) < inclusion.cost <= prepared.fee_limit


async def test_names_what_it_signs_as_the_chain_does(
    chain: LocalChain, sender: ChainSender
) -> None:
    sent = await send(chain, sender, wei(1))

    on_chain = await chain.control("eth_getTransactionByHash", sent.hash)
    assert on_chain["from"].lower() == sent.sender == address(OPERATOR)
    assert int(on_chain["nonce"], 16) == sent.sequence
    assert Account.recover_transaction(sent.raw).lower() == sent.sender


async def test_the_same_arguments_give_the_same_bytes(sender: ChainSender) -> None:
    prepared = await sender.prepare(wei(1))

    one = await sender.sign(prepared, sequence=9)

    assert await sender.sign(prepared, sequence=9) == one
    assert (await sender.sign(prepared, sequence=10)).raw != one.raw


async def test_leaves_room_for_a_state_that_moves(chain: LocalChain, node: EvmNode) -> None:
    request = {"from": address(OPERATOR), "to": address(STRANGER), "value": "0x1"}
    estimate = int(await chain.control("eth_estimateGas", request), 16)

    prepared = await EvmChainSender(node, chain.signer()).prepare(wei(1))

    assert prepared.gas_limit == estimate * 125 // 100


class TestRefusal:
    async def test_names_the_contract_s_error(self, chain: LocalChain, node: EvmNode) -> None:
        await chain.funded()
        terms = await chain.terms()
        await chain.pay(terms)
        stranger = EvmChainSender(node, chain.signer(STRANGER))

        with pytest.raises(InstructionRefused) as release:
            await stranger.prepare(ReleaseEscrow(terms))
        with pytest.raises(InstructionRefused) as refund:
            await stranger.prepare(RefundEscrow(terms))

        assert (release.value.reason, refund.value.reason) == ("TooEarly", "NotAllowed")

    async def test_of_what_was_never_paid(self, chain: LocalChain, sender: ChainSender) -> None:
        with pytest.raises(InstructionRefused, match="WrongStatus"):
            await sender.prepare(ReleaseEscrow(await chain.terms()))

    async def test_of_another_contract(self, chain: LocalChain, sender: ChainSender) -> None:
        terms = await chain.terms(contract=address(STRANGER))

        with pytest.raises(InstructionRefused, match="no escrow contract of ours"):
            await sender.prepare(ReleaseEscrow(terms))

    async def test_by_a_token(self, chain: LocalChain, sender: ChainSender) -> None:
        await chain.funded(100, OPERATOR)
        nowhere = SendMoney(Money(1, chain.usdt), "0x" + "0" * 40)

        with pytest.raises(InstructionRefused, match="InvalidReceiver"):
            await sender.prepare(nowhere)

    @pytest.mark.parametrize(
        ("money", "target"),
        [
            (Money(1, native_asset(ChainId("eip155:1"))), "0x" + "a" * 40),
            (Money(1, token_asset(ChainId("eip155:1"), "0x" + "5" * 40)), "0x" + "a" * 40),
            (Money(1, AssetId("iso4217:USD")), "0x" + "a" * 40),
            (Money(0, NATIVE), "0x" + "a" * 40),
            (Money(-1, NATIVE), "0x" + "a" * 40),
            (Money(1, NATIVE), "0x" + "A" * 40),
            (Money(1, NATIVE), "vitalik.eth"),
        ],
    )
    async def test_of_what_this_chain_cannot_carry(
        self, sender: ChainSender, money: Money, target: str
    ) -> None:
        with pytest.raises(InstructionRefused):
            await sender.prepare(SendMoney(money, target))

    async def test_by_a_token_that_returns_false(
        self, chain: LocalChain, over_relay: EvmChainSender, relay: Relay
    ) -> None:
        await chain.funded(100, OPERATOR)

        def returns_false(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            transfer = params[0]["data"].startswith("0xa9059cbb")
            return {**response, "result": "0x" + "0" * 64} if transfer else response

        relay.spoil("eth_call", returns_false)

        with pytest.raises(InstructionRefused, match="returned false"):
            await over_relay.prepare(SendMoney(Money(1, chain.usdt), address(MERCHANT)))

    @pytest.mark.parametrize(
        ("error", "reason"),
        [
            ({"code": 3, "message": "execution reverted: no", "data": "0x08c379a0" + "0" * 62
              + "20" + "0" * 62 + "02" + b"no".hex() + "0" * 60}, "no"),
            ({"code": -32015, "message": "VM execution error", "data": "Reverted 0x4e487b71"
              + "0" * 62 + "11"}, "Panic(0x11)"),
            ({"code": 3, "message": "execution reverted", "data": "0x12345678"},
             "error 0x12345678"),
            ({"code": -32000, "message": "out of gas"}, "out of gas"),
        ],
    )  # fmt: skip
    async def test_in_the_words_of_many_nodes(
        self, over_relay: EvmChainSender, relay: Relay, error: dict[str, Any], reason: str
    ) -> None:
        relay.spoil("eth_call", lambda _, response: {"id": response["id"], "error": error})

        with pytest.raises(InstructionRefused) as refusal:
            await over_relay.prepare(wei(1))

        assert refusal.value.reason == reason

    async def test_is_not_read_into_a_node_s_troubles(
        self, over_relay: EvmChainSender, relay: Relay
    ) -> None:
        relay.refuse("eth_estimateGas", code=-32603, message="internal error")

        with pytest.raises(ChainUnavailable):
            await over_relay.prepare(wei(1))


class TestFunds:
    async def test_too_few_tokens(self, chain: LocalChain, sender: ChainSender) -> None:
        with pytest.raises(InsufficientFundsOnChain) as lack:
            await sender.prepare(SendMoney(Money(1, chain.usdt), address(MERCHANT)))

        assert lack.value.asset == chain.usdt

    async def test_too_little_native_coin(self, sender: ChainSender) -> None:
        with pytest.raises(InsufficientFundsOnChain) as lack:
            await sender.prepare(wei(10**30))

        assert lack.value.asset == NATIVE

    async def test_too_little_left_for_the_fee(
        self, chain: LocalChain, sender: ChainSender
    ) -> None:
        wallet = await chain.wallet(OPERATOR)

        with pytest.raises(InsufficientFundsOnChain):
            await sender.prepare(wei(await wallet.balance() - 1))


class TestBroadcast:
    async def test_again_while_waiting_is_no_error(
        self, chain: LocalChain, sender: ChainSender
    ) -> None:
        await chain.automine(enabled=False)
        try:
            sent = await signed(sender, wei(1))
            await sender.broadcast(sent)
            assert await sender.next_sequence(sender.sender) == sent.sequence + 1
            await sender.broadcast(sent)
            await chain.mine()
        finally:
            await chain.automine(enabled=True)

        await sender.broadcast(sent)

    @pytest.mark.parametrize(
        "message",
        [
            "already known",
            "transaction already imported",
            "known transaction: 12ab",
            "ALREADY_EXISTS: already known",
            "AlreadyKnown",
            "Known transaction",
            "INTERNAL_ERROR: existing tx with same hash",
            "Transaction Already Imported",
        ],
    )
    async def test_of_what_the_node_has_is_no_error(
        self, over_relay: EvmChainSender, relay: Relay, message: str
    ) -> None:
        ready = await signed(over_relay, wei(1))
        relay.refuse("eth_sendRawTransaction", code=-32000, message=message)
        relay.spoil("eth_getTransactionByHash", lambda _, response: {**response, "result": None})

        await over_relay.broadcast(ready)

    async def test_of_mined_bytes_whose_nonce_is_too_low_is_no_error(
        self, chain: LocalChain, over_relay: EvmChainSender, relay: Relay
    ) -> None:
        sent = await send(chain, over_relay, wei(1))
        relay.refuse("eth_sendRawTransaction", code=-32000, message="nonce too low")

        await over_relay.broadcast(sent)

    @pytest.mark.parametrize(
        "message",
        [
            "nonce too low",
            "OldNonce",
            "replacement transaction underpriced",
            "ReplacementNotAllowed",
            "FeeTooLow",
            "Transaction is temporarily banned",
            "insufficient funds for gas * price + value",
        ],
    )
    async def test_of_what_no_node_knows_is_unknown_whatever_it_says(
        self, over_relay: EvmChainSender, relay: Relay, message: str
    ) -> None:
        ready = await signed(over_relay, wei(1))
        relay.refuse("eth_sendRawTransaction", code=-32000, message=message)
        relay.spoil("eth_getTransactionByHash", lambda _, response: {**response, "result": None})

        with pytest.raises(ChainUnavailable):
            await over_relay.broadcast(ready)

        relay.heal()
        relay.refuse("eth_sendRawTransaction", code=-32000, message=message)
        await over_relay.broadcast(ready)

    async def test_behind_another_transaction_of_the_same_nonce_fails(
        self, chain: LocalChain, sender: ChainSender
    ) -> None:
        ready = await signed(sender, wei(1))
        await send(chain, sender, wei(2))

        with pytest.raises(RpcRefused, match=r"(?i)nonce too low"):
            await sender.broadcast(ready)

    async def test_without_an_answer_is_unknown_and_may_be_repeated(
        self, chain: LocalChain, over_relay: EvmChainSender, relay: Relay
    ) -> None:
        ready = await signed(over_relay, wei(77, MERCHANT))
        merchant = await chain.wallet(MERCHANT)
        before = await merchant.balance()
        relay.hang_up = True

        with pytest.raises(ChainUnavailable):
            await over_relay.broadcast(ready)
        sends = relay.asked.count("eth_sendRawTransaction")
        relay.heal()
        await over_relay.broadcast(ready)
        await chain.mined(ready.hash)

        assert sends == 1
        assert await merchant.balance() == before + 77

    async def test_under_another_name_is_no_success(
        self, over_relay: EvmChainSender, relay: Relay
    ) -> None:
        ready = await signed(over_relay, wei(1))
        relay.spoil(
            "eth_sendRawTransaction",
            lambda _, response: {**response, "result": "0x" + "7" * 64},
        )

        with pytest.raises(ChainUnavailable):
            await over_relay.broadcast(ready)


async def test_signs_only_what_it_has_prepared(sender: ChainSender) -> None:
    @attrs.frozen
    class Foreign:
        sender: str
        fee_limit: Money

    with pytest.raises(TypeError, match="Foreign"):
        await sender.sign(Foreign(sender.sender, Money(1, NATIVE)), sequence=0)


def test_serves_the_chain_and_wallet_of_its_configuration(sender: ChainSender) -> None:
    assert (sender.chain, sender.sender) == (CHAIN, address(OPERATOR))
