"""One block a quote, and every fault of a node is one and the same: nothing is known."""

from __future__ import annotations

from datetime import timedelta

import attrs
import pytest

from adapters.uniswap_v2.abi import ALLOWANCE, FACTORY, GET_PAIR, GET_RESERVES, uint_word
from adapters.uniswap_v2.requests import CallRefused
from adapters.uniswap_v2.router import swap_transaction
from domain.conversions.pools import Path
from domain.conversions.swaps import Cause, SwapFailed, SwapFailure
from domain.shared.money import Money
from ports.chain import ChainUnavailable
from ports.exchange import ExchangeUnavailable, NoRoute, SwapRefused
from tests.adapters.uniswap_v2.scripted import HEAD, HIGH, LOW, PAIR, SETTINGS, ScriptedNode
from tests.adapters.uniswap_v2.test_calldata import a_swap
from tests.builders import NOON, hash_of

PATH = Path((LOW, HIGH))
SWAP = a_swap(LOW, HIGH, deadline=NOON + timedelta(days=3650))
CALL = swap_transaction(SWAP, exchange=SETTINGS)
RUN = CALL.data[:4].hex()
NAME = hash_of("swap")
BUSY = ChainUnavailable("busy")
REFUSAL = CallRefused("header not found", data=None, reverted=False)
SENT = {
    "from": CALL.sender,
    "to": CALL.target,
    "input": "0x" + CALL.data.hex(),
    "value": "0x0",
    "gas": hex(100_000),
}


def failed(gas_used: int) -> dict[str, object]:
    return {
        "blockNumber": "0x8", "blockHash": hash_of("block"), "status": "0x0",
        "gasUsed": hex(gas_used), "logs": [],
    }  # fmt: skip


async def test_all_reserves_are_of_one_block_by_its_hash_in_one_batch() -> None:
    node = ScriptedNode()
    quote = await node.exchange().quote(Money(1_000, LOW), paths=[PATH])

    reads = [request for request in node.asked if node.key(request) == GET_RESERVES.hex()]
    assert [request.params[1] for request in reads] == [{"blockHash": HEAD["hash"]}]
    assert quote.block.hash == HEAD["hash"]
    assert node.batches == [2, 1, 1]


async def test_pairs_are_asked_for_once_and_a_missing_one_again() -> None:
    node = ScriptedNode({GET_PAIR.hex(): uint_word(0)})
    exchange = node.exchange()
    with pytest.raises(NoRoute):
        await exchange.quote(Money(1_000, LOW), paths=[PATH])
    node.answers = ScriptedNode().answers
    for _ in range(2):
        await exchange.quote(Money(1_000, LOW), paths=[PATH])
    asked = [request for request in node.asked if node.key(request) == GET_PAIR.hex()]
    assert len(asked) == 2


async def test_a_pool_is_seen_in_the_direction_of_the_swap() -> None:
    exchange = ScriptedNode().exchange()
    there = await exchange.quote(Money(1_000_000, LOW), paths=[PATH])
    back = await exchange.quote(Money(1_000_000, HIGH), paths=[Path((HIGH, LOW))])
    assert (there.pools[0].id, there.pools[0].reserve_in) == (PAIR, Money(10**9, LOW))
    assert back.pools[0].reserve_in == Money(2 * 10**9, HIGH)
    assert (there.money_out.amount, back.money_out.amount) == (1_992_013, 498_251)


@pytest.mark.parametrize("fault", [BUSY, REFUSAL, "0x"], ids=["silent", "refusing", "empty"])
@pytest.mark.parametrize("at", ["eth_getBlockByNumber", GET_PAIR.hex(), GET_RESERVES.hex()])
async def test_without_an_answer_there_is_no_quote(at: str, fault: object) -> None:
    with pytest.raises(ExchangeUnavailable):
        await ScriptedNode({at: fault}).exchange().quote(Money(1_000, LOW), paths=[PATH])


async def test_without_an_answer_nothing_is_used_and_later_it_is() -> None:
    node = ScriptedNode({FACTORY.hex(): BUSY})
    exchange = node.exchange()
    with pytest.raises(ExchangeUnavailable):
        await exchange.calls(SWAP)
    node.answers = ScriptedNode().answers
    assert len(await exchange.calls(SWAP)) == 2


@pytest.mark.parametrize("fault", [BUSY, REFUSAL, "0x"], ids=["silent", "refusing", "empty"])
async def test_an_allowance_that_is_not_told_is_not_zero(fault: object) -> None:
    with pytest.raises(ExchangeUnavailable):
        await ScriptedNode({ALLOWANCE.hex(): fault}).exchange().calls(SWAP)


@pytest.mark.parametrize("fault", [BUSY, REFUSAL], ids=["silent", "refusing"])
async def test_a_trial_run_that_a_node_does_not_do_refuses_nothing(fault: Exception) -> None:
    with pytest.raises(ExchangeUnavailable):
        await ScriptedNode({RUN: fault}).exchange().rehearse(SWAP)


async def test_a_deadline_in_the_past_needs_no_trial_run() -> None:
    late = attrs.evolve(SWAP, deadline=NOON - timedelta(days=3650))
    with pytest.raises(SwapRefused) as caught:
        await ScriptedNode().exchange().rehearse(late)
    assert caught.value.failure.cause == Cause.DEADLINE


@pytest.mark.parametrize("fault", [BUSY, REFUSAL], ids=["silent", "refusing"])
@pytest.mark.parametrize("at", ["eth_getTransactionReceipt", "eth_getTransactionByHash"])
async def test_without_an_answer_the_outcome_is_unknown(at: str, fault: Exception) -> None:
    answers: dict[str, object] = {
        "eth_getTransactionReceipt": failed(50_000),
        "eth_getTransactionByHash": SENT,
        at: fault,
    }
    with pytest.raises(ExchangeUnavailable):
        await ScriptedNode(answers).exchange().outcome(SWAP, transaction=NAME)


@pytest.mark.parametrize(
    ("gas_used", "run", "failure"),
    [
        (100_000, BUSY, SwapFailure(Cause.GAS, "100000 of 100000 gas used")),
        (96_000, b"", SwapFailure(Cause.GAS, "96000 of 100000 gas used")),
        (50_000, b"", SwapFailure(Cause.REVERTED, "the chain no longer shows why")),
        (50_000, REFUSAL, SwapFailure(Cause.REVERTED, "the chain no longer shows why")),
    ],
)
async def test_a_failure_is_certain_where_its_reason_is_not(
    gas_used: int, run: object, failure: SwapFailure
) -> None:
    node = ScriptedNode(
        {
            "eth_getTransactionReceipt": failed(gas_used),
            "eth_getTransactionByHash": SENT,
            RUN: run,
        }
    )
    outcome = await node.exchange().outcome(SWAP, transaction=NAME)
    assert isinstance(outcome, SwapFailed)
    assert (outcome.failure, outcome.block_number) == (failure, 8)


async def test_a_node_that_does_not_answer_leaves_the_reason_for_later() -> None:
    answers: dict[str, object] = {
        "eth_getTransactionReceipt": failed(50_000),
        "eth_getTransactionByHash": SENT,
        RUN: BUSY,
    }
    with pytest.raises(ExchangeUnavailable):
        await ScriptedNode(answers).exchange().outcome(SWAP, transaction=NAME)


@pytest.mark.parametrize(
    "change", [{"from": PAIR}, {"to": None}, {"value": "0x1"}, {"input": "0x"}]
)
async def test_any_difference_makes_it_another_transaction(change: dict[str, object]) -> None:
    answers: dict[str, object] = {
        "eth_getTransactionReceipt": failed(100_000),
        "eth_getTransactionByHash": {**SENT, **change},
    }
    with pytest.raises(ExchangeUnavailable):
        await ScriptedNode(answers).exchange().outcome(SWAP, transaction=NAME)


async def test_a_success_without_its_events_is_no_outcome() -> None:
    answers: dict[str, object] = {
        "eth_getTransactionReceipt": {**failed(90_000), "status": "0x1"},
        "eth_getTransactionByHash": SENT,
    }
    with pytest.raises(ExchangeUnavailable):
        await ScriptedNode(answers).exchange().outcome(SWAP, transaction=NAME)
