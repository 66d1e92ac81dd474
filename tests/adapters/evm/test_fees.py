"""What a transaction offers, on chains of every kind."""

# What a test changes may be of any type.
# ruff: noqa: ANN401

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from adapters.evm.abi import selector
from adapters.evm.fees import Fees, FeesTooHigh, Market
from adapters.evm.node import EvmNode
from adapters.evm.sender import EvmChainSender
from adapters.evm.settings import FeeLimits
from domain.chains.instructions import FundGas, SendMoney
from domain.shared.money import Money
from ports.chain import ChainUnavailable
from tests.adapters.evm.local_chain import NATIVE, STRANGER, address

if TYPE_CHECKING:
    from adapters.evm.prepared import EvmPrepared
    from domain.chains.instructions import Instruction
    from tests.adapters.evm.local_chain import LocalChain
    from tests.adapters.evm.relay import Relay

GWEI = 10**9
PAYOUT = SendMoney(Money(1, NATIVE), address(STRANGER))
ORACLE = "0x420000000000000000000000000000000000000f"


async def prepare(
    chain: LocalChain,
    relay: Relay,
    *,
    instruction: Instruction = PAYOUT,
    settings: dict[str, Any] | None = None,
    **limits: Any,
) -> EvmPrepared:
    of_chain = chain.settings(rpc_url=relay.url, fees=FeeLimits(**limits), **(settings or {}))
    async with EvmNode(of_chain) as node:
        return await EvmChainSender(node, chain.signer()).prepare(instruction)


def history(relay: Relay, *, base: list[int], tips: list[int]) -> None:
    """Have nodes tell of blocks with these tips in the middle, half at the low end, twice high."""
    result = {
        "baseFeePerGas": [hex(fee) for fee in base],
        "reward": [[hex(tip // 2), hex(tip), hex(2 * tip)] for tip in tips],
    }
    relay.spoil("eth_feeHistory", lambda _, response: {**response, "result": result})


def price(relay: Relay, wei: int) -> None:
    relay.spoil("eth_gasPrice", lambda _, response: {**response, "result": hex(wei)})


async def test_twice_the_base_fee_and_the_median_tip(chain: LocalChain, relay: Relay) -> None:
    history(relay, base=[5 * GWEI, 7 * GWEI], tips=[0, 0, 3 * GWEI, 2 * GWEI, 9 * GWEI])

    prepared = await prepare(chain, relay)

    assert prepared.fees.tip_per_gas == 3 * GWEI
    assert prepared.fees.max_fee_per_gas == 17 * GWEI


async def test_nobody_waits_for_a_sweep(chain: LocalChain, relay: Relay) -> None:
    history(relay, base=[GWEI], tips=[4 * GWEI])
    fund = FundGas(Money(1, NATIVE), address(STRANGER))

    prepared = await prepare(chain, relay, instruction=fund)

    assert prepared.fees == Fees(4 * GWEI, 2 * GWEI)


async def test_a_tip_where_none_was_paid(chain: LocalChain, relay: Relay) -> None:
    history(relay, base=[GWEI], tips=[0, 0])

    prepared = await prepare(chain, relay, min_tip_wei=5)

    assert prepared.fees.tip_per_gas == 5


async def test_no_more_than_the_limits(chain: LocalChain, relay: Relay) -> None:
    history(relay, base=[10 * GWEI], tips=[9 * GWEI])

    prepared = await prepare(chain, relay, max_fee_per_gas_wei=13 * GWEI, max_tip_wei=2 * GWEI)

    assert prepared.fees == Fees(13 * GWEI, 2 * GWEI)


async def test_fees_that_are_too_high_are_waited_out(chain: LocalChain, relay: Relay) -> None:
    history(relay, base=[10 * GWEI], tips=[GWEI])

    with pytest.raises(FeesTooHigh):
        await prepare(chain, relay, max_fee_per_gas_wei=10 * GWEI)


class TestGasPrice:
    @pytest.mark.parametrize("told", ["zero", "missing", "unknown method", "not supported"])
    async def test_where_there_is_no_base_fee(
        self, chain: LocalChain, relay: Relay, told: str
    ) -> None:
        if told == "zero":
            history(relay, base=[0, 0], tips=[GWEI])
        elif told == "missing":
            relay.spoil("eth_feeHistory", lambda _, response: {**response, "result": {}})
        elif told == "unknown method":
            relay.refuse("eth_feeHistory", code=-32601, message="method not found")
        else:
            relay.refuse("eth_feeHistory", code=-32004, message="not supported here")
        price(relay, 4 * GWEI)

        assert (await prepare(chain, relay)).fees == Fees(4 * GWEI, None)

    async def test_where_the_settings_say_so(self, chain: LocalChain, relay: Relay) -> None:
        history(relay, base=[GWEI], tips=[GWEI])
        price(relay, 4 * GWEI)

        prepared = await prepare(chain, relay, settings={"gas_model": "legacy"})

        assert prepared.fees == Fees(4 * GWEI, None)
        assert "eth_feeHistory" not in relay.asked

    async def test_is_rounded_up_to_what_the_chain_can_express(
        self, chain: LocalChain, relay: Relay
    ) -> None:
        price(relay, 1_000_000_001)

        prepared = await prepare(
            chain, relay, settings={"gas_model": "legacy"}, price_step_wei=10**8
        )

        assert prepared.fees == Fees(1_100_000_000, None)

    async def test_over_the_limit_is_waited_out(self, chain: LocalChain, relay: Relay) -> None:
        price(relay, 5 * GWEI)

        with pytest.raises(FeesTooHigh):
            await prepare(
                chain, relay, settings={"gas_model": "legacy"}, max_fee_per_gas_wei=5 * GWEI - 1
            )

    async def test_is_no_way_out_where_there_must_be_a_base_fee(
        self, chain: LocalChain, relay: Relay
    ) -> None:
        relay.refuse("eth_feeHistory", code=-32601, message="method not found")

        with pytest.raises(ChainUnavailable, match="fee history"):
            await prepare(chain, relay, settings={"gas_model": "eip1559"})

    async def test_a_base_fee_of_zero_is_one_where_the_settings_say_so(
        self, chain: LocalChain, relay: Relay
    ) -> None:
        history(relay, base=[0], tips=[GWEI])

        prepared = await prepare(chain, relay, settings={"gas_model": "eip1559"})

        assert prepared.fees == Fees(GWEI, GWEI)

    async def test_a_legacy_transaction_is_taken_by_the_chain(
        self, chain: LocalChain, node: EvmNode
    ) -> None:
        settings = attrs.evolve(node.chain, gas_model="legacy")
        async with EvmNode(settings) as legacy:
            sender = EvmChainSender(legacy, chain.signer())
            prepared = await sender.prepare(PAYOUT)
            nonce = await sender.next_sequence(sender.sender)
            signed = await sender.sign(prepared, sequence=nonce)
            await sender.broadcast(signed)
            await chain.mined(signed.hash)

        on_chain = await chain.control("eth_getTransactionByHash", signed.hash)
        assert on_chain["type"] == "0x0"


class TestLayerOne:
    async def test_takes_its_fee_beside_the_gas(self, chain: LocalChain, relay: Relay) -> None:
        history(relay, base=[GWEI], tips=[GWEI])
        asked: list[str] = []

        def tell(params: list[Any], response: dict[str, Any]) -> dict[str, Any]:
            if params[0]["to"] != ORACLE:
                return response
            asked.append(params[0]["data"])
            return {"jsonrpc": "2.0", "id": response["id"], "result": f"0x{1_000:064x}"}

        relay.spoil("eth_call", tell)
        prepared = await prepare(chain, relay, settings={"data_fee_oracle": ORACLE})

        assert prepared.data_fee == 1_250
        by_gas = prepared.gas_limit * prepared.fees.max_fee_per_gas
        assert prepared.fee_limit == Money(by_gas + 1_250, NATIVE)
        [data] = asked
        assert data.startswith("0x" + selector("getL1Fee(bytes)").hex())
        length = int(data[2 + 8 + 64 : 2 + 8 + 128], 16)
        assert data[2 + 8 + 128 :][:2] == "02", "a dynamic-fee transaction, encoded"
        assert (len(data) - 2 - 8) % 64 == 0
        assert 40 < length < 64

    async def test_whose_oracle_is_missing_leaves_the_fee_unknown(
        self, chain: LocalChain, relay: Relay
    ) -> None:
        with pytest.raises(ChainUnavailable, match="layer 1"):
            await prepare(chain, relay, settings={"data_fee_oracle": ORACLE})


LIMITS = FeeLimits(max_fee_per_gas_wei=1_000, max_tip_wei=100)


@pytest.mark.parametrize(
    ("now", "offered", "better"),
    [
        (Fees(200, 10), Fees(100, 8), Fees(200, 10)),
        (Fees(90, 5), Fees(100, 8), Fees(113, 9)),
        (Fees(200, 1), Fees(100, 8), Fees(200, 9)),
        (Fees(90, 5), Fees(889, 8), None),
        (Fees(90, 5), Fees(888, 8), Fees(999, 9)),
        (Fees(90, 5), Fees(100, 89), None),
        (Fees(200, None), Fees(100, None), Fees(200, None)),
        (Fees(90, None), Fees(100, None), Fees(113, None)),
        (Fees(90, None), Fees(889, None), None),
        (Fees(90, None), Fees(100, 8), Fees(113, None)),
        (Fees(90, 5), Fees(80, None), Fees(90, 90)),
        (Fees(90, 5), Fees(90, None), None),
    ],
)
def test_a_replacement_offers_an_eighth_more_of_both_and_at_least_what_is_asked_now(
    now: Fees, offered: Fees, better: Fees | None
) -> None:
    assert Market(now, 40).better_than(offered, limits=LIMITS) == better


@pytest.mark.parametrize(
    ("offered", "outbid"),
    [
        (Fees(1_000, 10), False),
        (Fees(1_000, 9), True),
        (Fees(109, 10), True),
        (Fees(110, 10), False),
        (Fees(99, 50), True),
        (Fees(110, None), False),
        (Fees(109, None), True),
    ],
)
def test_what_counts_is_what_is_left_for_who_makes_the_block(
    offered: Fees, *, outbid: bool
) -> None:
    assert Market(Fees(210, 10), 100).outbids(offered) is outbid


def test_prices_of_replacements_are_rounded_as_well() -> None:
    limits = FeeLimits(price_step_wei=100)

    assert Market(Fees(90, None), 0).better_than(Fees(100, None), limits=limits) == Fees(200, None)
