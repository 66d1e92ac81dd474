from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from adapters.evm.devnet.logs import LogFilter
from tests.adapters.evm.devnet.conftest import STORED_TOPIC, RpcRefused

if TYPE_CHECKING:
    from adapters.evm.devnet.devnet import Devnet
    from tests.adapters.evm.devnet.conftest import Box, Rpc

STORED = "0x" + STORED_TOPIC.hex()

Query = Callable[..., list[int]]


def word(value: int) -> str:
    return "0x" + value.to_bytes(32, "big").hex()


@pytest.fixture
def query(rpc: Rpc, box: Box) -> Query:
    def run(**fields: Any) -> list[int]:  # noqa: ANN401 - any JSON
        request = {"fromBlock": "earliest", "toBlock": "latest", **fields}
        return [int(log["data"], 16) for log in rpc("eth_getLogs", request)]

    for value in (1, 2, 3):
        box.set(value)
    return run


class TestLog:
    def test_is_where_its_receipt_says(self, rpc: Rpc, box: Box) -> None:
        sent = box.set(5)

        receipt = rpc("eth_getTransactionReceipt", sent)
        (log,) = rpc("eth_getLogs", {"blockHash": receipt["blockHash"]})
        assert receipt["logs"] == [log]
        assert log["topics"] == [STORED, word(5)]
        assert log["data"] == word(5)
        assert log["address"] == box.address
        assert log["transactionHash"] == sent
        assert log["removed"] is False

    def test_index_counts_within_the_block(self, rpc: Rpc, devnet: Devnet, box: Box) -> None:
        devnet.set_automine(enabled=False)
        for value in (1, 2):
            box.set(value)
        rpc("evm_mine")

        logs = rpc("eth_getLogs", {})
        assert [log["logIndex"] for log in logs] == ["0x0", "0x1"]
        assert [log["transactionIndex"] for log in logs] == ["0x0", "0x1"]


class TestFilter:
    def test_by_range(self, query: Query, rpc: Rpc) -> None:
        head = rpc.number("eth_blockNumber")

        assert query() == [1, 2, 3]
        assert query(fromBlock=hex(head - 1)) == [2, 3]
        assert query(fromBlock=hex(head - 1), toBlock=hex(head - 1)) == [2]
        assert query(fromBlock=hex(head), toBlock=hex(head + 50)) == [3]
        assert query(fromBlock=hex(head + 1), toBlock=hex(head + 50)) == []

    def test_by_address(self, query: Query, box: Box) -> None:
        stranger = "0x" + "77" * 20

        assert query(address=box.address.lower()) == [1, 2, 3]
        assert query(address=[stranger, box.address]) == [1, 2, 3]
        assert query(address=stranger) == []

    def test_by_topics_with_gaps_and_alternatives(self, query: Query) -> None:
        assert query(topics=[STORED]) == [1, 2, 3]
        assert query(topics=[None, word(2)]) == [2]
        assert query(topics=[[STORED, word(9)], [word(1), word(3)]]) == [1, 3]
        assert query(topics=[word(2)]) == []
        assert query(topics=[STORED, None, None]) == []
        assert query(topics=[]) == [1, 2, 3]

    def test_refuses_contradictions(self, query: Query) -> None:
        with pytest.raises(RpcRefused, match="invalid block range params"):
            query(fromBlock="0x3", toBlock="0x1")
        with pytest.raises(RpcRefused, match="cannot specify both"):
            query(blockHash="0x" + "00" * 32)

    def test_of_an_unknown_block_is_refused_not_empty(self, rpc: Rpc) -> None:
        with pytest.raises(RpcRefused, match="unknown block"):
            rpc("eth_getLogs", {"blockHash": "0x" + "00" * 32})

    def test_over_more_than_ten_thousand_blocks_is_refused(self, query: Query) -> None:
        assert query(fromBlock="0x1", toBlock=hex(10_000)) == [1, 2, 3]

        with pytest.raises(RpcRefused, match="block range is limited") as refused:
            query(fromBlock="0x1", toBlock=hex(10_001))
        assert refused.value.code == -32005


class TestBloom:
    def test_never_hides_what_the_filter_matches(self, box: Box, devnet: Devnet) -> None:
        box.set(4)
        node = devnet._running()
        header = node.run(lambda one: one.chain.head)
        (log,) = node.run(lambda one: one.chain.block(header).receipts[0].logs)
        addresses: tuple[list[bytes], ...] = (
            [],
            [log.address],
            [bytes(20), log.address],
            [bytes(20)],
        )
        topics: tuple[list[bytes], ...] = ([], [STORED_TOPIC], [bytes(32)])

        for address, first, second in itertools.product(addresses, topics, topics):
            wanted = LogFilter.of(addresses=address, topics=[first, second])
            assert wanted.may_match(header.bloom) or not wanted.matches(log)
