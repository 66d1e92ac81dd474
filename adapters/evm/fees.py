"""What a transaction should offer, from what recent blocks have cost."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.evm.rpc import METHOD_NOT_FOUND, Call, RpcRefused
from adapters.evm.wire import FEES, QUANTITY, FeeHistory, number
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from adapters.evm.node import EvmNode

HISTORY_BLOCKS = 20
MEDIAN = 50
"""Per cent of a block's gas that paid no more than the tip we go by."""


class FeesTooHigh(ChainUnavailable):
    """The network asks for more than the gateway is ready to pay. Try again later."""

    def __init__(self, needed_wei: int, limit_wei: int) -> None:
        super().__init__(f"the network asks {needed_wei} wei a unit of gas, over {limit_wei}")
        self.needed_wei = needed_wei
        self.limit_wei = limit_wei


@attrs.frozen
class Fees:
    """Offers in wei a unit of gas; no tip means a legacy transaction."""

    max_fee_per_gas: int
    tip_per_gas: int | None


async def current_fees(node: EvmNode) -> Fees:
    """Ask what to offer now.

    With a base fee: twice the next block's and the median tip, so that six full blocks in a row
    do not price the transaction out. Chains whose base fee is missing or zero (BSC) are paid a
    plain gas price, and so are those without a fee history.

    Raises:
        FeesTooHigh: even the least that would be included is over the configured limit.
        ChainUnavailable: no node answered.
    """
    limits = node.chain.fees
    history = await _history(node)
    base_fee = number(history.base_fee_per_gas[-1]) if history.base_fee_per_gas else 0
    if not base_fee:
        price = number(await node.call(Call("eth_gasPrice"), answer=QUANTITY))
        if price > limits.max_fee_per_gas_wei:
            raise FeesTooHigh(price, limits.max_fee_per_gas_wei)
        return Fees(price, None)
    tip = min(max(_median_tip(history), limits.min_tip_wei), limits.max_tip_wei)
    if base_fee + tip > limits.max_fee_per_gas_wei:
        raise FeesTooHigh(base_fee + tip, limits.max_fee_per_gas_wei)
    return Fees(min(2 * base_fee + tip, limits.max_fee_per_gas_wei), tip)


async def _history(node: EvmNode) -> FeeHistory:
    call = Call("eth_feeHistory", [hex(HISTORY_BLOCKS), "latest", [MEDIAN]])
    try:
        return await node.call(call, answer=FEES)
    except RpcRefused as refusal:
        if refusal.code != METHOD_NOT_FOUND:
            raise
        return FeeHistory()


def _median_tip(history: FeeHistory) -> int:
    """Return the median over blocks of the median tip in each; empty blocks do not count."""
    tips = sorted(number(block[0]) for block in history.reward or () if block)
    paid = [tip for tip in tips if tip]
    return paid[len(paid) // 2] if paid else 0
