"""What a chain's blocks have cost lately, and what that says of the next ones."""

from __future__ import annotations

import time
from fractions import Fraction
from typing import TYPE_CHECKING, Final

import attrs

from adapters.evm.complaints import lacks_method
from adapters.evm.data_fee import data_fee
from adapters.evm.fees import HISTORY_BLOCKS, PRICE_PERCENT, TIP_PERCENTILES, gas_price
from adapters.evm.rpc import Call, RpcRefused
from adapters.evm.transactions import UnsignedTransaction
from adapters.evm.wire import FEES, HEADER, FeeHistory, number
from domain.network_fees.model import Kind, NetworkFees, Offer, Priority
from domain.shared.money import Money
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from adapters.evm.node import EvmNode
    from adapters.evm.wire import BlockHeader
    from domain.shared.money import ChainId

BLOCKS = 200
"""How many blocks are looked at; nodes tell of 1,024 at most (geth)."""

KEPT_SECONDS = 5
"""How long an answer is given again, whoever asks."""

PERCENTILES: Final = (10, 20, 35, 50, 65, 80, 90, 97)
"""Whose tips are offers; those of `TIP_PERCENTILES` are among them."""

_LOWEST = 0
"""The place of what the cheapest transactions of a block have paid."""
_FULL = 0.9
"""A block with less gas than this share of its limit takes whatever pays the base fee."""
_PROBABLY = Fraction(95, 100)
_TRANSFER_DATA_BYTES = 68
"""Of ``transfer(address,uint256)``."""


@attrs.frozen
class _Recent:
    """What was seen of the last blocks."""

    number: int
    block_seconds: Fraction
    history: FeeHistory

    @property
    def base_fee(self) -> int:
        """The next block's, in wei; 0 where there is none."""
        base_fees = self.history.base_fee_per_gas
        return number(base_fees[-1]) if base_fees else 0

    def congestion(self) -> int | None:
        """See `NetworkFees.congestion_percent`."""
        if self.base_fee:
            *before, following = map(number, self.history.base_fee_per_gas or ())
            return 100 * sum(fee < following for fee in before) // max(len(before), 1)
        fullness = (self.history.gas_used_ratio or ())[-HISTORY_BLOCKS:]
        return round(100 * sum(fullness) / len(fullness)) if fullness else None

    def tip(self, percentile: int) -> int:
        """Return the median over the last blocks of a tip in each; empty blocks do not count."""
        place = PERCENTILES.index(percentile)
        rewards = (self.history.reward or ())[-HISTORY_BLOCKS:]
        paid = sorted(tip for block in rewards if (tip := number(block[place])))
        return paid[len(paid) // 2] if paid else 0

    def wait_blocks(self, tip: int) -> int:
        """Return within how many blocks 95 of 100 transactions with a tip were included.

        A block would have taken it that was not full, or has taken cheaper ones. Blocks are
        thought of as independent of each other.
        """
        fullness = self.history.gas_used_ratio or ()
        rewards = self.history.reward or ((),) * len(fullness)
        blocks = list(zip(fullness, rewards, strict=False))
        took = sum(
            ratio < _FULL or (bool(paid) and number(paid[_LOWEST]) <= tip)
            for ratio, paid in blocks
        )
        missed = 1 - Fraction(took, len(blocks)) if blocks else Fraction(0)
        for count in range(1, BLOCKS):
            if 1 - missed**count >= _PROBABLY:
                return count
        return BLOCKS


class EvmFeeMarket:
    """Reads fee histories through one node; implements `ports.network_fees.FeeMarket`."""

    def __init__(self, node: EvmNode, *, clock: Callable[[], float] = time.monotonic) -> None:
        self.chain: ChainId = node.chain.chain
        self._node: Final = node
        self._clock: Final = clock
        self._kept: tuple[float, _Recent] | None = None

    async def fees(self, *, within_seconds: int | None = None) -> NetworkFees:
        """Return what to offer, by the last 200 blocks.

        Raises:
            ChainUnavailable: no node answered.
        """
        recent = await self._recent()
        prices = await self._prices(recent)
        data = await self._data_fees()
        offers = [
            self._offer(priority, tip, recent, price=price, data=data)
            for priority, (price, tip) in prices.items()
        ]
        if within_seconds is not None:
            offers.append(self._target(recent, prices, data, within_seconds))
        return NetworkFees(
            chain=self.chain,
            block=recent.number,
            congestion_percent=recent.congestion(),
            offers=tuple(offers),
        )

    async def _recent(self) -> _Recent:
        now = self._clock()
        if self._kept is not None and now < self._kept[0] + KEPT_SECONDS:
            return self._kept[1]
        latest = await self._header("latest")
        last = number(latest.number)
        first = await self._header(hex(max(last - BLOCKS + 1, 0)))
        apart = number(latest.timestamp) - number(first.timestamp)
        between = max(last - number(first.number), 1)
        history = await self._history(last)
        recent = _Recent(last, Fraction(apart, between), history)
        self._kept = (now, recent)
        return recent

    async def _header(self, tag: str) -> BlockHeader:
        call = Call("eth_getBlockByNumber", [tag, False])
        header = await self._node.call(call, answer=HEADER)
        if header is None:
            raise ChainUnavailable(f"block {tag} is missing")
        return header

    async def _history(self, last: int) -> FeeHistory:
        count = min(BLOCKS, last + 1)
        call = Call("eth_feeHistory", [hex(count), hex(last), PERCENTILES])
        try:
            return await self._node.call(call, answer=FEES)
        except RpcRefused as refusal:
            if not lacks_method(refusal):
                raise
            return FeeHistory()

    async def _prices(self, recent: _Recent) -> dict[str, tuple[int, int]]:
        """Return what gas is expected to cost by priority, and the tip in that; in wei."""
        chain, limits = self._node.chain, self._node.chain.fees
        if chain.gas_model == "legacy" or not (recent.base_fee or chain.gas_model):
            asked = await gas_price(self._node)
            prices = {each: asked * PRICE_PERCENT[each] // 100 for each in Priority}
            return {each: (price, price) for each, price in prices.items()}
        tips = {
            each: min(
                max(recent.tip(TIP_PERCENTILES[each]), limits.min_tip_wei), limits.max_tip_wei
            )
            for each in Priority
        }
        return {each: (recent.base_fee + tip, tip) for each, tip in tips.items()}

    def _target(
        self,
        recent: _Recent,
        prices: Mapping[str, tuple[int, int]],
        data: Mapping[Kind, int],
        within_seconds: int,
    ) -> Offer:
        """Return the least with which a time is probably kept, or the most that is known of."""
        bids: Sequence[tuple[int, int]] = sorted(prices.values())
        if recent.base_fee:
            limits = self._node.chain.fees
            tips = {
                min(max(recent.tip(each), limits.min_tip_wei), limits.max_tip_wei)
                for each in PERCENTILES
            }
            bids = [(recent.base_fee + tip, tip) for tip in sorted(tips)]
        for price, tip in bids:
            offer = self._offer("target", tip, recent, price=price, data=data)
            if offer.wait_seconds <= within_seconds:
                break
        return offer

    def _offer(
        self, name: str, tip: int, recent: _Recent, *, price: int, data: Mapping[Kind, int]
    ) -> Offer:
        chain = self._node.chain
        gas = {Kind.TRANSFER: chain.transfer_gas, Kind.PAYOUT: chain.token_transfer_gas}
        costs = {kind: Money(gas[kind] * price + data[kind], chain.native) for kind in gas}
        costs[Kind.SWEEP] = costs[Kind.TRANSFER] + costs[Kind.PAYOUT]
        wait = recent.wait_blocks(tip) * recent.block_seconds
        return Offer(name=str(name), wait_seconds=max(-(-wait // 1), 1), costs=costs)

    async def _data_fees(self) -> dict[Kind, int]:
        """Return what a rollup takes beside gas; 0 elsewhere. In wei."""
        lengths = {Kind.TRANSFER: 0, Kind.PAYOUT: _TRANSFER_DATA_BYTES}
        return {
            kind: await data_fee(self._node, self._like(size)) for kind, size in lengths.items()
        }

    def _like(self, data_bytes: int) -> UnsignedTransaction:
        """Return a transaction that is as long as ours are; bytes that repeat cost less."""
        noise = bytes((7 * place + 11) % 256 for place in range(data_bytes))
        return UnsignedTransaction(
            chain_id=self._node.chain.chain_id,
            nonce=2**20,
            target="0x" + "5a" * 20,
            value=10**18,
            data=noise,
            gas_limit=self._node.chain.token_transfer_gas,
            max_fee_per_gas=10**10,
            tip_per_gas=10**9,
        )
