from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from adapters.evm.devnet.node import NotThatDeep
from tests.adapters.evm.devnet.conftest import RpcRefused

if TYPE_CHECKING:
    from adapters.evm.devnet.devnet import Devnet
    from tests.adapters.evm.devnet.conftest import Box, Rpc, Wallet


def timestamp(rpc: Rpc, block: str = "latest") -> int:
    return int(rpc("eth_getBlockByNumber", block)["timestamp"], 16)


def hashes(rpc: Rpc, last: int) -> list[str]:
    return [rpc("eth_getBlockByNumber", hex(n))["hash"] for n in range(last + 1)]


class TestMine:
    def test_adds_a_block(self, rpc: Rpc) -> None:
        assert rpc("evm_mine") == "0x0"
        assert rpc("eth_blockNumber") == "0x1"

    def test_takes_a_timestamp_or_a_number_of_blocks(self, rpc: Rpc) -> None:
        later = int(time.time()) + 1_000
        rpc("evm_mine", later)
        assert timestamp(rpc) == later

        rpc("evm_mine", {"blocks": 3})
        assert rpc("eth_blockNumber") == "0x4"


class TestTime:
    def test_runs_on_from_an_increase(self, rpc: Rpc) -> None:
        assert rpc("evm_increaseTime", 3_600) == 3_600
        assert rpc("evm_increaseTime", hex(400)) == 4_000
        rpc("evm_mine")

        assert 4_000 <= timestamp(rpc) - time.time() + 2 <= 4_010

    def test_can_be_set_for_the_next_block(self, rpc: Rpc) -> None:
        wanted = int(time.time()) + 50_000
        rpc("evm_setNextBlockTimestamp", wanted)
        rpc("evm_mine")
        rpc("evm_mine")

        assert timestamp(rpc, "0x1") == wanted
        assert wanted <= timestamp(rpc, "0x2") <= wanted + 10

    def test_does_not_run_backward(self, rpc: Rpc) -> None:
        with pytest.raises(RpcRefused, match="before the head"):
            rpc("evm_setNextBlockTimestamp", 1_000)


class TestSnapshot:
    def test_is_gone_back_to_and_what_follows_has_other_hashes(
        self, rpc: Rpc, wallet: Wallet
    ) -> None:
        raw = wallet.sign(nonce=0, value=5)
        recipient = "0x" + "11" * 20
        rpc("evm_mine")
        snapshot = rpc("evm_snapshot")
        sent = wallet.submit(raw)
        rpc("evm_mine")
        before = hashes(rpc, 3)

        assert rpc("evm_revert", snapshot) is True
        assert rpc("eth_blockNumber") == "0x1"
        assert rpc("eth_getTransactionReceipt", sent) is None
        assert rpc("eth_getBlockByHash", before[2]) is None
        assert rpc.number("eth_getBalance", recipient) == 0

        rpc("evm_mine")
        assert wallet.submit(raw) == sent
        rpc("evm_mine")
        after = hashes(rpc, 4)
        assert after[:2] == before[:2]
        assert not set(after[2:]) & set(before[2:])
        assert rpc("eth_getTransactionReceipt", sent)["blockNumber"] == "0x3"
        assert rpc.number("eth_getBalance", recipient) == 5

    def test_is_used_up_with_those_after_it(self, rpc: Rpc) -> None:
        first, second = rpc("evm_snapshot"), rpc("evm_snapshot")

        assert rpc("evm_revert", first) is True
        assert rpc("evm_revert", first) is False
        assert rpc("evm_revert", second) is False

    def test_brings_back_the_clock(self, rpc: Rpc) -> None:
        snapshot = rpc("evm_snapshot")
        rpc("evm_increaseTime", 9_000)
        rpc("evm_revert", snapshot)
        rpc("evm_mine")

        assert timestamp(rpc) <= time.time()

    def test_whose_block_a_reorg_dropped_is_gone(self, rpc: Rpc, devnet: Devnet) -> None:
        devnet.mine(blocks=2)
        snapshot = rpc("evm_snapshot")
        devnet.reorg(depth=1)

        assert rpc("evm_revert", snapshot) is False
        assert rpc("eth_blockNumber") == "0x2"


class TestReorg:
    def test_replaces_blocks_by_empty_ones(self, rpc: Rpc, devnet: Devnet, box: Box) -> None:
        box.set(1)
        dropped = box.set(2)
        before = hashes(rpc, 3)
        devnet.reorg(depth=2)

        after = hashes(rpc, 3)
        assert rpc("eth_blockNumber") == "0x3"
        assert after[:2] == before[:2]
        assert not set(after[2:]) & set(before[2:])
        assert rpc("eth_getTransactionReceipt", dropped) is None
        assert rpc("eth_getLogs", {"fromBlock": "earliest"}) == []
        assert box.get() == 0
        assert rpc.number("eth_getTransactionCount", box.wallet.address) == 1

    def test_lets_the_dropped_transaction_be_sent_again(
        self, rpc: Rpc, devnet: Devnet, wallet: Wallet
    ) -> None:
        raw = wallet.sign()
        sent = wallet.submit(raw)
        devnet.reorg(depth=1)
        devnet.mine(blocks=2)

        assert wallet.submit(raw) == sent
        assert rpc("eth_getTransactionReceipt", sent)["blockNumber"] == "0x4"

    def test_is_there_over_rpc_under_anvils_name(self, rpc: Rpc) -> None:
        rpc("evm_mine")
        before = hashes(rpc, 1)
        rpc("anvil_reorg", 1, [])

        assert hashes(rpc, 1) != before

    @pytest.mark.parametrize("depth", [0, 3])
    def test_never_reaches_genesis(self, devnet: Devnet, depth: int) -> None:
        devnet.mine(blocks=2)

        with pytest.raises(NotThatDeep) as refused:
            devnet.reorg(depth=depth)
        assert (refused.value.depth, refused.value.height) == (depth, 2)


class TestFees:
    def test_suggested_price_is_accepted_by_the_next_block(self, rpc: Rpc, wallet: Wallet) -> None:
        sent = wallet.send(gasPrice=rpc.number("eth_gasPrice"))

        assert rpc("eth_getTransactionReceipt", sent)["status"] == "0x1"
        assert rpc("eth_maxPriorityFeePerGas") == hex(10**9)

    def test_history_has_one_base_fee_more_than_blocks(self, rpc: Rpc, wallet: Wallet) -> None:
        wallet.send(maxPriorityFeePerGas=3 * 10**9)
        rpc("evm_mine")

        history = rpc("eth_feeHistory", "0x2", "latest", [10, 90])
        fees = [rpc("eth_getBlockByNumber", hex(n))["baseFeePerGas"] for n in (1, 2)]
        assert history["oldestBlock"] == "0x1"
        assert history["baseFeePerGas"][:2] == fees
        assert len(history["baseFeePerGas"]) == 3
        assert history["gasUsedRatio"] == [21_000 / 30_000_000, 0]
        assert history["reward"] == [[hex(3 * 10**9)] * 2, ["0x0", "0x0"]]

    def test_history_beyond_the_head_is_refused(self, rpc: Rpc) -> None:
        with pytest.raises(RpcRefused, match="request beyond head block"):
            rpc("eth_feeHistory", 1, "0x9")
