"""What a transaction does, as a signer reads it from the bytes, and what it may do at most."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import UTC
from typing import TYPE_CHECKING, Final

import attrs

from domain.shared.money import AssetId, ChainId, Money

if TYPE_CHECKING:
    from datetime import datetime

FEES: Final = "fees:"
"""Before a coin's name, where what is spent in a day is told: the fees paid in it."""


class Act(enum.StrEnum):
    """What can be done with money by signing."""

    PAYOUT = "payout"
    """The hot wallet's, to anybody: a merchant, a payer who gets back, a deposit address."""
    GAS = "gas"
    """Never read from bytes. Who may do this may pay out a little native coin to anybody."""
    RELEASE = "release"
    REFUND = "refund"
    SWEEP = "sweep"
    """A deposit address's, to the hot wallet."""
    DELEGATE = "delegate"
    """A deposit address's word that the collector's code is its own: it moves money to the hot
    wallet and does nothing else."""
    COLLECT = "collect"
    """The hot wallet's: have the collector move what deposit addresses hold, to the hot wallet."""


@attrs.frozen
class Movement:
    """Money on its way to somebody."""

    act: Act
    money: Money
    target: str | None
    """Whom to, in the chain's own writing; None where the chain decides it."""


@attrs.frozen(kw_only=True)
class Reading:
    """A transaction, read: all that it moves, and nothing that was not understood."""

    chain: ChainId
    movements: tuple[Movement, ...]
    fee: Money
    """The most that the network can take for it, and that goes along to pay others for carrying
    it out, in the native coin."""
    slot: str | None
    """Of all transactions with one slot only one can ever take effect; None for one that stands
    alone."""
    acts: frozenset[Act] = frozenset()
    """What it does besides, that moves no money of its signer's."""

    @property
    def totals(self) -> Mapping[str, int]:
        """What it spends, by asset, and its fee under `FEES`."""
        totals: dict[str, int] = {FEES + self.fee.asset: self.fee.amount}
        for movement in self.movements:
            asset = movement.money.asset
            totals[asset] = totals.get(asset, 0) + movement.money.amount
        return totals


@attrs.frozen(kw_only=True)
class Limit:
    """How much of an asset may be moved, in its smallest unit; None for any amount."""

    asset: AssetId
    per_transaction: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.ge(0))
    )
    per_day: int | None = attrs.field(
        default=None, validator=attrs.validators.optional(attrs.validators.ge(0))
    )
    """From midnight to midnight, UTC."""


@attrs.frozen(kw_only=True)
class Policy:
    """What a key may sign on a chain. What it does not name is refused."""

    chain: ChainId
    acts: frozenset[Act]
    limits: Mapping[AssetId, Limit]
    """The assets that may be moved."""
    fee_max: int
    """The most one transaction may cost, in the native coin's smallest unit."""
    fees_per_day: int | None = None
    gas_max: int = 0
    """How much native coin `Act.GAS` lets go to anybody at a time."""
    destinations: frozenset[str] | None = None
    """Who may be paid; None for anybody."""

    def objection(self, reading: Reading) -> str | None:
        """Tell what is wrong with a transaction, taken by itself; None if nothing is."""
        if reading.chain != self.chain:
            return f"is for {reading.chain}, not {self.chain}"
        if reading.fee.amount > self.fee_max:
            return f"may cost {reading.fee.amount}, over the limit of {self.fee_max}"
        for act in sorted(reading.acts - self.acts):
            return f"is a {act}, which this key does not sign"
        for movement in reading.movements:
            if why := self._against(movement, reading):
                return why
        for asset, limit in self.limits.items():
            amount, most = reading.totals.get(asset, 0), limit.per_transaction
            if most is not None and amount > most:
                return f"moves {amount} of {asset}, over the limit of {most}"
        return None

    def objection_today(self, spent: Mapping[str, int]) -> str | None:
        """Tell which limit of a day is exceeded; None if none is.

        Args:
            spent: What the day comes to with the transaction, by asset, fees under `FEES`.
        """
        for asset, limit in self.limits.items():
            amount, most = spent.get(asset, 0), limit.per_day
            if most is not None and amount > most:
                return f"makes it {amount} of {asset} today, over the limit of {most}"
        fees = sum(amount for name, amount in spent.items() if name.startswith(FEES))
        if self.fees_per_day is not None and fees > self.fees_per_day:
            return f"may make it {fees} of fees today, over the limit of {self.fees_per_day}"
        return None

    def _against(self, movement: Movement, reading: Reading) -> str | None:
        asset = movement.money.asset
        if asset not in self.limits:
            return f"moves {asset}, which has no limit here"
        if movement.money.amount < 0:
            return "moves less than nothing"
        if self._is_gas(movement, reading):
            return None
        if movement.act not in self.acts:
            return f"is a {movement.act}, which this key does not sign"
        target = movement.target
        if self.destinations is not None and target is not None:
            return (
                None if target in self.destinations else f"pays {target}, who is not on the list"
            )
        return None

    def _is_gas(self, movement: Movement, reading: Reading) -> bool:
        """Tell whether it is a little native coin, and so little that anybody may get it."""
        return (
            Act.GAS in self.acts
            and movement.act is Act.PAYOUT
            and movement.money.asset == reading.fee.asset
            and movement.money.amount <= self.gas_max
        )


def day_of(at: datetime) -> str:
    """Return the day, UTC, in which a limit counts what is signed at a time."""
    return at.astimezone(UTC).date().isoformat()
