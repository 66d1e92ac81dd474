"""Why the contracts have refused a swap, told apart by their own words."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from adapters.uniswap_v2.abi import WORD, selector
from domain.conversions.swaps import Cause, SwapFailure

if TYPE_CHECKING:
    from adapters.uniswap_v2.requests import CallRefused

_ERROR_STRING: Final = selector("Error(string)")
"""What ``require(…, "text")`` returns (Solidity, control structures)."""

_CAUSES: Final = {
    "EXPIRED": Cause.DEADLINE,
    "INSUFFICIENT_OUTPUT_AMOUNT": Cause.SLIPPAGE,
    "INSUFFICIENT_LIQUIDITY": Cause.LIQUIDITY,
    "OVERFLOW": Cause.LIQUIDITY,
    "K": Cause.TRANSFER_FEE,
    "TRANSFER_FROM_FAILED": Cause.FUNDS,
    "INVALID_PATH": Cause.NO_ROUTE,
    "IDENTICAL_ADDRESSES": Cause.NO_ROUTE,
}
"""By what follows the contract's name: ``UniswapV2Router: EXPIRED``, ``PancakeRouter: EXPIRED``.

A pair's ``K`` is short because the router has computed what it asks for from what it has sent:
if the pair got less than that, the token has kept something.
"""

_CONTRACTS: Final = re.compile(r"(?:UniswapV2|Pancake)(?:Router|Library)?|TransferHelper")
_HEX = re.compile(r"0x(?:[0-9a-fA-F]{2})+")
_NO_MONEY: Final = re.compile(r"insufficient (?:funds|balance)", re.IGNORECASE)
_NO_GAS: Final = re.compile(r"out of gas|gas required exceeds", re.IGNORECASE)
_REASON_CHARACTERS_MAX = 200


def failure_of(refusal: CallRefused) -> SwapFailure | None:
    """Return why a run of a swap failed, or None where only the node has refused to answer."""
    text = _text(refusal.data)
    if text is not None:
        contract, _, reason = text.partition(": ")
        known = _CAUSES.get(reason) if _CONTRACTS.fullmatch(contract) else None
        return SwapFailure(known or Cause.REVERTED, text)
    words = refusal.message[:_REASON_CHARACTERS_MAX]
    # A node says in one phrase that value and gas together are more than the sender has.
    if _NO_MONEY.search(words):
        return SwapFailure(Cause.FUNDS, words)
    if _NO_GAS.search(words):
        return SwapFailure(Cause.GAS, words)
    return SwapFailure(Cause.REVERTED, words) if refusal.reverted else None


def is_silent(refusal: CallRefused) -> bool:
    """Tell whether a contract has refused without a word, as a call to no contract does."""
    return refusal.reverted and not _HEX.search(refusal.data or "")


def _text(data: str | None) -> str | None:
    # Nodes return the data bare, or within a text ("Reverted 0x…").
    found = _HEX.search(data or "")
    output = bytes.fromhex(found.group()[2:]) if found else b""
    if not output.startswith(_ERROR_STRING):
        return None
    body = output[len(_ERROR_STRING) :]
    length = int.from_bytes(body[WORD : 2 * WORD], "big")
    text = body[2 * WORD : 2 * WORD + min(length, _REASON_CHARACTERS_MAX)]
    return text.decode("utf-8", errors="replace")
