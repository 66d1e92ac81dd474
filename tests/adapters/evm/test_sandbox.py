"""The sandbox over a real node: through its suite, and what only a node can get wrong."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.evm.names import token_asset
from adapters.evm.sandbox import MINT_CALLS_MAX, MINT_MAX, PAYER, EvmSandbox
from domain.shared.money import Money
from ports.chain import ChainUnavailable
from ports.sandbox import SandboxRefused, WrongSandbox
from tests.adapters.evm.evm_world import EvmWorld
from tests.adapters.evm.local_chain import CHAIN, NATIVE, address
from tests.builders import address_of
from tests.contracts.sandbox import SandboxContract

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.evm.node import EvmNode
    from tests.adapters.evm.local_chain import LocalChain
    from tests.adapters.evm.relay import Relay

TARGET = address_of("deposit of the sandbox")


class TestSandbox(SandboxContract):
    @pytest.fixture
    async def world(self, chain: LocalChain, node: EvmNode) -> EvmWorld:
        return await EvmWorld.prepare(chain, node)

    @pytest.fixture
    async def sandbox(self, node: EvmNode) -> AsyncIterator[EvmSandbox]:
        async with EvmSandbox(node) as sandbox:
            yield sandbox


@pytest.fixture
async def over_relay(relayed: EvmNode) -> AsyncIterator[EvmSandbox]:
    async with EvmSandbox(relayed) as sandbox:
        yield sandbox


@pytest.mark.parametrize("method", ["eth_accounts", "evm_increaseTime"])
async def test_a_node_that_does_not_know_such_calls_is_no_devnet(
    relay: Relay, over_relay: EvmSandbox, method: str
) -> None:
    relay.refuse(method, code=-32601, message="the method does not exist")

    with pytest.raises(WrongSandbox, match="no devnet"):
        await over_relay.check()
    with pytest.raises(WrongSandbox):
        await over_relay.pay(target=TARGET, money=Money(1, NATIVE))
    assert "eth_sendTransaction" not in relay.asked


async def test_a_node_that_signs_for_nobody_is_no_devnet(
    relay: Relay, over_relay: EvmSandbox
) -> None:
    relay.spoil("eth_accounts", lambda _, response: {**response, "result": []})

    with pytest.raises(WrongSandbox, match="signs for nobody"):
        await over_relay.check()


async def test_a_node_of_another_chain_is_refused(relay: Relay, over_relay: EvmSandbox) -> None:
    relay.spoil("eth_chainId", lambda _, response: {**response, "result": "0x1"})

    with pytest.raises(WrongSandbox, match="another chain"):
        await over_relay.check()


async def test_a_node_that_does_not_answer_may_be_one(
    relay: Relay, over_relay: EvmSandbox
) -> None:
    relay.hang_up = True

    with pytest.raises(ChainUnavailable):
        await over_relay.check()


async def test_what_got_no_answer_is_not_sent_again(
    chain: LocalChain, relay: Relay, over_relay: EvmSandbox
) -> None:
    await over_relay.check()
    relay.asked.clear()
    held = int(await chain.control("eth_getBalance", TARGET, "latest"), 16)

    def lose(_: object, __: object) -> dict[str, object]:
        relay.hang_up = True
        return {}

    relay.spoil("eth_sendTransaction", lose)
    with pytest.raises(ChainUnavailable):
        await over_relay.pay(target=TARGET, money=Money(7, NATIVE))

    relay.heal()
    await chain.mine()
    assert relay.asked.count("eth_sendTransaction") == 1
    assert int(await chain.control("eth_getBalance", TARGET, "latest"), 16) == held + 7


async def test_a_token_that_nobody_gives_away(chain: LocalChain, over_relay: EvmSandbox) -> None:
    # The escrow contract is one that has no function of a token's.
    for contract in (address_of("nobody"), chain.escrow):
        with pytest.raises(SandboxRefused):
            await over_relay.pay(target=TARGET, money=Money(1, token_asset(CHAIN, contract)))


async def test_more_than_test_money_is_made_for(
    chain: LocalChain, relay: Relay, over_relay: EvmSandbox
) -> None:
    too_much = Money(MINT_MAX * MINT_CALLS_MAX * 2, chain.usdt)
    with pytest.raises(SandboxRefused, match="more than"):
        await over_relay.pay(target=TARGET, money=too_much)
    assert "eth_sendTransaction" not in relay.asked


async def test_there_are_no_memos(over_relay: EvmSandbox) -> None:
    with pytest.raises(SandboxRefused, match="memo"):
        await over_relay.pay(target=TARGET, money=Money(1, NATIVE), memo="4ZSVFNTTNHJ5")


async def test_a_node_that_replaces_no_blocks(
    chain: LocalChain, relay: Relay, over_relay: EvmSandbox
) -> None:
    await chain.mine(3)
    relay.refuse("anvil_reorg", code=-32601, message="the method does not exist")
    with pytest.raises(SandboxRefused, match="does not do it"):
        await over_relay.reorganize(depth=1)


async def test_payments_at_once_take_turns(chain: LocalChain, over_relay: EvmSandbox) -> None:
    targets = [address_of(f"at once {number}") for number in range(4)]
    money = Money(3, chain.usdt)
    hashes = await asyncio.gather(
        *(over_relay.pay(target=target, money=money) for target in targets)
    )

    assert len({*hashes}) == 4


async def test_what_a_failed_payment_has_left_allowed_is_taken_back(
    chain: LocalChain, over_relay: EvmSandbox
) -> None:
    terms = await chain.terms()
    await over_relay.check()
    approve = "0x095ea7b3" + f"{int(chain.escrow, 16):064x}" + f"{5:064x}"
    request = {"from": address(PAYER), "to": chain.token, "data": approve}
    await chain.mined(await chain.control("eth_sendTransaction", request))

    await over_relay.pay_escrow(attrs.evolve(terms, reference="pi_left"))
