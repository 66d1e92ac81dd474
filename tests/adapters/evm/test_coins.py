"""Transfers of the native coin, read from blocks' bodies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from adapters.evm.coins import COIN_POSITION
from adapters.evm.node import EvmNode
from adapters.evm.reader import EvmChainReader
from domain.chains.model import EscrowPaid, Transfer
from domain.shared.money import Money
from ports.chain import ChainUnavailable
from tests.adapters.evm.local_chain import NATIVE, PAYER, STRANGER, LocalChain, address
from tests.adapters.evm.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection

    from domain.chains.model import Observation


@attrs.frozen
class Coins:
    """A chain whose coins are watched for, seen through a relay."""

    chain: LocalChain
    relay: Relay
    reader: EvmChainReader

    async def sent(self, wei: int) -> str:
        wallet = await self.chain.wallet()
        return await wallet.transfer_native(target=address(STRANGER), wei=wei)

    async def read(self, *, ours: Collection[str] | None = None) -> list[Observation]:
        latest = await self.chain.number()

        async def among(addresses: Collection[str]) -> Collection[str]:
            return set(addresses) & set(ours or ())

        scan = await self.reader.scan(
            first=latest, last=latest, ours=None if ours is None else among
        )
        return [*scan.observations]


@pytest.fixture
async def coins(chain: LocalChain, relay: Relay) -> AsyncIterator[Coins]:
    async with EvmNode(chain.settings(rpc_url=relay.url, shows_coins=True)) as node:
        yield Coins(chain, relay, EvmChainReader(node))


async def test_a_plain_transfer_is_seen_once_under_its_transaction(coins: Coins) -> None:
    sent = await coins.sent(7)

    [seen] = await coins.read(ours=[address(STRANGER)])

    assert seen.fact == Transfer(Money(7, NATIVE), address(PAYER), address(STRANGER))
    assert (seen.key.transaction, seen.key.position) == (sent, COIN_POSITION)


async def test_a_stranger_s_and_a_transfer_of_nothing_are_left_out(coins: Coins) -> None:
    await coins.sent(7)
    assert await coins.read(ours=[]) == []

    await coins.sent(0)
    assert await coins.read() == []


async def test_coins_are_not_seen_where_nobody_asks_for_them(
    coins: Coins, chain: LocalChain, node: EvmNode
) -> None:
    await coins.sent(7)
    latest = await chain.number()

    assert (await EvmChainReader(node).scan(first=latest, last=latest)).observations == ()


async def test_a_failed_transaction_moves_nothing(coins: Coins) -> None:
    await coins.sent(7)

    def failed(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
        response["result"]["status"] = "0x0"
        return response

    coins.relay.spoil("eth_getTransactionReceipt", failed)

    assert await coins.read(ours=[address(STRANGER)]) == []


@pytest.mark.parametrize("change", [{"blockHash": "0x" + "7" * 64}, None])
async def test_a_receipt_of_another_block_is_no_answer(
    coins: Coins, change: dict[str, str] | None
) -> None:
    await coins.sent(7)

    def elsewhere(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
        changed = None if change is None else {**response["result"], **change}
        return {**response, "result": changed}

    coins.relay.spoil("eth_getTransactionReceipt", elsewhere)

    with pytest.raises(ChainUnavailable, match="no receipt"):
        await coins.read(ours=[address(STRANGER)])


async def test_what_is_paid_into_escrow_is_told_by_the_contract_alone(coins: Coins) -> None:
    terms = await coins.chain.terms(money=Money(1_000, NATIVE))
    await coins.chain.pay(terms)

    facts = [seen.fact for seen in await coins.read(ours=[coins.chain.escrow])]

    assert [type(fact) for fact in facts] == [EscrowPaid]
