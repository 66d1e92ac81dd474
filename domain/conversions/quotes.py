"""Quotes of an exchange: what it would give at one block, kept with all it was computed from."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import attrs

from domain.chains.model import Block
from domain.conversions.pools import (
    Path,
    Pool,
    PoolTooSmall,
    input_through,
    output_through,
    price_impact_bps,
)
from domain.fees.model import BPS
from domain.shared.money import Money

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import timedelta


@attrs.frozen(kw_only=True)
class Quote:
    """What an exact amount would turn into; recomputable from itself."""

    exchange: str
    """Under which name the exchange is shown."""
    money_in: Money
    money_out: Money
    path: Path
    pools: tuple[Pool, ...]
    """One a step of the path, as all of them stood at the block."""
    price_impact_bps: int
    """How much worse than at the pools' own prices, their fees taken out; rounded up."""
    block: Block
    taken_at: datetime

    def is_fresh(self, *, at: datetime, age_max: timedelta) -> bool:
        """Tell whether it is recent, and was so when taken: a node may have fallen behind."""
        return at - min(self.taken_at, self.block.time) <= age_max

    def minimum_out(self, *, slippage_bps: int) -> Money:
        """Return the least to accept when so much may be lost, rounded up in our favour.

        Raises:
            ValueError: it is no part of a whole.
        """
        if not 0 <= slippage_bps < BPS:
            raise ValueError(f"{slippage_bps} basis points are no slippage limit")
        kept = self.money_out.amount * (BPS - slippage_bps)
        return Money(-(-kept // BPS), self.money_out.asset)


@attrs.frozen(kw_only=True)
class Reading:
    """A path's pools as an exchange has read them."""

    path: Path
    pools: tuple[Pool, ...]


def quote_input(
    readings: Iterable[Reading], money: Money, *, exchange: str, block: Block, at: datetime
) -> Quote | None:
    """Return the quote of the path that gives most for an amount; None where none can take it."""
    quotes = []
    for reading in readings:
        try:
            given = output_through(reading.pools, money)
        except PoolTooSmall:
            continue
        quotes.append(_quote(reading, money, given, exchange=exchange, block=block, at=at))
    return max(quotes, key=lambda quote: (quote.money_out.amount, -len(quote.pools)), default=None)


def quote_output(
    readings: Iterable[Reading], money: Money, *, exchange: str, block: Block, at: datetime
) -> Quote | None:
    """Return the quote of the path that takes least for at least an amount; None where none can.

    A swap is always of an exact input, so what it gives may be a little more than asked.
    """
    quotes = []
    for reading in readings:
        try:
            taken = input_through(reading.pools, money)
            given = output_through(reading.pools, taken)
        except PoolTooSmall:
            continue
        quotes.append(_quote(reading, taken, given, exchange=exchange, block=block, at=at))
    return min(quotes, key=lambda quote: (quote.money_in.amount, len(quote.pools)), default=None)


def _quote(
    reading: Reading, taken: Money, given: Money, *, exchange: str, block: Block, at: datetime
) -> Quote:
    pools: Sequence[Pool] = reading.pools
    return Quote(
        exchange=exchange,
        money_in=taken,
        money_out=given,
        path=reading.path,
        pools=tuple(pools),
        price_impact_bps=price_impact_bps(pools, money_in=taken, money_out=given),
        block=block,
        taken_at=at,
    )
