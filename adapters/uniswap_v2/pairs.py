"""The exchange's pools: where they are, and what is in them at one block."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import attrs

from adapters.uniswap_v2.abi import (
    GET_RESERVES,
    UINT112_MAX,
    address_of,
    numbers_of,
    pair_call,
)
from adapters.uniswap_v2.requests import HEADER, Request
from adapters.uniswap_v2.router import route_of
from domain.conversions.pools import Pool
from domain.conversions.quotes import Reading
from domain.shared.money import Money
from ports.exchange import ExchangeUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.uniswap_v2.requests import Asking
    from adapters.uniswap_v2.settings import UniswapV2Exchange
    from domain.chains.model import Block
    from domain.conversions.pools import Path
    from domain.shared.money import AssetId

_RESERVES_WORDS = 3
"""``getReserves()``: both reserves, and when they last changed."""


@attrs.frozen
class Reserves:
    """What a pair holds, in the order of its tokens' addresses."""

    first: int
    second: int


class Pairs:
    """Finds pairs by the factory, once each: it never gives two tokens another pair."""

    def __init__(self, exchange: UniswapV2Exchange, asking: Asking) -> None:
        self._exchange: Final = exchange
        self._asking: Final = asking
        self._known: Final[dict[tuple[str, str], str]] = {}

    async def read(self, paths: Sequence[Path]) -> tuple[Block, list[Reading]]:
        """Return the newest block and the paths that have pools, all as they are at that block.

        Raises:
            ExchangeUnavailable: no node answered, or it has lost the block meanwhile.
            NotOnThisExchange: a path has an asset of another chain.
        """
        request = Request("eth_getBlockByNumber", ["latest", False])
        header = await self._asking.ask(request, answer=HEADER)
        if header is None:
            raise ExchangeUnavailable("the node has no newest block")
        block = header.block()
        straight = [path for path in paths if route_of(path, exchange=self._exchange)]
        await self._find([step for path in straight for step in path.steps], at=block.hash)
        possible = [path for path in straight if all(self._pair(step) for step in path.steps)]
        reserves = await self._reserves(possible, at=block.hash)
        return block, [
            Reading(path=path, pools=tuple(self._pool(step, reserves) for step in path.steps))
            for path in possible
        ]

    async def along(self, path: Path) -> tuple[str | None, ...]:
        """Return the pairs on a path, None where there is none.

        Raises:
            ExchangeUnavailable: no node answered.
        """
        await self._find(path.steps)
        return tuple(self._pair(step) for step in path.steps)

    async def _find(
        self, steps: Sequence[tuple[AssetId, AssetId]], *, at: str | None = None
    ) -> None:
        wanted = [key for key in dict.fromkeys(map(self._key, steps)) if key not in self._known]
        if not wanted:
            return
        calls = [(self._exchange.factory, pair_call(*key)) for key in wanted]
        for key, output in zip(wanted, await self._asking.read(calls, at=at), strict=True):
            words = numbers_of(output)
            if len(words) != 1:
                raise ExchangeUnavailable("the factory does not tell pairs")
            if words[0]:
                self._known[key] = address_of(words[0])

    async def _reserves(self, paths: Sequence[Path], *, at: str) -> dict[str, Reserves]:
        pairs = list(dict.fromkeys(self._known[self._key(s)] for p in paths for s in p.steps))
        outputs = await self._asking.read([(pair, GET_RESERVES) for pair in pairs], at=at)
        reserves = {}
        for pair, output in zip(pairs, outputs, strict=True):
            words = numbers_of(output)
            if len(words) != _RESERVES_WORDS:
                raise ExchangeUnavailable(f"{pair} does not tell its reserves")
            reserves[pair] = Reserves(words[0], words[1])
        return reserves

    def _pool(self, step: tuple[AssetId, AssetId], reserves: dict[str, Reserves]) -> Pool:
        source, target = step
        key = self._key(step)
        held = reserves[self._known[key]]
        forward = self._exchange.token_of(source) == key[0]
        amounts = (held.first, held.second) if forward else (held.second, held.first)
        return Pool(
            id=self._known[key],
            reserve_in=Money(amounts[0], source),
            reserve_out=Money(amounts[1], target),
            fee_bps=self._exchange.fee_bps,
            capacity=UINT112_MAX,
        )

    def _pair(self, step: tuple[AssetId, AssetId]) -> str | None:
        return self._known.get(self._key(step))

    def _key(self, step: tuple[AssetId, AssetId]) -> tuple[str, str]:
        """Return a step's tokens in the order that pairs keep them in (``sortTokens``)."""
        first, second = sorted(self._exchange.token_of(asset) for asset in step)
        return first, second
