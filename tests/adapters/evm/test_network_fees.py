"""Congestion, waiting times and costs, from what blocks have cost."""

# What a test changes may be of any type.

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from adapters.evm.network_fees import BLOCKS, KEPT_SECONDS, PERCENTILES, EvmFeeMarket
from adapters.evm.node import EvmNode
from adapters.evm.settings import FeeLimits
from domain.network_fees.model import Kind
from ports.chain import ChainUnavailable
from tests.adapters.evm.local_chain import CHAIN, NATIVE

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from domain.network_fees.model import NetworkFees, Offer
    from tests.adapters.evm.local_chain import LocalChain
    from tests.adapters.evm.relay import Relay

GWEI = 10**9
SECONDS = 12


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
async def market(chain: LocalChain, relay: Relay, clock: Clock) -> AsyncIterator[EvmFeeMarket]:
    """A chain of 500 blocks, one each 12 seconds."""
    spaced(relay)
    fees = FeeLimits(min_tip_wei=1, max_tip_wei=50 * GWEI)
    async with EvmNode(chain.settings(rpc_url=relay.url, fees=fees)) as node:
        yield EvmFeeMarket(node, clock=clock)


def spaced(relay: Relay) -> None:
    def header(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
        number = 500 if params[0] == "latest" else int(params[0], 16)
        block = response["result"] or {"hash": "0x" + "1" * 64, "parentHash": "0x" + "2" * 64}
        bloom = "0x" + "0" * 512
        told = {"number": hex(number), "timestamp": hex(SECONDS * number), "logsBloom": bloom}
        return {"jsonrpc": "2.0", "id": response["id"], "result": block | told}

    relay.spoil("eth_getBlockByNumber", header)


def history(
    relay: Relay,
    *,
    base: list[int],
    tips: Callable[[int], int] = lambda percentile: percentile * GWEI // 10,
    full: list[float] | None = None,
    quiet: int = 0,
) -> None:
    """Have nodes tell of blocks with tips by percentile, the newest ``quiet`` of them empty."""
    count = len(base) - 1
    paid = [[hex(tips(each)) for each in PERCENTILES]] * (count - quiet)
    result = {
        "baseFeePerGas": [hex(fee) for fee in base],
        "reward": paid + [["0x0"] * len(PERCENTILES)] * quiet,
        "gasUsedRatio": full or [1.0] * count,
    }
    relay.spoil(
        "eth_feeHistory",
        lambda _, response: {"jsonrpc": "2.0", "id": response["id"], "result": result},
    )


def named(fees: NetworkFees, name: str) -> Offer:
    return next(offer for offer in fees.offers if offer.name == name)


@pytest.mark.parametrize(
    ("base", "congestion"),
    [
        ([10] * BLOCKS + [10], 0),
        ([10] * BLOCKS + [11], 100),
        ([*range(100, 100 + BLOCKS), 150], 25),
        ([20, 10], 0),
    ],
)
async def test_congestion_is_how_many_blocks_had_a_lower_base_fee(
    market: EvmFeeMarket, relay: Relay, base: list[int], congestion: int
) -> None:
    history(relay, base=base)

    fees = await market.fees()

    assert (fees.chain, fees.block, fees.congestion_percent) == (CHAIN, 500, congestion)


async def test_without_a_base_fee_it_is_how_full_blocks_are(
    market: EvmFeeMarket, relay: Relay
) -> None:
    history(relay, base=[0] * 41, full=[0.0] * 20 + [0.25, 0.75] * 10)

    assert (await market.fees()).congestion_percent == 50


async def test_an_offer_costs_its_percentile_of_recent_tips_on_top_of_the_base_fee(
    market: EvmFeeMarket, relay: Relay
) -> None:
    history(relay, base=[GWEI] * 100 + [2 * GWEI])

    fees = await market.fees()

    costs = {offer.name: offer.costs[Kind.TRANSFER].amount for offer in fees.offers}
    assert costs == {"slow": 21_000 * 4 * GWEI, "normal": 21_000 * 7 * GWEI,
                     "fast": 21_000 * 11 * GWEI}  # fmt: skip
    slow = named(fees, "slow").costs
    assert slow[Kind.PAYOUT].amount == 65_000 * 4 * GWEI
    assert slow[Kind.SWEEP] == slow[Kind.TRANSFER] + slow[Kind.PAYOUT]
    assert slow[Kind.SWEEP].asset == NATIVE


class TestWaiting:
    async def test_is_one_block_where_blocks_are_not_full(
        self, market: EvmFeeMarket, relay: Relay
    ) -> None:
        history(relay, base=[GWEI] * 41, full=[0.5] * 40)

        assert {offer.wait_seconds for offer in (await market.fees()).offers} == {SECONDS}

    async def test_is_as_long_as_blocks_would_not_have_taken_it(
        self, market: EvmFeeMarket, relay: Relay
    ) -> None:
        # Half of all blocks are full of what pays far more: five in a row are 1 in 32.
        history(relay, base=[GWEI] * 41, tips=lambda _: 900 * GWEI, full=[1.0, 0.5] * 20)

        assert {offer.wait_seconds for offer in (await market.fees()).offers} == {5 * SECONDS}

    async def test_is_long_where_no_block_would_have(
        self, market: EvmFeeMarket, relay: Relay
    ) -> None:
        history(relay, base=[GWEI] * 41, tips=lambda _: 900 * GWEI)

        assert {it.wait_seconds for it in (await market.fees()).offers} == {BLOCKS * SECONDS}


class TestTarget:
    def busy(self, relay: Relay) -> None:
        """Have the cheapest in full blocks pay 1, 2 … 8 gwei, and tips follow the percentile."""
        rewards = []
        for number in range(40):
            lowest = (1 + number % 8) * GWEI
            rewards.append([hex(max(lowest, each * GWEI // 10)) for each in PERCENTILES])
        result = {
            "baseFeePerGas": [hex(GWEI)] * 41,
            "reward": rewards,
            "gasUsedRatio": [1.0] * 40,
        }
        relay.spoil(
            "eth_feeHistory",
            lambda _, response: {"jsonrpc": "2.0", "id": response["id"], "result": result},
        )

    async def test_is_the_least_that_is_probably_enough(
        self, market: EvmFeeMarket, relay: Relay
    ) -> None:
        self.busy(relay)

        offers = [named(await market.fees(within_seconds=within), "target")
                  for within in (12, 36, 60, 3_600)]  # fmt: skip

        costs = [offer.costs[Kind.TRANSFER].amount for offer in offers]
        assert costs == sorted(costs, reverse=True)
        assert len(set(costs)) > 2
        for offer, within in zip(offers, (12, 36, 60, 3_600), strict=True):
            assert offer.wait_seconds <= within

    async def test_is_the_most_that_is_known_of_where_nothing_is_enough(
        self, market: EvmFeeMarket, relay: Relay
    ) -> None:
        history(relay, base=[GWEI] * 41, tips=lambda percentile: 900 * GWEI + percentile)

        target = named(await market.fees(within_seconds=SECONDS), "target")

        assert target.wait_seconds > SECONDS
        assert target.costs[Kind.TRANSFER].amount == 21_000 * 51 * GWEI, "the cap"


async def test_a_plain_gas_price_is_enough_where_there_is_no_base_fee(
    market: EvmFeeMarket, relay: Relay
) -> None:
    relay.refuse("eth_feeHistory", code=-32601, message="method not found")
    relay.spoil("eth_gasPrice", lambda _, response: {**response, "result": hex(4 * GWEI)})

    fees = await market.fees(within_seconds=SECONDS)

    costs = [offer.costs[Kind.TRANSFER].amount // (21_000 * GWEI) for offer in fees.offers]
    assert costs == [4, 4, 5, 4]
    assert fees.congestion_percent is None


async def test_nodes_are_asked_now_and_then_however_often_somebody_asks(
    market: EvmFeeMarket, relay: Relay, clock: Clock
) -> None:
    history(relay, base=[GWEI] * 41)
    for _ in range(5):
        await market.fees()
    assert relay.asked.count("eth_feeHistory") == 1

    clock.now += KEPT_SECONDS
    await market.fees()

    assert relay.asked.count("eth_feeHistory") == 2


async def test_a_real_chain_tells_its_fees(chain: LocalChain) -> None:
    await chain.mine(3)
    async with EvmNode(chain.settings()) as node:
        fees = await EvmFeeMarket(node).fees(within_seconds=60)

    assert fees.block == await chain.number()
    assert [offer.name for offer in fees.offers] == ["slow", "normal", "fast", "target"]
    assert all(cost.amount > 0 for offer in fees.offers for cost in offer.costs.values())


async def test_no_answer_is_told(market: EvmFeeMarket, relay: Relay) -> None:
    relay.hang_up = True

    with pytest.raises(ChainUnavailable):
        await market.fees()
