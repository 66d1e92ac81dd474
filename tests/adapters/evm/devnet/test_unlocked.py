"""The node signs for the accounts whose keys everybody knows, as other devnets do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.evm.devnet.accounts import devnet_accounts
from tests.adapters.evm.devnet.conftest import ETHER, GWEI, RpcRefused

if TYPE_CHECKING:
    from tests.adapters.evm.devnet.conftest import Box, Rpc, Wallet

PAYER = devnet_accounts()[4].address.lower()
TARGET = "0x" + "99" * 20


def test_it_offers_its_accounts(rpc: Rpc) -> None:
    assert rpc("eth_accounts") == [one.address.lower() for one in devnet_accounts()]


def test_what_is_left_out_is_filled_in(rpc: Rpc) -> None:
    sent = [
        rpc("eth_sendTransaction", {"from": PAYER, "to": TARGET, "value": hex(ETHER)})
        for _ in range(2)
    ]

    assert rpc.number("eth_getBalance", TARGET) == 2 * ETHER
    for nonce, hash in enumerate(sent):
        shown = rpc("eth_getTransactionByHash", hash)
        assert (shown["from"].lower(), int(shown["nonce"], 16)) == (PAYER, nonce)
        assert rpc("eth_getTransactionReceipt", hash)["status"] == "0x1"


def test_what_is_named_counts(rpc: Rpc) -> None:
    request = {
        "from": PAYER,
        "to": TARGET,
        "value": "0x1",
        "gas": hex(50_000),
        "nonce": "0x0",
        "gasPrice": hex(7 * GWEI),
    }
    shown = rpc("eth_getTransactionByHash", rpc("eth_sendTransaction", request))

    assert (int(shown["gas"], 16), int(shown["maxFeePerGas"], 16)) == (50_000, 7 * GWEI)
    with pytest.raises(RpcRefused, match="nonce too low"):
        rpc("eth_sendTransaction", {**request, "value": "0x2"})


def test_contracts_are_called(rpc: Rpc, box: Box) -> None:
    call = {"from": PAYER, "to": box.address, "data": "0x60fe47b1" + f"{41:064x}"}
    rpc("eth_sendTransaction", call)

    assert rpc.number("eth_call", {"to": box.address, "data": "0x"}, "latest") == 41


def test_what_would_fail_is_not_sent(rpc: Rpc, box: Box) -> None:
    # The box refuses zero.
    call = {"from": PAYER, "to": box.address, "data": "0x60fe47b1" + f"{0:064x}"}
    with pytest.raises(RpcRefused, match="execution reverted: zero"):
        rpc("eth_sendTransaction", call)

    assert rpc.number("eth_getTransactionCount", PAYER, "latest") == 0


def test_it_signs_for_nobody_else(rpc: Rpc) -> None:
    with pytest.raises(RpcRefused, match="unknown account"):
        rpc("eth_sendTransaction", {"from": TARGET, "to": PAYER, "value": "0x1"})
    with pytest.raises(RpcRefused, match="unknown account"):
        rpc("eth_sendTransaction", {"to": PAYER, "value": "0x1"})


def test_it_counts_what_wallets_have_sent(rpc: Rpc, wallet: Wallet) -> None:
    rpc("evm_setAutomine", False)  # noqa: FBT003 - positional on the wire
    wallet.send(value=1)
    mine = rpc("eth_sendTransaction", {"from": wallet.address, "to": TARGET, "value": "0x5"})
    rpc("evm_mine")

    assert int(rpc("eth_getTransactionByHash", mine)["nonce"], 16) == 1
    assert rpc.number("eth_getBalance", TARGET) == 5
