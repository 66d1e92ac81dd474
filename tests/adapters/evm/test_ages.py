"""Finality by the age of blocks: the newest one that is old enough, in few questions."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest

from adapters.evm.ages import ROUNDS_MAX, newest_aged
from adapters.evm.node import EvmNode
from adapters.evm.providers import Provider
from adapters.evm.reader import EvmChainReader
from adapters.evm.rpc import Call
from adapters.evm.settings import EvmChain
from adapters.evm.wire import HEADER, number
from ports.chain import ChainUnavailable
from tests.adapters.evm.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from tests.adapters.evm.local_chain import LocalChain

BILLION = 10**9


def scripted(relay: Relay, times: Callable[[int], int | None]) -> None:
    """Have a node show a chain whose blocks have these times; None is a block it lacks."""

    def block(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
        at = int(params[0], 16)
        time = times(at)
        header = {
            "number": hex(at),
            "hash": "0x" + f"{at:064x}",
            "parentHash": "0x" + "0" * 64,
            "timestamp": hex(time or 0),
            "logsBloom": "0x" + "0" * 512,
        }
        return {**response, "result": None if time is None else header}

    relay.spoil("eth_getBlockByNumber", block)


@pytest.fixture
async def relay() -> AsyncIterator[Relay]:
    async with Relay() as relay:
        yield relay


@pytest.fixture
async def provider(relay: Relay) -> AsyncIterator[Provider]:
    settings = EvmChain(chain_id=1, rpc_url=relay.url, tokens=(), escrow="0x" + "e" * 40)
    provider = Provider(settings, relay.url, place=1, clock=lambda: 0.0)
    yield provider
    await provider.aclose()


async def found(provider: Provider, *, highest: int, by: int, hint: int = 0) -> int:
    return number((await newest_aged(provider, highest=highest, by=by, hint=hint)).number)


@pytest.mark.parametrize("hint", [0, 1, 5_000, BILLION // 4, BILLION // 2, 3 * BILLION])
@pytest.mark.parametrize("wanted", [0, 1, 77, BILLION // 4 + 3, BILLION - 1, BILLION])
async def test_it_is_found_from_any_guess_in_a_bounded_number_of_batches(
    provider: Provider, relay: Relay, wanted: int, hint: int
) -> None:
    scripted(relay, lambda at: 3 * at + 10)

    assert await found(provider, highest=BILLION, by=3 * wanted + 12, hint=hint) == wanted

    assert 1 <= relay.batches <= ROUNDS_MAX


async def test_a_guess_that_is_right_or_a_little_low_needs_one_batch(
    provider: Provider, relay: Relay
) -> None:
    scripted(relay, lambda at: 3 * at)
    for passed in (0, 1, 2):
        relay.batches = 0
        assert await found(provider, highest=9_000, by=3 * 8_000, hint=8_000 - passed) == 8_000
        assert relay.batches == 1


async def test_blocks_of_one_time_are_all_old_enough_or_none_is(
    provider: Provider, relay: Relay
) -> None:
    scripted(relay, lambda at: at // 100)
    assert await found(provider, highest=5_000, by=7) == 799
    assert await found(provider, highest=750, by=7) == 750


async def test_where_nothing_is_old_enough_it_is_the_very_first_block(
    provider: Provider, relay: Relay
) -> None:
    scripted(relay, lambda at: 100 + at)
    assert await found(provider, highest=5_000, by=50, hint=40) == 0
    assert await found(provider, highest=0, by=50) == 0


async def test_a_block_that_is_missing_below_the_newest_is_no_answer(
    provider: Provider, relay: Relay
) -> None:
    scripted(relay, lambda at: at if at < 1_000 else None)

    with pytest.raises(ChainUnavailable):
        await found(provider, highest=5_000, by=4_000)


async def test_times_in_no_order_do_not_keep_it_for_ever(provider: Provider, relay: Relay) -> None:
    scripted(relay, lambda at: at * 7_919 % 1_000)

    assert 0 <= await found(provider, highest=BILLION, by=500) <= BILLION
    assert relay.batches <= ROUNDS_MAX


class TestHead:
    @pytest.fixture
    async def chain(self, chain: LocalChain) -> LocalChain:
        for seconds in (5, 60, 1, 600, 1, 30):
            await chain.control("evm_increaseTime", seconds)
            await chain.mine()
        return chain

    async def expected(self, chain: LocalChain, *, depth: int, age: int) -> int:
        latest = await chain.number()
        calls = [Call("eth_getBlockByNumber", [hex(at), False]) for at in range(latest + 1)]
        headers = await chain.rpc.batch(calls, answer=HEADER)
        times = [number(header.timestamp) for header in headers if header is not None]
        old = [at for at in range(latest + 1 - depth) if times[at] <= times[-1] - age]
        return max(old, default=0)

    @pytest.mark.parametrize("age", [1, 29, 30, 31, 632, 10**8])
    @pytest.mark.parametrize("confirmations", [None, 4])
    async def test_a_final_block_is_old_enough_and_deep_enough(
        self, chain: LocalChain, age: int, confirmations: int | None
    ) -> None:
        settings = chain.settings(age_seconds=age, confirmations=confirmations)
        expected = await self.expected(chain, depth=confirmations or 0, age=age)
        async with EvmNode(settings) as node:
            head = await EvmChainReader(node).head()
            block = await EvmChainReader(node).block(head.final)

        assert head.final == head.safe == expected
        assert block is not None
        assert block.hash == head.final_hash
        assert head.latest == await chain.number()

    async def test_it_moves_on_with_the_chain_s_time(self, chain: LocalChain) -> None:
        async with AsyncExitStack() as closing:
            relay = await closing.enter_async_context(Relay(chain.url))
            settings = chain.settings(age_seconds=30, rpc_url=relay.url)
            reader = EvmChainReader(await closing.enter_async_context(EvmNode(settings)))
            await reader.head()
            for _ in range(5):
                await chain.control("evm_increaseTime", 13)
                await chain.mine()
                relay.batches = 0

                head = await reader.head()

                assert head.final == await self.expected(chain, depth=0, age=30)
                assert relay.batches == 1

    async def test_several_providers_have_to_agree_on_it_too(self, chain: LocalChain) -> None:
        async with AsyncExitStack() as closing:
            relay = await closing.enter_async_context(Relay(chain.url))
            settings = chain.settings(age_seconds=30, more_rpc_urls=(relay.url,), quorum=2)
            reader = EvmChainReader(await closing.enter_async_context(EvmNode(settings)))
            expected = await self.expected(chain, depth=0, age=30)
            assert (await reader.head()).final == expected

            def renamed(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
                response["result"]["hash"] = "0x" + "7" * 64
                return response

            relay.spoil("eth_getBlockByNumber", renamed)
            with pytest.raises(ChainUnavailable, match="is 0x"):
                await reader.head()
