"""Attempts: each try to pay an intent over one rail, with an outcome of its own."""

from __future__ import annotations

import enum
from datetime import datetime

import attrs

from domain.shared.ids import AttemptId


class AttemptState(enum.StrEnum):
    """Where an attempt stands. ``unknown`` is neither success nor failure."""

    AWAITING_PAYER = "awaiting_payer"
    SUBMITTED = "submitted"
    UNKNOWN = "unknown"
    SUCCEEDED = "succeeded"
    REFUSED = "refused"


_NEXT = {
    AttemptState.AWAITING_PAYER: {
        AttemptState.SUBMITTED,
        AttemptState.SUCCEEDED,
        AttemptState.REFUSED,
    },
    AttemptState.SUBMITTED: {
        AttemptState.UNKNOWN,
        AttemptState.SUCCEEDED,
        AttemptState.REFUSED,
    },
    AttemptState.UNKNOWN: {AttemptState.SUCCEEDED, AttemptState.REFUSED},
    AttemptState.SUCCEEDED: {AttemptState.UNKNOWN},
    AttemptState.REFUSED: {AttemptState.SUBMITTED},
}
"""Success can become unknown again: a reorg or a chargeback takes the proof away. And a payer can
still pay what was given up: late money is money."""


@attrs.frozen
class AttemptTransitionRefused(Exception):
    """An attempt cannot go from where it is to where it was told to."""

    id: AttemptId
    state: AttemptState
    wanted: AttemptState


@attrs.frozen
class Attempt:
    """One try over one rail. While one is unknown, no other is begun."""

    id: AttemptId
    rail: str
    state: AttemptState
    begun_at: datetime
    changed_at: datetime

    def become(self, state: AttemptState, *, at: datetime) -> Attempt:
        """Move to another state; to the same one is no move.

        Raises:
            AttemptTransitionRefused: there is no way there from here.
        """
        if state is self.state:
            return self
        if state not in _NEXT[self.state]:
            raise AttemptTransitionRefused(self.id, self.state, state)
        return attrs.evolve(self, state=state, changed_at=at)
