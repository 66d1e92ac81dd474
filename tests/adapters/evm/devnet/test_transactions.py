from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.evm.devnet.accounts import DEVNET_BALANCE_WEI, DEVNET_MNEMONIC, devnet_accounts
from tests.adapters.evm.devnet.conftest import ETHER, FULL, GWEI, RpcRefused

if TYPE_CHECKING:
    from adapters.evm.devnet.devnet import Devnet
    from tests.adapters.evm.devnet.conftest import Rpc, Wallet

RECIPIENT = "0x" + "11" * 20


class TestFundedAccounts:
    def test_are_those_every_wallet_derives_from_the_public_phrase(self) -> None:
        first, second = devnet_accounts()[:2]

        assert DEVNET_MNEMONIC.endswith("junk")
        assert first.address == "0xf39Fd6e51aad88F6F4ce6aB8827279cffFb92266"
        assert second.address == "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"

    def test_start_with_ten_thousand_ether_each(self, rpc: Rpc) -> None:
        balances = {rpc.number("eth_getBalance", one.address) for one in devnet_accounts()}

        assert len(devnet_accounts()) == 10
        assert balances == {DEVNET_BALANCE_WEI}


class TestTransfer:
    def test_is_mined_at_once_with_a_receipt(self, rpc: Rpc, wallet: Wallet) -> None:
        sent = wallet.send(value=ETHER, maxPriorityFeePerGas=2 * GWEI)

        receipt = rpc("eth_getTransactionReceipt", sent)
        shown = rpc("eth_getTransactionByHash", sent)
        block = rpc("eth_getBlockByNumber", "latest", FULL)
        price = int(block["baseFeePerGas"], 16) + 2 * GWEI
        assert rpc.number("eth_getBalance", RECIPIENT) == ETHER
        assert receipt["status"] == "0x1"
        assert receipt["gasUsed"] == receipt["cumulativeGasUsed"] == hex(21_000)
        assert int(receipt["effectiveGasPrice"], 16) == price == int(shown["gasPrice"], 16)
        assert receipt["blockHash"] == block["hash"] == shown["blockHash"]
        assert block["transactions"] == [shown]
        assert shown["type"] == "0x2"
        assert shown["from"] == wallet.address
        spent = DEVNET_BALANCE_WEI - rpc.number("eth_getBalance", wallet.address)
        assert spent == ETHER + 21_000 * price

    def test_may_be_legacy_with_replay_protection(self, rpc: Rpc, wallet: Wallet) -> None:
        sent = wallet.send(gasPrice=3 * GWEI)

        shown = rpc("eth_getTransactionByHash", sent)
        assert shown["type"] == "0x0"
        assert int(shown["v"], 16) in {31_337 * 2 + 35, 31_337 * 2 + 36}

    def test_with_an_access_list_is_mined(self, rpc: Rpc, wallet: Wallet) -> None:
        entry = {"address": RECIPIENT, "storageKeys": ["0x" + "00" * 32]}
        sent = wallet.send(accessList=[entry])

        shown = rpc("eth_getTransactionByHash", sent)
        assert shown["accessList"][0]["storageKeys"] == entry["storageKeys"]
        assert rpc("eth_getTransactionReceipt", sent)["status"] == "0x1"


class TestFloor:
    """Since Prague a transaction takes at least 40 gas for a byte of data (EIP-7623)."""

    DATA = b"\x01" * 1_000
    FLOOR = 21_000 + 40 * 1_000

    def test_is_what_is_taken_where_nothing_runs(self, rpc: Rpc, wallet: Wallet) -> None:
        sent = wallet.send(data=self.DATA)

        assert rpc("eth_getTransactionReceipt", sent)["gasUsed"] == hex(self.FLOOR)

    def test_is_estimated(self, rpc: Rpc, wallet: Wallet) -> None:
        request = {"from": wallet.address, "to": RECIPIENT, "data": "0x" + self.DATA.hex()}
        estimate = rpc.number("eth_estimateGas", request)

        assert self.FLOOR <= estimate <= self.FLOOR * 1.015
        assert wallet.send(data=self.DATA, gas=estimate)

    def test_is_asked_for(self, wallet: Wallet) -> None:
        with pytest.raises(RpcRefused, match="floor data gas cost: gas 60999"):
            wallet.send(data=self.DATA, gas=self.FLOOR - 1)


class TestRefusal:
    def refuse(self, wallet: Wallet, raw: bytes) -> str:
        with pytest.raises(RpcRefused) as refused:
            wallet.submit(raw)
        assert refused.value.code == -32000
        message: str = refused.value.message
        return message

    def test_of_the_same_bytes_again(self, wallet: Wallet) -> None:
        raw = wallet.sign()
        wallet.submit(raw)

        assert self.refuse(wallet, raw) == "already known"

    def test_of_a_used_nonce(self, wallet: Wallet) -> None:
        wallet.send()

        message = self.refuse(wallet, wallet.sign(nonce=0, value=2))
        assert message == "nonce too low: next nonce 1, tx nonce 0"

    def test_of_more_than_the_sender_has(self, wallet: Wallet) -> None:
        message = self.refuse(wallet, wallet.sign(value=DEVNET_BALANCE_WEI))
        assert message.startswith(
            f"insufficient funds for gas * price + value: balance {DEVNET_BALANCE_WEI}, tx cost "
        )

    @pytest.mark.parametrize("fields", [{}, {"gasPrice": 3 * GWEI}], ids=["1559", "legacy"])
    def test_of_another_chain(self, wallet: Wallet, fields: dict[str, int]) -> None:
        message = self.refuse(wallet, wallet.sign(chainId=1, **fields))
        assert message == "invalid sender: invalid chain id for signer: have 1 want 31337"

    def test_of_too_little_gas_for_the_data(self, wallet: Wallet) -> None:
        message = self.refuse(wallet, wallet.sign(gas=21_000, data=b"\x01"))
        assert message == "intrinsic gas too low: gas 21000, minimum needed 21016"

    def test_of_more_gas_than_a_block_has(self, wallet: Wallet) -> None:
        assert self.refuse(wallet, wallet.sign(gas=30_000_001)) == "exceeds block gas limit"

    def test_of_a_tip_above_the_fee_cap(self, wallet: Wallet) -> None:
        message = self.refuse(wallet, wallet.sign(maxFeePerGas=1, maxPriorityFeePerGas=2))
        assert message == "max priority fee per gas higher than max fee per gas"

    @pytest.mark.parametrize("raw", [b"", b"\x02", b"\xc0", b"\x7f\x01", b"\x02\xc3\x01\x02\x03"])
    def test_of_bytes_that_are_no_transaction(self, wallet: Wallet, raw: bytes) -> None:
        assert self.refuse(wallet, raw)

    def test_of_a_blob_transaction(self, wallet: Wallet) -> None:
        assert self.refuse(wallet, b"\x05\xc0") == "transaction type not supported"


class TestPool:
    def test_keeps_a_transaction_until_the_gap_before_it_is_filled(
        self, rpc: Rpc, wallet: Wallet
    ) -> None:
        later = wallet.send(nonce=1)

        assert rpc("eth_getTransactionByHash", later)["blockNumber"] is None
        assert rpc("eth_getTransactionReceipt", later) is None

        earlier = wallet.send(nonce=0)
        mined = [rpc("eth_getTransactionReceipt", one) for one in (earlier, later)]
        assert [one["transactionIndex"] for one in mined] == ["0x0", "0x1"]
        assert {one["blockNumber"] for one in mined} == {"0x1"}

    def test_waits_for_a_block_when_automine_is_off(
        self, rpc: Rpc, devnet: Devnet, wallet: Wallet
    ) -> None:
        devnet.set_automine(enabled=False)
        sent = [wallet.send(), wallet.send()]

        assert rpc.number("eth_getTransactionCount", wallet.address) == 0
        assert rpc.number("eth_getTransactionCount", wallet.address, "pending") == 2

        devnet.mine()
        assert all(rpc("eth_getTransactionReceipt", one) for one in sent)
        assert rpc.number("eth_getTransactionCount", wallet.address) == 2

    def test_replaces_a_stuck_transaction_by_one_that_pays_ten_percent_more(
        self, rpc: Rpc, devnet: Devnet, wallet: Wallet
    ) -> None:
        devnet.set_automine(enabled=False)
        stuck = wallet.send(nonce=0, maxFeePerGas=10 * GWEI, maxPriorityFeePerGas=GWEI)

        slightly = wallet.sign(nonce=0, maxFeePerGas=10 * GWEI + 1, maxPriorityFeePerGas=GWEI)
        with pytest.raises(RpcRefused, match="replacement transaction underpriced"):
            wallet.submit(slightly)
        bumped = wallet.send(nonce=0, maxFeePerGas=11 * GWEI, maxPriorityFeePerGas=11 * GWEI // 10)
        rpc("evm_mine")

        assert rpc("eth_getTransactionByHash", stuck) is None
        assert rpc("eth_getTransactionReceipt", bumped)["status"] == "0x1"

    def test_holds_what_pays_less_than_the_base_fee_until_that_falls(
        self, rpc: Rpc, devnet: Devnet, wallet: Wallet
    ) -> None:
        sent = wallet.send(maxFeePerGas=GWEI // 2, maxPriorityFeePerGas=1)
        assert rpc("eth_getTransactionReceipt", sent) is None

        devnet.mine(blocks=8)
        assert rpc("eth_getTransactionReceipt", sent)["status"] == "0x1"

    def test_drops_what_its_sender_cannot_pay_any_more(
        self, rpc: Rpc, devnet: Devnet, wallet: Wallet
    ) -> None:
        devnet.set_automine(enabled=False)
        half = DEVNET_BALANCE_WEI * 6 // 10
        sent = [wallet.send(value=half), wallet.send(value=half)]
        rpc("evm_mine")

        assert rpc("eth_getTransactionReceipt", sent[0])["status"] == "0x1"
        assert rpc("eth_getTransactionByHash", sent[1]) is None
