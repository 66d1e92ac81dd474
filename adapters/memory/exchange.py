"""An exchange of pools in memory, with the ways in which a real one refuses."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING, Final

import attrs

from domain.chains.model import Block
from domain.conversions.pools import Pool, PoolTooSmall
from domain.conversions.quotes import Reading, quote_input, quote_output
from domain.conversions.swaps import (
    Cause,
    Purpose,
    Swap,
    SwapCall,
    SwapFailed,
    SwapFailure,
    SwapOutcome,
    Swapped,
)
from domain.fees.model import BPS
from domain.shared.money import Money, chain_of
from ports.exchange import ExchangeUnavailable, InsufficientLiquidity, NoRoute, SwapRefused

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.conversions.pools import Path
    from domain.conversions.quotes import Quote
    from domain.shared.money import AssetId, ChainId
    from ports.clock import Clock

CONTRACT: Final = "0x" + "e" * 40
"""Where its swaps are sent."""


@attrs.frozen
class _Included:
    """A transaction in a block: whose swap it was, and what came of it."""

    swap: Swap
    outcome: SwapOutcome


class InMemoryExchange:
    """Pools, what everybody holds, and blocks of one transaction each.

    ``exchange.open_pool(Money(10**9, ONE), Money(10**9, TWO))``, ``exchange.give(OWNER, money)``.
    """

    name = "memory"

    def __init__(self, *, coin: AssetId, clock: Clock, fee: int = 10**6) -> None:
        chain = chain_of(coin)
        if chain is None:
            raise ValueError(f"{coin} is of no chain")
        self.chain: ChainId = chain
        self._coin: Final = coin
        self._clock: Final = clock
        self._fee = fee
        self._fee_limit = 100 * fee
        self._pools: Final[dict[frozenset[AssetId], Pool]] = {}
        self._held: Final[defaultdict[tuple[str, AssetId], int]] = defaultdict(int)
        self._allowed: Final[defaultdict[tuple[str, AssetId], int]] = defaultdict(int)
        self._kept_bps: Final[dict[AssetId, int]] = {}
        self._written: Final[dict[bytes, Swap]] = {}
        self._included: Final[dict[str, _Included]] = {}
        self._blocks = [self._block(0)]
        self._faults = 0
        self._starving = False

    async def quote(self, money_in: Money, *, paths: Sequence[Path]) -> Quote:
        """Return what an exact amount would turn into now, on the path that gives most."""
        quote = quote_input(
            self._read(paths), money_in,
            exchange=self.name, block=self._blocks[-1], at=self._clock.now(),
        )  # fmt: skip
        if quote is None:
            raise InsufficientLiquidity(money_in)
        return quote

    async def quote_for(self, money_out: Money, *, paths: Sequence[Path]) -> Quote:
        """Return how much would turn into at least an amount, on the path that takes least."""
        quote = quote_output(
            self._read(paths), money_out,
            exchange=self.name, block=self._blocks[-1], at=self._clock.now(),
        )  # fmt: skip
        if quote is None:
            raise InsufficientLiquidity(money_out)
        return quote

    async def calls(self, swap: Swap) -> Sequence[SwapCall]:
        """Return the approvals that are missing, and the swap."""
        self._answer()
        allowed = self._allowed[swap.sender, swap.path.source]
        purposes = [Purpose.SWAP]
        if swap.path.source != self._coin and allowed != swap.money_in.amount:
            purposes.insert(0, Purpose.APPROVE)
            if allowed:
                purposes.insert(0, Purpose.RESET)
        return [self._call(swap, purpose) for purpose in purposes]

    async def rehearse(self, swap: Swap) -> Money:
        """Try the swap itself out, and return the network's fee."""
        self._answer()
        result = self._result(swap)
        if isinstance(result, SwapFailure):
            raise SwapRefused(result)
        if self._fee > self._fee_limit:
            raise SwapRefused(SwapFailure(Cause.GAS_PRICE, f"{self._fee} over {self._fee_limit}"))
        value = swap.money_in.amount if swap.path.source == self._coin else 0
        if self._held[swap.sender, self._coin] < value + self._fee:
            raise SwapRefused(SwapFailure(Cause.GAS, "too little coin for the fee"))
        return Money(self._fee, self._coin)

    async def outcome(self, swap: Swap, *, transaction: str) -> SwapOutcome | None:
        """Return what came of the swap's transaction, or None while it is in no block."""
        self._answer()
        included = self._included.get(transaction)
        if included is None:
            return None
        if included.swap != swap:
            raise ExchangeUnavailable(f"{transaction} is not this swap")
        return included.outcome

    def open_pool(self, first: Money, second: Money, *, fee_bps: int = 30) -> None:
        """Make a pool of two assets, or another one in its place."""
        name = "0x" + _hash(f"{sorted((first.asset, second.asset))}")[-40:]
        pool = Pool(id=name, reserve_in=first, reserve_out=second, fee_bps=fee_bps)
        self._pools[frozenset((first.asset, second.asset))] = pool

    def give(self, holder: str, money: Money) -> None:
        """Have somebody hold more."""
        self._held[holder, money.asset] += money.amount

    def held(self, holder: str, asset: AssetId) -> Money:
        """Return what somebody holds."""
        return Money(self._held[holder, asset], asset)

    def include(self, call: SwapCall) -> str:
        """Carry a transaction out in a block of its own; return its name."""
        block = self._block(len(self._blocks))
        self._blocks.append(block)
        transaction = _hash(f"transaction {block.number}")
        swap = self._written[call.data]
        if call.purpose != Purpose.SWAP:
            wanted = swap.money_in.amount if call.purpose == Purpose.APPROVE else 0
            self._allowed[swap.sender, swap.path.source] = wanted
            return transaction
        outcome = self._carry_out(swap, transaction, block)
        self._included[transaction] = _Included(swap, outcome)
        return transaction

    def trade(self, money: Money, *, path: Path) -> Money:
        """Have somebody swap at any price; return what he gets."""
        for step in path.steps:
            pool = self._pool(step)
            given = pool.output_of(money)
            self._pools[frozenset(step)] = pool.after(money)
            money = given
        return money

    def keep(self, asset: AssetId, *, bps: int) -> None:
        """Have a token keep a part of each of its transfers."""
        self._kept_bps[asset] = bps

    def ask_fee(self, amount: int) -> None:
        """Have a swap cost so much of the native coin, smallest unit."""
        self._fee = amount

    def starve_next(self) -> None:
        """Have the next swap that is included run out of gas."""
        self._starving = True

    def fail_next(self, calls: int = 1) -> None:
        """Give no answer to the next calls."""
        self._faults += calls

    def _answer(self) -> None:
        if self._faults:
            self._faults -= 1
            raise ExchangeUnavailable("no answer")

    def _read(self, paths: Sequence[Path]) -> list[Reading]:
        self._answer()
        readings = [
            Reading(path=path, pools=tuple(self._pool(step) for step in path.steps))
            for path in paths
            if all(frozenset(step) in self._pools for step in path.steps)
        ]
        if not readings:
            raise NoRoute(paths)
        return readings

    def _pool(self, step: tuple[AssetId, AssetId]) -> Pool:
        pool = self._pools[frozenset(step)]
        return pool if pool.reserve_in.asset == step[0] else pool.reversed()

    def _result(self, swap: Swap) -> Money | SwapFailure:
        """Return what the last pool would send out now, or why none would; the router's order."""
        if self._clock.now() > swap.deadline:
            return SwapFailure(Cause.DEADLINE, "expired")
        if any(frozenset(step) not in self._pools for step in swap.path.steps):
            return SwapFailure(Cause.NO_ROUTE, "there is no pool")
        money = swap.money_in
        try:
            for step in swap.path.steps:
                money = self._pool(step).output_of(money)
        except PoolTooSmall as error:
            return SwapFailure(Cause.LIQUIDITY, str(error))
        if money < swap.minimum_out:
            return SwapFailure(Cause.SLIPPAGE, f"{money.amount} is too little")
        return self._payment_failure(swap) or money

    def _payment_failure(self, swap: Swap) -> SwapFailure | None:
        key = (swap.sender, swap.path.source)
        allowed = swap.path.source == self._coin or self._allowed[key] >= swap.money_in.amount
        if not allowed or self._held[key] < swap.money_in.amount:
            return SwapFailure(Cause.FUNDS, "it cannot be taken")
        if self._kept_bps.get(swap.path.source):
            return SwapFailure(Cause.TRANSFER_FEE, "the pool got less than promised")
        return None

    def _carry_out(self, swap: Swap, transaction: str, block: Block) -> SwapOutcome:
        result = self._result(swap)
        if self._starving:
            result = SwapFailure(Cause.GAS, "out of gas")
            self._starving = False
        self._held[swap.sender, self._coin] -= self._fee
        if isinstance(result, SwapFailure):
            return SwapFailed(
                transaction=transaction, failure=result,
                block_number=block.number, block_hash=block.hash,
            )  # fmt: skip
        self.trade(swap.money_in, path=swap.path)
        self._held[swap.sender, swap.path.source] -= swap.money_in.amount
        if swap.path.source != self._coin:
            self._allowed[swap.sender, swap.path.source] -= swap.money_in.amount
        kept = result.amount * self._kept_bps.get(result.asset, 0) // BPS
        received = Money(result.amount - kept, result.asset)
        self.give(swap.recipient, received)
        return Swapped(
            transaction=transaction, spent=swap.money_in, given=result, received=received,
            block_number=block.number, block_hash=block.hash,
        )  # fmt: skip

    def _call(self, swap: Swap, purpose: Purpose) -> SwapCall:
        data = bytes.fromhex(_hash(f"{purpose} {swap}")[2:])
        self._written[data] = swap
        value = swap.money_in.amount if swap.path.source == self._coin else 0
        return SwapCall(
            purpose=purpose, sender=swap.sender, target=CONTRACT, data=data, value=value
        )

    def _block(self, number: int) -> Block:
        parent = _hash(f"block {number - 1}")
        return Block(number, _hash(f"block {number}"), parent, self._clock.now())


def _hash(text: str) -> str:
    return "0x" + hashlib.sha256(text.encode()).hexdigest()
