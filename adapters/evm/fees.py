"""What a transaction should offer, from what recent blocks have cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from adapters.evm.complaints import lacks_method
from adapters.evm.rpc import Call, RpcRefused
from adapters.evm.wire import FEES, QUANTITY, FeeHistory, number
from domain.network_fees.model import Priority
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from adapters.evm.node import EvmNode
    from adapters.evm.settings import FeeLimits
    from adapters.evm.transactions import UnsignedTransaction

HISTORY_BLOCKS = 20

TIP_PERCENTILES: Final = {Priority.SLOW: 20, Priority.NORMAL: 50, Priority.FAST: 90}
"""Per cent of a block's gas that paid no more than the tip we go by."""

PRICE_PERCENT: Final = {Priority.SLOW: 100, Priority.NORMAL: 100, Priority.FAST: 125}
"""What of the node's gas price is offered where there is nothing else to go by."""

BUMP_PER_MILLE = 1_125
"""A replacement's offers against those before: 12.5 % more, where geth asks for 10."""


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

    @classmethod
    def of(cls, transaction: UnsignedTransaction) -> Fees:
        """Return what a transaction offers."""
        return cls(transaction.max_fee_per_gas, transaction.tip_per_gas)

    def tip(self, *, base_fee: int) -> int:
        """Return what is left for who makes the block; less than 0 where it cannot come in."""
        most = self.max_fee_per_gas if self.tip_per_gas is None else self.tip_per_gas
        return min(self.max_fee_per_gas - base_fee, most)


@attrs.frozen
class Market:
    """What the network asks at the moment, and what we offer for that."""

    fees: Fees
    base_fee: int
    """Wei a unit of gas; 0 where there is none."""

    def outbids(self, offered: Fees) -> bool:
        """Tell whether an offer leaves less for who makes the block than one of now would."""
        now = self.fees.tip(base_fee=self.base_fee)
        return offered.tip(base_fee=self.base_fee) < now

    def better_than(self, offered: Fees, *, limits: FeeLimits) -> Fees | None:
        """Return an offer of now that nodes take in place of another; None if over the limits."""
        most, step = limits.max_fee_per_gas_wei, limits.price_step_wei
        least_fee = _bumped(offered.max_fee_per_gas)
        offered_tip = offered.tip_per_gas
        least_tip = least_fee if offered_tip is None else _bumped(offered_tip)
        if self.fees.tip_per_gas is None:
            price = _rounded(max(self.fees.max_fee_per_gas, least_fee, least_tip), step)
            return None if price > most else Fees(price, None)
        tip = max(self.fees.tip_per_gas, least_tip)
        fee = _rounded(max(self.fees.max_fee_per_gas, least_fee, tip), step)
        return None if fee > most or tip > limits.max_tip_wei else Fees(fee, tip)


async def current_market(node: EvmNode, priority: Priority) -> Market:
    """Ask what to offer now.

    With a base fee: twice the next block's and the tip of a percentile of what was paid, so that
    six full blocks in a row do not price the transaction out. Chains whose base fee is missing or
    zero (BSC) are paid a plain gas price, and so are those without a fee history; unless the
    settings say what a chain is.

    Raises:
        FeesTooHigh: even the least that would be included is over the configured limit.
        ChainUnavailable: no node answered, or it has no fee history where there should be one.
    """
    chain, limits = node.chain, node.chain.fees
    history = FeeHistory() if chain.gas_model == "legacy" else await _history(node)
    base_fee = number(history.base_fee_per_gas[-1]) if history.base_fee_per_gas else 0
    if chain.gas_model is None and not base_fee:
        history = FeeHistory()
    if history.base_fee_per_gas is None:
        if chain.gas_model == "eip1559":
            raise ChainUnavailable(f"{chain.chain} should have a fee history")
        return Market(await _price(node, priority), 0)
    tip = min(max(_median_tip(history, priority), limits.min_tip_wei), limits.max_tip_wei)
    fee = _rounded(2 * base_fee + tip, limits.price_step_wei)
    if base_fee + tip > limits.max_fee_per_gas_wei:
        raise FeesTooHigh(base_fee + tip, limits.max_fee_per_gas_wei)
    return Market(Fees(min(fee, limits.max_fee_per_gas_wei), tip), base_fee)


async def gas_price(node: EvmNode) -> int:
    """Return the node's gas price in wei, rounded up as the chain counts.

    Raises:
        ChainUnavailable: no node answered.
    """
    price = number(await node.call(Call("eth_gasPrice"), answer=QUANTITY))
    return _rounded(price, node.chain.fees.price_step_wei)


async def _price(node: EvmNode, priority: Priority) -> Fees:
    limits = node.chain.fees
    asked = await gas_price(node)
    if asked > limits.max_fee_per_gas_wei:
        raise FeesTooHigh(asked, limits.max_fee_per_gas_wei)
    price = _rounded(asked * PRICE_PERCENT[priority] // 100, limits.price_step_wei)
    return Fees(min(price, limits.max_fee_per_gas_wei), None)


async def _history(node: EvmNode) -> FeeHistory:
    percentiles = [TIP_PERCENTILES[priority] for priority in Priority]
    call = Call("eth_feeHistory", [hex(HISTORY_BLOCKS), "latest", percentiles])
    try:
        return await node.call(call, answer=FEES)
    except RpcRefused as refusal:
        if not lacks_method(refusal):
            raise
        return FeeHistory()


def _median_tip(history: FeeHistory, priority: Priority) -> int:
    """Return the median over blocks of a tip in each; empty blocks do not count."""
    place = list(Priority).index(priority)
    tips = sorted(number(block[place]) for block in history.reward or () if len(block) > place)
    paid = [tip for tip in tips if tip]
    return paid[len(paid) // 2] if paid else 0


def _bumped(offer: int) -> int:
    return -(-offer * BUMP_PER_MILLE // 1_000)


def _rounded(price: int, step: int) -> int:
    """Round up to what the chain can express."""
    return -(-price // step) * step
