"""What came of a swap's transaction: the receipt's events, or why it had no effect."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from adapters.uniswap_v2.failures import failure_of, is_silent
from adapters.uniswap_v2.pairs import Pairs
from adapters.uniswap_v2.receipts import amounts_of
from adapters.uniswap_v2.requests import RECEIPT, TRANSACTION, Asking, Request
from adapters.uniswap_v2.router import swap_transaction
from adapters.uniswap_v2.settings import UniswapV2Exchange
from domain.conversions.swaps import Cause, SwapFailed, SwapFailure, Swapped
from domain.shared.money import Money
from ports.exchange import ExchangeUnavailable

if TYPE_CHECKING:
    from adapters.uniswap_v2.requests import CallRefused, Receipt, Transaction
    from domain.conversions.swaps import Swap, SwapCall, SwapOutcome

_LEFT_BEHIND: Final = 64
"""A call that runs out of gas leaves its caller one part in so many (EIP-150)."""

_CALLS_DEEP: Final = 4
"""Router, pair, token, and what a token calls."""


@attrs.frozen
class Outcomes:
    """Reads receipts of swaps."""

    _exchange: UniswapV2Exchange
    _asking: Asking
    _pairs: Pairs

    async def read(self, swap: Swap, transaction: str) -> SwapOutcome | None:
        """Return what came of a transaction, or None while it is in no block.

        Raises:
            ExchangeUnavailable: no node answered, or the transaction is not this swap.
        """
        asked = Request("eth_getTransactionReceipt", [transaction])
        receipt = await self._asking.ask(asked, answer=RECEIPT)
        if receipt is None:
            return None
        asked = Request("eth_getTransactionByHash", [transaction])
        sent = await self._asking.ask(asked, answer=TRANSACTION)
        call = swap_transaction(swap, exchange=self._exchange)
        if sent is None or not _is(sent, call):
            raise ExchangeUnavailable(f"{transaction} is not this swap")
        if int(receipt.status, 16):
            return await self._swapped(swap, transaction, receipt)
        return SwapFailed(
            transaction=transaction,
            failure=await self._why(swap, call, receipt=receipt, gas_limit=int(sent.gas, 16)),
            block_number=int(receipt.block_number, 16),
            block_hash=receipt.block_hash.lower(),
        )

    async def refusal(
        self, swap: Swap, call: SwapCall, *, block: object
    ) -> SwapFailure | CallRefused | None:
        """Run a swap on a block's state; return why it fails there, or None where it does not.

        A `CallRefused` is the node's own: it could not run it, and nothing is known.

        Raises:
            ExchangeUnavailable: the node did not answer.
        """
        refusal = await self._asking.attempt(Request("eth_call", [request_of(call), block]))
        if refusal is None:
            return None
        if is_silent(refusal) and None in await self._pairs.along(swap.path):
            return SwapFailure(Cause.NO_ROUTE, "there is no pool")
        return failure_of(refusal) or refusal

    async def _swapped(self, swap: Swap, transaction: str, receipt: Receipt) -> Swapped:
        pairs = await self._pairs.along(swap.path)
        found = [pair for pair in pairs if pair is not None]
        amounts = (
            amounts_of(receipt.logs, swap=swap, pairs=found, exchange=self._exchange)
            if len(found) == len(pairs)
            else None
        )
        if amounts is None:
            raise ExchangeUnavailable(f"the events of {transaction} show no such swap")
        return Swapped(
            transaction=transaction,
            spent=Money(amounts.spent, swap.path.source),
            given=Money(amounts.given, swap.path.target),
            received=Money(amounts.received, swap.path.target),
            block_number=int(receipt.block_number, 16),
            block_hash=receipt.block_hash.lower(),
        )

    async def _why(
        self, swap: Swap, call: SwapCall, *, receipt: Receipt, gas_limit: int
    ) -> SwapFailure:
        """Run the swap again where it failed: after its block, which has its time, then before.

        That it failed is certain; a node that keeps no old state only cannot tell why.
        """
        used = int(receipt.gas_used, 16)
        spent_all = SwapFailure(Cause.GAS, f"{used} of {gas_limit} gas used")
        if used >= gas_limit:
            return spent_all
        parent = hex(max(int(receipt.block_number, 16) - 1, 0))
        for block in ({"blockHash": receipt.block_hash}, parent):
            failure = await self.refusal(swap, call, block=block)
            if isinstance(failure, SwapFailure):
                return failure
        if gas_limit - used <= _CALLS_DEEP * gas_limit // _LEFT_BEHIND:
            return spent_all
        return SwapFailure(Cause.REVERTED, "the chain no longer shows why")


def request_of(call: SwapCall) -> dict[str, str]:
    """Return a call as ``eth_call`` and ``eth_estimateGas`` take it."""
    return {
        "from": call.sender,
        "to": call.target,
        "value": hex(call.value),
        "data": "0x" + call.data.hex(),
    }


def _is(sent: Transaction, call: SwapCall) -> bool:
    return (
        sent.sender.lower() == call.sender
        and (sent.to or "").lower() == call.target
        and int(sent.value, 16) == call.value
        and bytes.fromhex(sent.input[2:]) == call.data
    )
