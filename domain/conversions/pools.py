"""Pools of two assets whose product never falls, and the paths that lead through them.

All arithmetic is on whole numbers and rounds in the pool's favour, as the contracts' own does:
``UniswapV2Library.getAmountOut`` and ``getAmountIn`` (Uniswap v2-periphery), and the Uniswap v2
Core whitepaper, section 3.2.1. The fee is data: a fee of 30 basis points is Uniswap's 997/1000.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import attrs
from attrs.validators import ge, lt

from domain.fees.model import BPS
from domain.shared.money import AMOUNT_MAX, AssetId, AssetMismatch, Money

if TYPE_CHECKING:
    from collections.abc import Sequence


@attrs.frozen
class NotAPath(ValueError):
    """A path has at least two assets, and none of them twice."""

    assets: tuple[AssetId, ...]


@attrs.frozen
class PoolTooSmall(Exception):
    """The pool does not have what is asked of it, or would give nothing at all."""

    pool: str
    asked: Money


@attrs.frozen
class Path:
    """The assets that money turns into, one after the other."""

    assets: tuple[AssetId, ...]

    def __attrs_post_init__(self) -> None:
        if len(set(self.assets)) != len(self.assets) or len(self.assets) < len(("in", "out")):
            raise NotAPath(self.assets)

    @property
    def source(self) -> AssetId:
        """What goes in."""
        return self.assets[0]

    @property
    def target(self) -> AssetId:
        """What comes out."""
        return self.assets[-1]

    @property
    def steps(self) -> tuple[tuple[AssetId, AssetId], ...]:
        """Each pair of assets that a pool is needed for."""
        return tuple(pairwise(self.assets))


def paths_between(
    source: AssetId, target: AssetId, *, hubs: Sequence[AssetId] = ()
) -> tuple[Path, ...]:
    """Return the direct path and those over one hub each."""
    over = (Path((source, hub, target)) for hub in hubs if hub not in {source, target})
    return (Path((source, target)), *over)


@attrs.frozen(kw_only=True)
class Pool:
    """A pool as it stood at one block, seen in the direction of a swap."""

    id: str
    """Its contract's address."""
    reserve_in: Money
    reserve_out: Money
    fee_bps: int = attrs.field(validator=[ge(0), lt(BPS)])
    """Taken of what comes in, in basis points; it stays in the pool."""
    capacity: int = AMOUNT_MAX
    """The most that it can hold of either asset, smallest units."""

    def output_of(self, money: Money) -> Money:
        """Return what it gives for an amount, a fraction of the smallest unit withheld.

        Raises:
            PoolTooSmall: it is empty, would give nothing, or cannot hold so much.
        """
        self._must_match(money, self.reserve_in)
        held, offered = self.reserve_in.amount, self.reserve_out.amount
        if money.amount <= 0 or held <= 0 or held + money.amount > self.capacity:
            raise PoolTooSmall(self.id, money)
        after_fee = money.amount * (BPS - self.fee_bps)
        amount = after_fee * offered // (held * BPS + after_fee)
        if amount <= 0:
            raise PoolTooSmall(self.id, money)
        return Money(amount, self.reserve_out.asset)

    def input_for(self, money: Money) -> Money:
        """Return what it takes for an amount, one more than the fraction rounded down.

        Raises:
            PoolTooSmall: it does not have more than that, or cannot hold what it would take.
        """
        self._must_match(money, self.reserve_out)
        held, offered = self.reserve_in.amount, self.reserve_out.amount
        if money.amount <= 0 or held <= 0 or money.amount >= offered:
            raise PoolTooSmall(self.id, money)
        left = offered - money.amount
        amount = held * money.amount * BPS // (left * (BPS - self.fee_bps)) + 1
        if held + amount > self.capacity:
            raise PoolTooSmall(self.id, money)
        return Money(amount, self.reserve_in.asset)

    def after(self, money: Money) -> Pool:
        """Return the pool once an amount has been swapped.

        Raises:
            PoolTooSmall: as for `output_of`.
        """
        given = self.output_of(money)
        return attrs.evolve(
            self, reserve_in=self.reserve_in + money, reserve_out=self.reserve_out - given
        )

    def reversed(self) -> Pool:
        """Return the same pool, seen in the other direction."""
        return attrs.evolve(self, reserve_in=self.reserve_out, reserve_out=self.reserve_in)

    def _must_match(self, money: Money, reserve: Money) -> None:
        if money.asset != reserve.asset:
            raise AssetMismatch(expected=reserve.asset, got=money.asset)


def output_through(pools: Sequence[Pool], money: Money) -> Money:
    """Return what comes out of pools in a row.

    Raises:
        PoolTooSmall: one of them cannot do its part.
    """
    for pool in pools:
        money = pool.output_of(money)
    return money


def input_through(pools: Sequence[Pool], money: Money) -> Money:
    """Return what must go into pools in a row so that at least an amount comes out.

    Raises:
        PoolTooSmall: one of them cannot do its part.
    """
    for pool in reversed(pools):
        money = pool.input_for(money)
    return money


def price_impact_bps(pools: Sequence[Pool], *, money_in: Money, money_out: Money) -> int:
    """Return how much worse than at the pools' own prices a swap is, their fees taken out.

    In basis points, rounded up: an amount too small to move a price still has the impact of what
    is withheld of its last unit.
    """
    ideal, scale = money_in.amount, 1
    for pool in pools:
        ideal *= (BPS - pool.fee_bps) * pool.reserve_out.amount
        scale *= BPS * pool.reserve_in.amount
    return -(BPS * (money_out.amount * scale - ideal) // ideal)
