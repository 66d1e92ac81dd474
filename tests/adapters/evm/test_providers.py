"""Several providers of one chain: who is asked, and who is asked next."""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from adapters.evm.health import LACKS_SECONDS, REST_SECONDS
from adapters.evm.providers import Providers, WrongChain
from adapters.evm.rpc import Call, RpcRefused
from adapters.evm.settings import EvmChain
from adapters.evm.wire import QUANTITY
from ports.chain import ChainUnavailable
from tests.adapters.evm.relay import Relay

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from adapters.evm.providers import Provider

HEIGHT = Call("eth_blockNumber")
PRICE = Call("eth_gasPrice")
CHAIN_ID = 5


@attrs.define
class Several:
    """Three nodes that answer by heart, and a clock that stands until it is moved."""

    providers: Providers
    nodes: list[Relay]
    time: list[float]

    async def height(self) -> str:
        return await self.providers.steadily(
            lambda one: one.call(HEIGHT, answer=QUANTITY), asked_for=HEIGHT.method
        )

    async def price(self) -> str:
        return await self.providers.steadily(
            lambda one: one.call(PRICE, answer=QUANTITY), asked_for=PRICE.method
        )

    def back_to_the_first(self) -> None:
        self.providers._current = self.providers.all[0]

    def asked(self, method: str = HEIGHT.method) -> list[int]:
        counts = [node.asked.count(method) for node in self.nodes]
        for node in self.nodes:
            node.asked.clear()
        return counts


def says(node: Relay, method: str, result: object) -> None:
    node.spoil(method, lambda _, response: {**response, "result": result})


@pytest.fixture
async def several() -> AsyncIterator[Several]:
    async with AsyncExitStack() as stack:
        nodes = [await stack.enter_async_context(Relay()) for _ in range(3)]
        for place, node in enumerate(nodes, 1):
            says(node, "eth_chainId", hex(CHAIN_ID))
            says(node, "eth_blockNumber", hex(100 + place))
            says(node, "eth_gasPrice", hex(place))
        chain = EvmChain(
            chain_id=CHAIN_ID,
            rpc_url=nodes[0].url,
            more_rpc_urls=tuple(node.url for node in nodes[1:]),
            tokens=(),
            escrow="0x" + "c" * 40,
            request_timeout_seconds=2,
        )
        time = [1_000.0]
        providers = Providers(chain, clock=lambda: time[0])
        stack.push_async_callback(providers.aclose)
        yield Several(providers, nodes, time)


async def test_one_is_asked_as_long_as_it_answers(several: Several) -> None:
    for _ in range(3):
        assert await several.height() == hex(101)

    assert several.asked() == [3, 0, 0]


async def test_the_next_takes_over_within_a_call_and_keeps_the_place(several: Several) -> None:
    await several.height()
    several.nodes[0].hang_up = True

    assert await several.height() == hex(102)
    several.nodes[0].heal()
    assert await several.height() == hex(102)

    assert several.asked() == [2, 2, 0]


async def test_none_left_is_unavailable(several: Several) -> None:
    for node in several.nodes:
        node.answer_with(b"busy", status=503)

    with pytest.raises(ChainUnavailable, match="503"):
        await several.height()


async def test_another_chain_s_provider_is_struck_off(
    several: Several, caplog: pytest.LogCaptureFixture
) -> None:
    says(several.nodes[0], "eth_chainId", "0x1")

    assert await several.height() == hex(102)
    assert await several.height() == hex(102)

    reason = several.providers.all[0].struck_off
    assert reason is not None
    assert attrs.astuple(reason) == (CHAIN_ID, 1, "1:127.0.0.1")
    assert "1:127.0.0.1 is struck off: chain 1" in caplog.text
    assert several.asked("eth_chainId") == [1, 1, 0]


async def test_where_all_are_of_other_chains_nothing_is_asked(several: Several) -> None:
    for node in several.nodes:
        says(node, "eth_chainId", "0x1")

    for _ in range(2):
        with pytest.raises(WrongChain):
            await several.height()

    assert several.asked() == [0, 0, 0]


class TestCircuit:
    async def fail(self, several: Several, times: int) -> None:
        for _ in range(times):
            several.back_to_the_first()
            await several.height()

    async def test_rests_after_failures_in_a_row_and_is_probed_once(
        self, several: Several
    ) -> None:
        first = several.nodes[0]
        first.answer_with(b"", status=500)
        await self.fail(several, 3)
        several.asked()

        await self.fail(several, 2)
        assert sum(several.asked("eth_chainId")) == 0
        several.time[0] += REST_SECONDS
        await self.fail(several, 2)
        assert several.asked("eth_chainId") == [1, 0, 0]
        several.time[0] += REST_SECONDS
        await self.fail(several, 1)
        assert sum(several.asked("eth_chainId")) == 0

        several.time[0] += REST_SECONDS
        first.heal()
        says(first, "eth_chainId", hex(CHAIN_ID))
        says(first, "eth_blockNumber", "0x65")
        await self.fail(several, 2)
        assert several.asked() == [2, 0, 0]

    async def test_looks_after_a_rest_which_chain_it_is(self, several: Several) -> None:
        several.nodes[0].refuse("eth_blockNumber", code=-32005, message="rate limited")
        await self.fail(several, 1)
        several.nodes[0].heal()
        says(several.nodes[0], "eth_chainId", "0x7")
        several.time[0] += REST_SECONDS

        await self.fail(several, 1)

        assert several.providers.all[0].struck_off is not None

    @pytest.mark.parametrize("status", [200, 429])
    async def test_rests_at_once_when_asked_too_often(self, several: Several, status: int) -> None:
        if status == 200:
            several.nodes[0].refuse("eth_blockNumber", code=-32005, message="request rate")
        else:
            await several.height()
            several.nodes[0].answer_with(b"slow down", status=status)
        several.asked()

        await self.fail(several, 2)

        assert several.asked() == [1, 2, 0]

    async def test_where_all_rest_the_one_that_has_rested_longest_is_probed(
        self, several: Several
    ) -> None:
        for node in several.nodes:
            node.answer_with(b"", status=500)
        for _ in range(3):
            with pytest.raises(ChainUnavailable):
                await several.height()
        several.asked()

        with pytest.raises(ChainUnavailable):
            await several.height()

        assert sorted(several.asked("eth_chainId")) == [0, 0, 1]


class TestCapabilities:
    async def test_what_a_provider_lacks_it_is_not_asked_for_again(self, several: Several) -> None:
        several.nodes[0].refuse("eth_gasPrice", code=-32601, message="the method is disabled")

        assert [await several.price(), await several.price()] == ["0x2", "0x2"]
        several.back_to_the_first()
        assert await several.price() == "0x2"
        assert several.asked("eth_gasPrice") == [1, 3, 0]

        several.time[0] += LACKS_SECONDS
        several.back_to_the_first()
        await several.price()
        assert several.asked("eth_gasPrice") == [1, 1, 0]

    async def test_who_takes_no_batches_is_asked_one_by_one(self, several: Several) -> None:
        def whole(_: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            return {**response, "result": "0x9"}

        node = several.nodes[0]
        node.spoil("eth_blockNumber", whole)
        node.refuses_batches = True
        calls = [HEIGHT] * 20

        async def batch(one: Provider) -> list[str]:
            return await one.batch(calls, answer=QUANTITY)

        for _ in range(2):
            answers = await several.providers.steadily(batch, asked_for=HEIGHT.method)
            assert answers == ["0x9"] * 20

        assert node.batches == 1

    async def test_a_contract_s_refusal_is_an_answer(self, several: Several) -> None:
        several.nodes[0].refuse("eth_gasPrice", code=3, message="execution reverted")

        with pytest.raises(RpcRefused):
            await several.price()

        assert several.asked("eth_gasPrice") == [1, 0, 0]

    async def test_another_refusal_may_be_one_node_s(self, several: Several) -> None:
        several.nodes[0].refuse("eth_gasPrice", code=-32000, message="header not found")

        assert await several.price() == "0x2"


class TestSurvey:
    async def test_who_is_far_behind_is_not_asked_until_it_has_caught_up(
        self, several: Several
    ) -> None:
        says(several.nodes[0], "eth_blockNumber", hex(50))
        await several.providers.survey(every_seconds=10)
        assert await several.price() in {"0x2", "0x3"}

        says(several.nodes[0], "eth_blockNumber", hex(99))
        several.time[0] += 10
        several.back_to_the_first()
        await several.providers.survey(every_seconds=10)

        assert await several.price() == "0x1"

    async def test_a_survey_is_good_for_a_while(self, several: Several) -> None:
        for _ in range(3):
            await several.providers.survey(every_seconds=10)

        assert several.asked() == [1, 1, 1]

    async def test_who_is_several_times_slower_loses_its_place(self, several: Several) -> None:
        for one, seconds in zip(several.providers.all, (0.5, 0.3, 0.1), strict=True):
            one.health.took(seconds)

        assert await several.price() == "0x3"

    async def test_a_little_slower_is_no_reason(self, several: Several) -> None:
        for one, seconds in zip(several.providers.all, (0.35, 0.3, 0.1), strict=True):
            one.health.took(seconds)

        assert await several.price() == "0x1"


class TestEverywhere:
    async def test_all_are_told_and_one_that_takes_it_is_enough(self, several: Several) -> None:
        several.nodes[0].hang_up = True
        several.nodes[1].refuse("eth_gasPrice", code=-32000, message="already known")

        assert await several.providers.everywhere(PRICE, answer=QUANTITY) == "0x3"

        assert several.asked("eth_gasPrice")[1:] == [1, 1]

    async def test_where_none_takes_it_a_refusal_says_most(self, several: Several) -> None:
        several.nodes[0].hang_up = True
        several.nodes[2].hang_up = True
        several.nodes[1].refuse("eth_gasPrice", code=-32000, message="already known")

        with pytest.raises(RpcRefused, match="already known"):
            await several.providers.everywhere(PRICE, answer=QUANTITY)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("https://key123.bsc.quiknode.pro/key456/", "1:quiknode.pro"),
        ("https://user:key@node.example:8545/key", "1:node.example"),
        ("http://127.0.0.1:8545", "1:127.0.0.1"),
        ("http://localhost:8545", "1:localhost"),
    ],
)
async def test_a_provider_s_name_holds_no_key(url: str, name: str) -> None:
    chain = EvmChain(chain_id=1, rpc_url=url, tokens=(), escrow="0x" + "c" * 40)

    assert [each.name for each in Providers(chain).all] == [name]


def test_a_quorum_needs_as_many_providers() -> None:
    with pytest.raises(ValueError, match="quorum"):
        EvmChain(chain_id=1, rpc_url="http://node", tokens=(), escrow="0x" + "c" * 40, quorum=2)
