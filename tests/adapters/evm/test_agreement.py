"""Whether several providers name a block alike, where one lags, lies, is silent, or is away."""

from __future__ import annotations

from contextlib import AsyncExitStack, asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from adapters.evm.heads import ProvidersDisagree
from adapters.evm.node import EvmNode
from adapters.evm.reader import EvmChainReader
from domain.chains.finality import Ladder, Rung
from domain.shared.money import Money
from tests.adapters.evm.local_chain import CHAIN, LocalChain
from tests.adapters.evm.relay import Relay
from tests.adapters.evm.shop import DUE, open_shop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.chains.model import Block
    from tests.adapters.evm.shop import Shop

CONFIRMATIONS = 2
DEEP = 6


@attrs.define
class Three:
    """A chain through three nodes: ours, and two others."""

    chain: LocalChain
    relays: list[Relay]
    node: EvmNode

    @property
    def reader(self) -> EvmChainReader:
        return EvmChainReader(self.node)

    async def newest(self) -> Block:
        block = await self.reader.block(await self.chain.number())
        assert block is not None
        return block


@pytest.fixture
async def three(chain: LocalChain) -> AsyncIterator[Three]:
    async with AsyncExitStack() as closing:
        relays = [await closing.enter_async_context(Relay(chain.url)) for _ in range(3)]
        first, *others = [relay.url for relay in relays]
        settings = chain.settings(rpc_url=first, more_rpc_urls=tuple(others))
        node = await closing.enter_async_context(EvmNode(settings))
        await node.open()
        yield Three(chain, relays, node)


def lacks(relay: Relay, number: int) -> None:
    """Make a node one that does not have a block yet."""

    def block(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
        return {**response, "result": None} if params[0] == hex(number) else response

    relay.spoil("eth_getBlockByNumber", block)


def renames(relay: Relay, number: int) -> None:
    """Make a node one that has another block under a number."""

    def block(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
        if params[0] == hex(number):
            response["result"]["hash"] = "0x" + "7" * 64
        return response

    relay.spoil("eth_getBlockByNumber", block)


class TestAgreement:
    async def test_as_many_agree_as_have_the_block(self, three: Three) -> None:
        block = await three.newest()

        assert await three.reader.agreed(block, providers=3)
        assert not await three.reader.agreed(block, providers=4)

    async def test_one_that_lags_does_not_count_and_denies_nothing(self, three: Three) -> None:
        block = await three.newest()
        lacks(three.relays[1], block.number)

        assert await three.reader.agreed(block, providers=2)
        assert not await three.reader.agreed(block, providers=3)

    @pytest.mark.parametrize("place", [0, 1, 2])
    async def test_one_that_lies_makes_all_unsure(self, three: Three, place: int) -> None:
        block = await three.newest()
        renames(three.relays[place], block.number)

        with pytest.raises(ProvidersDisagree) as disagreement:
            await three.reader.agreed(block, providers=2)
        assert disagreement.value.block_number == block.number

    async def test_a_block_that_nobody_has_by_this_name_is_no_answer(self, three: Three) -> None:
        block = attrs.evolve(await three.newest(), hash="0x" + "7" * 64)

        with pytest.raises(ProvidersDisagree):
            await three.reader.agreed(block, providers=1)

    async def test_those_that_do_not_answer_do_not_count(self, three: Three) -> None:
        block = await three.newest()
        for relay in three.relays[1:]:
            relay.answer_with(b"", status=503)
        assert await three.reader.agreed(block, providers=1)
        assert not await three.reader.agreed(block, providers=2)

        three.relays[0].answer_with(b"", status=503)
        assert not await three.reader.agreed(block, providers=1)


@asynccontextmanager
async def careful_shop(
    chain: LocalChain, relay: Relay, *, confirmations: int = 0, quorum: int = 1
) -> AsyncIterator[Shop]:
    """Open a shop that wants more of two intents' due, and has a second provider."""
    settings = {"confirmations": CONFIRMATIONS, "more_rpc_urls": (relay.url,)}
    async with open_shop(chain, **settings) as shop:
        large = Money(2 * DUE, chain.usdt)
        rung = Rung(at_least=large, confirmations=confirmations, quorum=quorum)
        watcher = attrs.evolve(shop.services.watcher, ladders={CHAIN: Ladder((rung,))})
        yield attrs.evolve(shop, services=attrs.evolve(shop.services, watcher=watcher))


async def two_paid(shop: Shop) -> list[int]:
    """Have two intents paid in blocks that are final by the chain's rule; return what is final."""
    intents = [await shop.intent() for _ in range(2)]
    for intent in intents:
        await shop.pay(intent)
    await shop.chain.mine(CONFIRMATIONS)
    await shop.watch()
    await shop.watch()
    return [(await shop.now(intent)).final for intent in intents]


class TestShop:
    async def test_large_amounts_wait_for_their_depth(
        self, chain: LocalChain, relay: Relay
    ) -> None:
        async with careful_shop(chain, relay, confirmations=DEEP) as shop:
            assert await two_paid(shop) == [DUE, 0]
            assert relay.asked.count("eth_getBlockByNumber") == 0

            await chain.mine(DEEP - CONFIRMATIONS)
            await shop.watch()
            assert await shop.earned() == 2 * DUE

    async def test_where_another_provider_lags_they_wait_for_it(
        self, chain: LocalChain, relay: Relay
    ) -> None:
        def nothing(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            return {**response, "result": None}

        relay.spoil("eth_getBlockByNumber", nothing)
        async with careful_shop(chain, relay, quorum=2) as shop:
            assert await two_paid(shop) == [DUE, 0]

            relay.heal()
            await shop.watch()
            assert await shop.earned() == 2 * DUE

    async def test_where_another_provider_has_other_blocks_nothing_is_final(
        self, chain: LocalChain, relay: Relay
    ) -> None:
        def renamed(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            response["result"]["hash"] = "0x" + "7" * 64
            return response

        relay.spoil("eth_getBlockByNumber", renamed)
        async with careful_shop(chain, relay, quorum=2) as shop:
            with pytest.raises(ProvidersDisagree):
                await two_paid(shop)
            assert await shop.earned() == DUE
