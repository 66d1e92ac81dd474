from __future__ import annotations

import itertools
from typing import TYPE_CHECKING, Any, Final

import attrs
import httpx2
import pytest
from eth_account import Account
from eth_utils.crypto import keccak

from adapters.evm.devnet.accounts import DevnetAccount, devnet_accounts
from adapters.evm.devnet.devnet import Devnet

if TYPE_CHECKING:
    from collections.abc import Iterator

FULL: Final = True
"""The flag that asks for whole transactions in a block."""

GWEI = 10**9
ETHER = 10**18
STORED_TOPIC = keccak(text="Stored(uint256,uint256)")

# A box for one number: any call with an argument is set(uint256), which refuses zero with
# revert("zero") and logs Stored(value indexed, value); a call without one is get(). It uses PUSH0
# and transient storage, so it runs under Cancun only.
_GET = bytes.fromhex("5f54 5f52 6020 5ff3")
_REVERT = bytes.fromhex(
    "6308c379a0 60e0 1b 5f 52 6020 6004 52 6004 6024 52 637a65726f 60e0 1b 6044 52 6064 5f fd"
)
_STORE = (
    bytes.fromhex("5b 80 5f 5d 5f 5c 5f 55 80 5f 52 7f")
    + STORED_TOPIC
    + bytes.fromhex("6020 5f a2 00")
)
_SET_AT = 7 + len(_GET)
_STORE_AT = _SET_AT + 8 + len(_REVERT)
_RUNTIME = (
    bytes([0x36, 0x60, 4, 0x10, 0x60, _SET_AT, 0x57])
    + _GET
    + bytes([0x5B, 0x60, 4, 0x35, 0x80, 0x60, _STORE_AT, 0x57])
    + _REVERT
    + _STORE
)
BOX_CODE = bytes([0x60, len(_RUNTIME), 0x80, 0x60, 9, 0x5F, 0x39, 0x5F, 0xF3]) + _RUNTIME


class RpcRefused(Exception):
    def __init__(self, error: dict[str, Any]) -> None:
        super().__init__(error["message"])
        self.code = error["code"]
        self.message = error["message"]
        self.data = error.get("data")


class Rpc:
    """A bare JSON-RPC client, so that tests see exactly what is on the wire."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._ids = itertools.count(1)
        self._http = httpx2.Client(timeout=20)

    def __call__(self, method: str, *params: object) -> Any:  # noqa: ANN401 - any JSON
        request = {"jsonrpc": "2.0", "id": next(self._ids), "method": method, "params": params}
        answer = self.post(request).json()
        assert answer["id"] == request["id"]
        if "error" in answer:
            raise RpcRefused(answer["error"])
        return answer["result"]

    def post(self, body: object) -> httpx2.Response:
        return self._http.post(self.url, json=body)

    def post_bytes(self, body: bytes, **headers: str) -> httpx2.Response:
        return self._http.post(self.url, content=body, headers=headers)

    def number(self, method: str, *params: object) -> int:
        return int(self(method, *params), 16)

    def close(self) -> None:
        self._http.close()


@attrs.define
class Wallet:
    """A devnet account that signs and sends over JSON-RPC."""

    rpc: Rpc
    account: DevnetAccount
    chain_id: int = 31_337

    @property
    def address(self) -> str:
        return self.account.address

    def sign(self, **fields: Any) -> bytes:  # noqa: ANN401 - transaction fields
        transaction: dict[str, Any] = {
            "chainId": self.chain_id,
            "to": "0x" + "11" * 20,
            "value": 1,
            "gas": 300_000,
            "data": b"",
            **fields,
        }
        if "nonce" not in fields:
            nonce = self.rpc.number("eth_getTransactionCount", self.address, "pending")
            transaction["nonce"] = nonce
        if "gasPrice" not in fields:
            transaction.setdefault("maxFeePerGas", 100 * GWEI)
            transaction.setdefault("maxPriorityFeePerGas", GWEI)
        signed = Account.sign_transaction(transaction, self.account.private_key)
        return bytes(signed.raw_transaction)

    def send(self, **fields: Any) -> str:  # noqa: ANN401 - transaction fields
        return self.submit(self.sign(**fields))

    def submit(self, raw: bytes) -> str:
        transaction_hash: str = self.rpc("eth_sendRawTransaction", "0x" + raw.hex())
        return transaction_hash


@attrs.define
class Box:
    """The contract of this file, deployed."""

    wallet: Wallet
    address: str

    def set(self, value: int) -> str:
        return self.wallet.send(to=self.address, value=0, data=self.set_data(value))

    def set_data(self, value: int) -> bytes:
        return bytes(4) + value.to_bytes(32, "big")

    def call(self, data: bytes, block: object = "latest") -> str:
        request = {"to": self.address, "data": "0x" + data.hex()}
        output: str = self.wallet.rpc("eth_call", request, block)
        return output

    def get(self, block: object = "latest") -> int:
        return int(self.call(b"", block), 16)


@pytest.fixture
def devnet() -> Iterator[Devnet]:
    with Devnet() as running:
        yield running


@pytest.fixture
def rpc(devnet: Devnet) -> Iterator[Rpc]:
    client = Rpc(devnet.url)
    yield client
    client.close()


@pytest.fixture
def wallet(rpc: Rpc) -> Wallet:
    return Wallet(rpc, devnet_accounts()[0])


@pytest.fixture
def other_wallet(rpc: Rpc) -> Wallet:
    return Wallet(rpc, devnet_accounts()[1])


@pytest.fixture
def box(wallet: Wallet) -> Box:
    deployed = wallet.send(to=b"", value=0, data=BOX_CODE)
    receipt = wallet.rpc("eth_getTransactionReceipt", deployed)
    assert receipt["status"] == "0x1"
    return Box(wallet, receipt["contractAddress"])
