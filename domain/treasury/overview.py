"""What there is of each asset and where, and how long gas tanks last, by the books."""

from __future__ import annotations

import attrs

from domain.shared.money import AssetId, ChainId
from domain.treasury.model import Alarm, ColdTransfer, Unswept
from domain.treasury.policy import Position, Tank


@attrs.frozen(kw_only=True)
class Holdings:
    """What there is of one asset; smallest units."""

    asset: AssetId
    hot: int
    """What the hot wallet holds, whatever it is promised to."""
    position: Position
    unswept: Unswept
    bring: int
    """How much a person should bring from the cold wallet to have it filled to its target."""
    moving: ColdTransfer | None
    alarm: Alarm | None


@attrs.frozen(kw_only=True)
class GasTank:
    """A chain's gas tank, and how long it lasts."""

    chain: ChainId
    coin: AssetId
    tank: Tank
    alarm: Alarm | None
