"""What a chain's network takes for carrying out transactions, and how soon it does for that."""

from __future__ import annotations

import enum
from collections.abc import Mapping

import attrs

from domain.shared.money import ChainId, Money


class Priority(enum.StrEnum):
    """How much a transaction is worth to the one who waits for it."""

    SLOW = "slow"
    """Sweeps: nobody waits for them."""
    NORMAL = "normal"
    """Payouts, and the ends of escrows."""
    FAST = "fast"
    """What must overtake something, as a cancellation does."""


class Kind(enum.StrEnum):
    """What the gateway sends, by what it costs."""

    TRANSFER = "transfer"
    """The native coin to anybody."""
    PAYOUT = "payout"
    """A token to somebody who has never held it."""
    SWEEP = "sweep"
    """A deposit address's tokens to the hot wallet, and the coin that this costs to there."""


@attrs.frozen(kw_only=True)
class Offer:
    """What to offer, how long that may take, and what it comes to."""

    name: str
    """A priority, or ``target`` for the least with which a given time is probably kept."""
    wait_seconds: int
    """Within which 95 of 100 such transactions come into a block, as recent blocks were."""
    costs: Mapping[Kind, Money]
    """Expected, not at most, in the native coin."""


@attrs.frozen(kw_only=True)
class NetworkFees:
    """A chain's fees at the moment."""

    chain: ChainId
    block: int
    """The newest block that this is told of."""
    congestion_percent: int | None
    """0 to 100; None where the node does not tell. With a base fee: of the last blocks, how many
    had a lower one than the next has. Without: how full they were."""
    offers: tuple[Offer, ...]


@attrs.frozen(kw_only=True)
class ValuedFees:
    """A chain's fees, and each amount in the books' currency."""

    fees: NetworkFees
    values: Mapping[Money, Money]
    """By the amounts in ``fees``, rounded up; empty while no rate can be trusted."""
