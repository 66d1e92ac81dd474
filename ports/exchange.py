"""An exchange: quotes of it, the transactions of a swap, and what came of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.conversions.pools import Path
    from domain.conversions.quotes import Quote
    from domain.conversions.swaps import Swap, SwapCall, SwapFailure, SwapOutcome
    from domain.shared.money import ChainId, Money


class ExchangeUnavailable(Exception):
    """No node answered, or none gave a usable answer. Nothing is known; ask again."""


class NoRoute(Exception):
    """The exchange has no pool for some step of each path."""

    def __init__(self, paths: Sequence[Path]) -> None:
        super().__init__(paths)
        self.paths = tuple(paths)


class InsufficientLiquidity(Exception):
    """There are pools, and none of the paths can exchange the amount."""

    def __init__(self, money: Money) -> None:
        super().__init__(money)
        self.money = money


class SwapRefused(Exception):
    """A trial run of the swap failed: as things stand it would come to nothing."""

    def __init__(self, failure: SwapFailure) -> None:
        super().__init__(failure)
        self.failure = failure


class Exchange(Protocol):
    """One exchange on one chain. It sends nothing itself: the write-ahead sender does."""

    name: str
    """Under which it is shown in quotes."""
    chain: ChainId

    async def quote(self, money_in: Money, *, paths: Sequence[Path]) -> Quote:
        """Return what an exact amount would turn into now, on the path that gives most.

        Raises:
            NoRoute: there are no pools.
            InsufficientLiquidity: the pools are too small.
            ExchangeUnavailable: no node answered.
        """
        ...

    async def quote_for(self, money_out: Money, *, paths: Sequence[Path]) -> Quote:
        """Return how much would turn into at least an amount, on the path that takes least.

        Raises:
            NoRoute: there are no pools.
            InsufficientLiquidity: the pools are too small.
            ExchangeUnavailable: no node answered.
        """
        ...

    async def calls(self, swap: Swap) -> Sequence[SwapCall]:
        """Return the transactions that are still missing; the last of them is the swap itself.

        Each is sent once the one before it has succeeded. What the exchange may take is the exact
        amount of one swap, so a sender has one open swap of an asset at a time.

        Raises:
            SwapRefused: the exchange cannot express it.
            ExchangeUnavailable: no node answered.
        """
        ...

    async def rehearse(self, swap: Swap) -> Money:
        """Try the swap itself out, once it is the only call left; return the network's fee.

        Raises:
            SwapRefused: it would fail, its sender could not pay the fee, or the fee is over the
                deployment's limit.
            ExchangeUnavailable: no node answered.
        """
        ...

    async def outcome(self, swap: Swap, *, transaction: str) -> SwapOutcome | None:
        """Return what came of the swap's transaction, or None while it is in no block.

        It stands as long as the block does: whoever books it waits until that is final.

        Raises:
            ExchangeUnavailable: no node answered, or what it shows is not this swap.
        """
        ...
