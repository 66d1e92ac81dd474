"""eth-tester as a node of its own: JSON-RPC over HTTP on loopback, from its chain in memory.

What it says goes out as it is, its integers written as quantities. Blocks are final at once, and
none is ever replaced. A transaction is mined when it comes in.
"""

# eth-tester has no types: what goes in and comes out of it may be anything.
# ruff: noqa: ANN401

from __future__ import annotations

import ast
import json
import threading
from collections.abc import Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

from eth_tester import EthereumTester, PyEVMBackend  # type: ignore[import-untyped]  # No stubs.
from eth_tester.exceptions import (  # type: ignore[import-untyped]  # As above.
    BlockNotFound,
    TransactionFailed,
    ValidationError,
)
from eth_utils.exceptions import ValidationError as RuleBroken
from web3 import EthereumTesterProvider, Web3

from adapters.evm.devnet.accounts import DEVNET_BALANCE_WEI, DEVNET_MNEMONIC

if TYPE_CHECKING:
    from collections.abc import Callable

    from web3.types import RPCResponse

ACCOUNTS_PATH = "m/44'/60'/0'/0"
"""Where wallets look for their accounts, under the phrase (BIP-44)."""

REVERTED = 3
"""How nodes number a revert that comes with data."""

TRIALS = ("eth_call", "eth_estimateGas")

GIFT_WEI = 10**18

BLOOM_DIGITS = 512
"""2,048 bits (Yellow Paper, section 4.4.3), which eth-tester says as a number."""

REFUSED = -32000
"""How nodes number what they cannot do: a transaction breaks a rule, a block is not there."""


class EthTesterNode:
    """A node over a new chain whose accounts are the devnet's."""

    def __init__(self, *, chain_id: int) -> None:
        backend = PyEVMBackend.from_mnemonic(
            DEVNET_MNEMONIC,
            genesis_state_overrides={"balance": DEVNET_BALANCE_WEI},
            hd_path=ACCOUNTS_PATH,
        )
        type(backend.chain).chain_id = chain_id
        self.tester = EthereumTester(backend)
        provider = EthereumTesterProvider(self.tester)
        self._ask: Callable[..., RPCResponse] = provider.request_func(
            Web3(provider), Web3(provider).middleware_onion
        )
        self._chain_id = chain_id
        self._one_at_a_time = threading.Lock()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Exchange, self))
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,))

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_port}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def answer(self, call: dict[str, Any]) -> dict[str, Any]:
        """Answer one call, or say in the words of JSON-RPC why not."""
        response: dict[str, Any] = {"jsonrpc": "2.0", "id": call["id"]}
        try:
            with self._one_at_a_time:
                said = self._said(call["method"], call.get("params", []))
        except TransactionFailed as failure:
            return response | {"error": _revert(failure)}
        except (BlockNotFound, ValidationError, RuleBroken) as failure:
            return response | {"error": {"code": REFUSED, "message": str(failure)}}
        return response | {key: said[key] for key in ("result", "error") if key in said}

    def _said(self, method: str, params: list[Any]) -> dict[str, Any]:
        if method == "eth_chainId":
            return {"result": hex(self._chain_id)}
        if method == "evm_mine":
            self.tester.mine_blocks()
            return {"result": "0x0"}
        if method in TRIALS and "from" in params[0]:
            return self._tried_out(method, params)
        return self._asked(method, params)

    def _tried_out(self, method: str, params: list[Any]) -> dict[str, Any]:
        """Make a trial run, for which other nodes charge nothing and eth-tester does.

        So the sender is given coin before, in a block that is taken back at once.
        """
        before = self.tester.take_snapshot()
        try:
            giver, sender = self.tester.get_accounts()[-1], params[0]["from"]
            gift = {"from": giver, "to": sender, "value": GIFT_WEI, "gas": 21_000}
            self.tester.send_transaction(gift)
            return self._asked(method, params)
        finally:
            self.tester.revert_to_snapshot(before)

    def _asked(self, method: str, params: list[Any]) -> dict[str, Any]:
        said = dict(self._ask(method, params))
        return {**said, "result": _on_the_wire(said["result"])} if "result" in said else said


class _Exchange(BaseHTTPRequestHandler):
    """One connection to the node."""

    protocol_version = "HTTP/1.1"

    def __init__(self, node: EthTesterNode, *arguments: Any) -> None:
        self._node = node
        super().__init__(*arguments)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        calls = asked if isinstance(asked, list) else [asked]
        answers = [self._node.answer(call) for call in calls]
        body = json.dumps(answers if isinstance(asked, list) else answers[0]).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing on the terminal."""


def _on_the_wire(value: Any, name: str = "") -> Any:
    """Write integers as quantities and bytes as hex, however deep they lie."""
    match value:
        case bool():
            return value
        case int():
            return f"0x{value:0{BLOOM_DIGITS if name == 'logsBloom' else 1}x}"
        case bytes():
            return "0x" + value.hex()
        case Mapping():
            return {key: _on_the_wire(each, key) for key, each in value.items()}
        case list() | tuple():
            return [_on_the_wire(each) for each in value]
        case _:
            return value


def _revert(failure: TransactionFailed) -> dict[str, Any]:
    """Return a failed trial run as nodes tell it: with what the contract returned.

    eth-tester says it as Python writes bytes, or in words where the contract said words.
    """
    said = str(failure.args[0])
    error = {"code": REVERTED, "message": said}
    _, _, returned = said.rpartition(": ")
    if returned.startswith(("b'", 'b"')):
        error |= {"message": "execution reverted", "data": "0x" + ast.literal_eval(returned).hex()}
    return error
