from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from adapters.evm.devnet.devnet import Devnet
from adapters.evm.devnet.settings import DevnetSettings
from tests.adapters.evm.devnet.conftest import FULL, RpcRefused

if TYPE_CHECKING:
    from pathlib import Path

    from tests.adapters.evm.devnet.conftest import Box, Rpc, Wallet

MISSING_HASH = "0x" + "ab" * 32


class TestBlock:
    def test_carries_what_a_scanner_checks(self, rpc: Rpc, devnet: Devnet) -> None:
        devnet.mine(blocks=2)

        parent, block = (rpc("eth_getBlockByNumber", hex(number)) for number in (1, 2))
        assert block["number"] == "0x2"
        assert block["parentHash"] == parent["hash"]
        assert len(block["logsBloom"]) == 2 + 512
        assert block["gasLimit"] == hex(30_000_000)
        assert int(block["baseFeePerGas"], 16) < int(parent["baseFeePerGas"], 16)
        assert block["transactions"] == block["uncles"] == block["withdrawals"] == []
        assert rpc("eth_getBlockByHash", block["hash"]) == block

    def test_shows_hashes_or_whole_transactions(self, rpc: Rpc, wallet: Wallet) -> None:
        sent = wallet.send()

        assert rpc("eth_getBlockByNumber", "0x1")["transactions"] == [sent]
        (shown,) = rpc("eth_getBlockByNumber", "0x1", FULL)["transactions"]
        assert shown["hash"] == sent

    def test_that_does_not_exist_is_null(self, rpc: Rpc) -> None:
        assert rpc("eth_getBlockByNumber", "0x5") is None
        assert rpc("eth_getBlockByHash", MISSING_HASH) is None
        assert rpc("eth_getBlockReceipts", "0x5") is None
        assert rpc("eth_getTransactionReceipt", MISSING_HASH) is None

    def test_gives_all_its_receipts_at_once(
        self, rpc: Rpc, devnet: Devnet, wallet: Wallet, other_wallet: Wallet
    ) -> None:
        devnet.set_automine(enabled=False)
        sent = [wallet.send(), other_wallet.send()]
        rpc("evm_mine")

        receipts = rpc("eth_getBlockReceipts", "latest")
        assert receipts == [rpc("eth_getTransactionReceipt", one) for one in sent]
        assert [one["cumulativeGasUsed"] for one in receipts] == [hex(21_000), hex(42_000)]
        assert receipts == rpc("eth_getBlockReceipts", receipts[0]["blockHash"])

    def test_may_share_its_second_with_its_parent(self, rpc: Rpc, devnet: Devnet) -> None:
        devnet.mine(blocks=50)

        latest = int(rpc("eth_getBlockByNumber", "latest")["timestamp"], 16)
        assert latest <= time.time()


class TestTags:
    def test_lag_behind_the_head_by_their_depth(self, rpc: Rpc, devnet: Devnet) -> None:
        devnet.mine(blocks=5)

        numbers = {
            tag: rpc("eth_getBlockByNumber", tag)["number"]
            for tag in ("earliest", "finalized", "safe", "latest", "pending")
        }
        assert numbers == {
            "earliest": "0x0",
            "finalized": "0x3",
            "safe": "0x4",
            "latest": "0x5",
            "pending": "0x5",
        }

    def test_stop_at_genesis(self, rpc: Rpc) -> None:
        assert rpc("eth_getBlockByNumber", "finalized")["number"] == "0x0"

    def test_count_for_state_and_logs_too(self, rpc: Rpc, box: Box, devnet: Devnet) -> None:
        box.set(7)
        devnet.mine()

        query = {"fromBlock": "earliest", "address": box.address}
        assert box.get("safe") == 7
        assert len(rpc("eth_getLogs", {**query, "toBlock": "safe"})) == 1
        assert rpc("eth_getLogs", {**query, "toBlock": "finalized"}) == []
        assert rpc.number("eth_getTransactionCount", box.wallet.address, "finalized") == 1

    def test_follow_the_depths_in_the_settings(self) -> None:
        settings = DevnetSettings(port=0, block_seconds=0, safe_depth=3, finalized_depth=5)
        with Devnet(settings) as devnet:
            devnet.mine(blocks=6)
            node = devnet._running()

            assert node.run(lambda one: (one.safe_number, one.finalized_number)) == (3, 1)


class TestInterval:
    def height(self, devnet: Devnet) -> int:
        return devnet._running().run(lambda node: node.chain.head.block_number)

    def wait_for(self, devnet: Devnet, height: int) -> None:
        deadline = time.monotonic() + 5
        while self.height(devnet) < height and time.monotonic() < deadline:
            time.sleep(0.01)
        assert self.height(devnet) >= height

    def test_mines_without_transactions_until_paused(self) -> None:
        with Devnet(DevnetSettings(port=0, block_seconds=0.02)) as devnet:
            self.wait_for(devnet, 2)

            devnet.pause()
            paused_at = self.height(devnet)
            time.sleep(0.1)
            # One block may have been on its way when the pause came.
            assert self.height(devnet) <= paused_at + 1

            devnet.resume()
            self.wait_for(devnet, paused_at + 3)


class TestHistory:
    def test_of_balances_and_nonces_is_kept(self, rpc: Rpc, wallet: Wallet) -> None:
        recipient = "0x" + "22" * 20
        for value in (5, 7):
            wallet.send(to=recipient, value=value)

        assert [rpc.number("eth_getBalance", recipient, hex(n)) for n in range(3)] == [0, 5, 12]
        nonces = [rpc.number("eth_getTransactionCount", wallet.address, hex(n)) for n in range(3)]
        assert nonces == [0, 1, 2]

    def test_of_contracts_is_kept(self, rpc: Rpc, box: Box) -> None:
        box.set(3)
        box.set(4)

        assert [box.get(hex(number)) for number in (1, 2, 3)] == [0, 3, 4]
        assert rpc("eth_getCode", box.address, "0x0") == "0x"
        assert len(rpc("eth_getCode", box.address, "0x1")) > 100
        assert rpc.number("eth_getStorageAt", box.address, "0x0", "0x2") == 3

    def test_can_be_asked_for_by_block_hash(self, rpc: Rpc, box: Box) -> None:
        box.set(9)
        block_hash = rpc("eth_getBlockByNumber", "latest")["hash"]

        assert box.get({"blockHash": block_hash, "requireCanonical": True}) == 9

    def test_ends_at_the_head(self, box: Box) -> None:
        with pytest.raises(RpcRefused, match="header not found"):
            box.get("0x99")


class TestRestart:
    def test_resumes_the_same_chain(self, tmp_path: Path) -> None:
        settings = DevnetSettings(database=tmp_path / "chain.sqlite", port=0, block_seconds=0)
        devnet = Devnet(settings)
        heads = []
        for _ in range(3):
            with devnet:
                devnet.mine(blocks=2)
                heads.append(devnet._running().run(lambda node: node.chain.head))

        assert [one.block_number for one in heads] == [2, 4, 6]
        with devnet:
            stored = devnet._running().run(lambda node: node.chain.hash_at(2))
            assert stored == heads[0].hash
