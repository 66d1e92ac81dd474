from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.adapters.evm.devnet.conftest import RpcRefused

if TYPE_CHECKING:
    from tests.adapters.evm.devnet.conftest import Box, Rpc, Wallet

REVERT_ZERO = (
    "0x08c379a0" + "20".rjust(64, "0") + "4".rjust(64, "0") + b"zero".hex().ljust(64, "0")
)
INVALID_OPCODE = "0xfe"


class TestCall:
    def test_returns_output(self, box: Box) -> None:
        box.set(42)

        assert box.get() == 42

    def test_leaves_no_trace(self, box: Box) -> None:
        box.call(box.set_data(5))

        assert box.get() == 0

    def test_gives_the_reason_and_the_data_of_a_revert(self, box: Box) -> None:
        with pytest.raises(RpcRefused, match=r"^execution reverted: zero$") as refused:
            box.call(box.set_data(0))

        assert refused.value.code == 3
        assert refused.value.data == REVERT_ZERO

    def test_names_other_failures(self, rpc: Rpc, box: Box) -> None:
        with pytest.raises(RpcRefused, match="out of gas") as refused:
            rpc("eth_call", {"to": box.address, "gas": hex(21_010)}, "latest")
        assert refused.value.code == -32000

        with pytest.raises(RpcRefused, match="invalid opcode"):
            rpc("eth_call", {"data": INVALID_OPCODE}, "latest")

    def test_without_recipient_runs_init_code(self, rpc: Rpc) -> None:
        # PUSH1 2a PUSH0 MSTORE PUSH1 20 PUSH0 RETURN
        assert rpc.number("eth_call", {"data": "0x602a5f5260205ff3"}) == 42

    def test_cannot_send_what_the_sender_has_not(self, rpc: Rpc, box: Box) -> None:
        with pytest.raises(RpcRefused, match="insufficient funds"):
            rpc("eth_call", {"from": "0x" + "99" * 20, "to": box.address, "value": "0x1"})


class TestEstimate:
    def test_of_a_transfer_is_exact(self, rpc: Rpc, wallet: Wallet) -> None:
        request = {"from": wallet.address, "to": "0x" + "11" * 20, "value": "0x1"}

        assert rpc.number("eth_estimateGas", request) == 21_000

    def test_is_enough_and_close(self, rpc: Rpc, box: Box) -> None:
        data = box.set_data(6)
        request = {"from": box.wallet.address, "to": box.address, "data": "0x" + data.hex()}
        estimate = rpc.number("eth_estimateGas", request)

        sent = box.wallet.send(to=box.address, value=0, data=data, gas=estimate)
        receipt = rpc("eth_getTransactionReceipt", sent)
        assert receipt["status"] == "0x1"
        assert int(receipt["gasUsed"], 16) <= estimate <= int(receipt["gasUsed"], 16) * 1.02

    def test_covers_gas_that_is_refunded_later(self, rpc: Rpc, box: Box) -> None:
        box.set(6)
        # A callee that clears storage gets gas back only after it was needed. PUSH0 PUSH0 SSTORE
        # after PUSH1 1 PUSH0 SSTORE sets a slot and clears it.
        request = {"data": "0x60015f555f5f5500"}
        estimate = rpc.number("eth_estimateGas", request)

        assert rpc("eth_call", {**request, "gas": hex(estimate)}) == "0x"

    def test_of_a_revert_says_why(self, rpc: Rpc, box: Box) -> None:
        request = {"to": box.address, "data": "0x" + box.set_data(0).hex()}

        with pytest.raises(RpcRefused, match="execution reverted: zero") as refused:
            rpc("eth_estimateGas", request)
        assert refused.value.data == REVERT_ZERO


class TestMinedRevert:
    def test_has_a_receipt_that_says_so(self, rpc: Rpc, box: Box) -> None:
        sent = box.set(0)

        receipt = rpc("eth_getTransactionReceipt", sent)
        assert receipt["status"] == "0x0"
        assert receipt["logs"] == []
        assert receipt["contractAddress"] is None
