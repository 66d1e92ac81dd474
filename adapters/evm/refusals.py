"""Why a contract has refused a call, in its own words."""

from __future__ import annotations

import functools
import re
from typing import TYPE_CHECKING, Any, Final

from adapters.evm.abi import WORD, selector
from adapters.evm.contracts import artifacts

if TYPE_CHECKING:
    from collections.abc import Mapping

    from adapters.evm.rpc import RpcRefused

_SELECTOR_BYTES = 4
_ERROR_STRING: Final = selector("Error(string)")
_PANIC: Final = selector("Panic(uint256)")
"""What ``revert("…")`` and failed assertions return (Solidity, control structures)."""

_TOKEN_ERRORS: Final = (
    "ERC20InsufficientBalance(address,uint256,uint256)",
    "ERC20InsufficientAllowance(address,uint256,uint256)",
    "ERC20InvalidSender(address)",
    "ERC20InvalidReceiver(address)",
    "SafeERC20FailedOperation(address)",
)
"""ERC-6093, and OpenZeppelin's wrapper of token calls."""

_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})+")
_MACHINE_REFUSALS = re.compile(
    r"out of gas|gas required exceeds|invalid opcode|invalid jump|stack (?:under|over)flow|revert",
    re.IGNORECASE,
)
_REASON_CHARACTERS_MAX = 200

_HAS_IT = re.compile(
    r"already ?(?:known|imported|exists|in mempool)|known transaction|tx with same hash",
    re.IGNORECASE,
)
"""geth, Reth, Erigon ("already known"), Nethermind ("AlreadyKnown"), Besu ("Known transaction"),
anvil and Polkadot Hub ("transaction already imported"), and OpenEthereum. Not among them, as they
say nothing of these very bytes: "nonce too low", "OldNonce", "ReplacementNotAllowed", "FeeTooLow",
"replacement transaction underpriced", "temporarily banned"."""


def says_known(refusal: RpcRefused) -> bool:
    """Tell whether a node refuses bytes because it has them, waiting or in a block."""
    return _HAS_IT.search(refusal.message) is not None


def reason_of(refusal: RpcRefused) -> str | None:
    """Return why a trial run failed: a custom error's name, a text, or the node's words.

    None means that it was not the contract that refused, so nothing is known about the call.
    """
    # Nodes return the data bare, or within a text ("Reverted 0x…").
    found = _HEX.search(refusal.data or "")
    output = bytes.fromhex(found.group()[2:]) if found else b""
    if len(output) >= _SELECTOR_BYTES:
        return _decoded(output)
    if refusal.reverted or _MACHINE_REFUSALS.search(refusal.message):
        return refusal.message[:_REASON_CHARACTERS_MAX]
    return None


def _decoded(output: bytes) -> str:
    head, body = output[:_SELECTOR_BYTES], output[_SELECTOR_BYTES:]
    if head == _ERROR_STRING:
        length = int.from_bytes(body[WORD : 2 * WORD], "big")
        text = body[2 * WORD : 2 * WORD + min(length, _REASON_CHARACTERS_MAX)]
        return text.decode("utf-8", errors="replace")
    if head == _PANIC:
        return f"Panic(0x{int.from_bytes(body[:WORD], 'big'):02x})"
    return _names().get(head, f"error 0x{head.hex()}")


@functools.cache
def _names() -> Mapping[bytes, str]:
    """Index the names of custom errors by their selectors."""
    signatures = list(_TOKEN_ERRORS)
    for artifact in (artifacts.load("SwitchyardEscrow"), artifacts.load("TestUSDT")):
        entries: list[Any] = list(artifact.abi)
        signatures.extend(
            f"{entry['name']}({','.join(member['type'] for member in entry['inputs'])})"
            for entry in entries
            if entry["type"] == "error"
        )
    return {selector(signature): signature.partition("(")[0] for signature in signatures}
