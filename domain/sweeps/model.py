"""Sweeps: money at a deposit address, on its way to the hot wallet that pays out."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

import attrs

from domain.shared.ids import SubmissionId, SweepId
from domain.shared.money import ChainId, Money

RETRY_AFTER = timedelta(minutes=10)
"""An address whose sweep was refused is left alone for so long: trying costs the network's fee."""

OPEN_MAX = 16
"""How many sweeps are open on one chain: each has one transaction queued or in flight."""

BATCHES_MAX = 4
"""The same of batches, whose transactions are the hot wallet's: payouts need room beside them."""


class SweepState(enum.StrEnum):
    """Where a sweep stands."""

    FUNDING = "funding"
    """Native coin for the fee is on its way to the address."""
    MOVING = "moving"
    """The address's own transaction is queued, or under way."""
    DONE = "done"
    REFUSED = "refused"
    """There is proof that the money has not moved by it; another sweep may follow."""


OPEN = frozenset({SweepState.FUNDING, SweepState.MOVING})
"""The states that do not last: a transaction of ours decides what comes next."""

_NEXT = {
    SweepState.FUNDING: {SweepState.MOVING, SweepState.REFUSED},
    SweepState.MOVING: {SweepState.DONE, SweepState.REFUSED},
    SweepState.DONE: set(),
    SweepState.REFUSED: set(),
}


@attrs.frozen
class SweepTransitionRefused(Exception):
    """The sweep is not in a state from which it can go where it was told to."""

    id: SweepId
    state: SweepState
    wanted: SweepState


@attrs.frozen
class Holding:
    """What the books say a deposit address holds of one asset: final money alone."""

    chain: ChainId
    address: str
    index: int
    """The address's place under the extended public key."""
    money: Money


@attrs.frozen
class Sweep:
    """One try to bring an address's tokens to the hot wallet.

    An address has one open sweep at most, whatever the asset: its transactions have one sequence,
    and the coin that one sweep has fetched for its fee is not another's to spend.
    """

    id: SweepId
    chain: ChainId
    address: str
    index: int
    money: Money
    """What was found at the address; from ``moving`` on, what its transaction moves.

    A batch moves all that is there by then, which may be more.
    """
    created_at: datetime
    changed_at: datetime
    state: SweepState
    submission_id: SubmissionId | None
    """The transaction under way: the one that funds, then the one that moves, or a batch's.

    None where the chain has refused the move in a trial run, before anything was queued.
    """
    reason: str | None = None
    """Why it was refused, where it was."""

    @property
    def is_open(self) -> bool:
        """Tell whether something is still to come of it."""
        return self.state in OPEN

    def move(self, money: Money, *, submission_id: SubmissionId, at: datetime) -> Sweep:
        """Have the address, which has what its fee will cost, send what it holds by now."""
        moving = self._become(SweepState.MOVING, at=at)
        return attrs.evolve(moving, money=money, submission_id=submission_id)

    def try_again(self, *, submission_id: SubmissionId, at: datetime) -> Sweep:
        """Go on by another transaction: there is proof that the last one will never take effect.

        Raises:
            SweepTransitionRefused: it is at its end.
        """
        if not self.is_open:
            raise SweepTransitionRefused(self.id, self.state, self.state)
        return attrs.evolve(self, submission_id=submission_id, changed_at=at)

    def finish(self, *, at: datetime) -> Sweep:
        """End with the money in the hot wallet, for good."""
        return self._become(SweepState.DONE, at=at)

    def refuse(self, *, reason: str, at: datetime) -> Sweep:
        """End with the money where it was: no transaction of this sweep can still move it."""
        return attrs.evolve(self._become(SweepState.REFUSED, at=at), reason=reason)

    def _become(self, state: SweepState, *, at: datetime) -> Sweep:
        """Move to another state.

        Raises:
            SweepTransitionRefused: there is no way there from here.
        """
        if state not in _NEXT[self.state]:
            raise SweepTransitionRefused(self.id, self.state, state)
        return attrs.evolve(self, state=state, changed_at=at)
