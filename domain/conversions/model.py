"""Conversions: money exchanged for another asset, from the quote to what came of it."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, NewType

import attrs

from domain.conversions.quotes import Quote
from domain.conversions.swaps import Swap, SwapFailure, SwapOutcome, Swapped
from domain.intents.quotes import LOCK_MAX
from domain.shared.ids import SubmissionId

if TYPE_CHECKING:
    from domain.conversions.swaps import SwapFailed

ConversionId = NewType("ConversionId", str)

UNKNOWN_AFTER = timedelta(minutes=10)
"""Past a swap's deadline by so much, without a word from the chain, nobody can tell any more."""


class ConversionState(enum.StrEnum):
    """Where a conversion stands; completed, refused and resolved are ends."""

    QUOTED = "quoted"
    LOCKED = "locked"
    """The swap's limits are fixed; nothing has been sent."""
    EXECUTING = "executing"
    """Its transaction is queued, or may be in a block."""
    COMPLETED = "completed"
    REFUSED = "refused"
    """There is proof that nothing was exchanged."""
    UNKNOWN = "unknown"
    """It may have been exchanged. Evidence or a person decides, never a second try."""
    RESOLVED = "resolved"


_NEXT = {
    ConversionState.QUOTED: {ConversionState.LOCKED, ConversionState.REFUSED},
    ConversionState.LOCKED: {ConversionState.EXECUTING, ConversionState.REFUSED},
    ConversionState.EXECUTING: {
        ConversionState.COMPLETED,
        ConversionState.REFUSED,
        ConversionState.UNKNOWN,
    },
    ConversionState.UNKNOWN: {ConversionState.RESOLVED},
    ConversionState.COMPLETED: set(),
    ConversionState.REFUSED: set(),
    ConversionState.RESOLVED: set(),
}


@attrs.frozen
class ConversionTransitionRefused(Exception):
    """The conversion is not in a state from which it can go where it was told to."""

    id: ConversionId
    state: ConversionState
    wanted: ConversionState


@attrs.frozen
class LockLapsed(Exception):
    """The time for which the quote's limits were fixed is over."""

    id: ConversionId
    locked_until: datetime


@attrs.frozen
class LimitsNotOfQuote(ValueError):
    """A swap must be of its quote's money and path, promise no more, and end with its lock."""

    id: ConversionId
    field: str


@attrs.frozen(kw_only=True)
class Conversion:
    """One exact amount, to be exchanged once or not at all."""

    id: ConversionId
    quote: Quote
    state: ConversionState
    created_at: datetime
    changed_at: datetime
    swap: Swap | None = None
    submission_id: SubmissionId | None = None
    outcome: SwapOutcome | None = None
    """What the chain has shown."""
    refusal: SwapFailure | None = None
    """Why it was refused, before anything was sent or by the chain."""
    resolved_by: str | None = None
    """Who has decided where it was unknown; None where the chain did, late."""

    @classmethod
    def open(cls, *, id: ConversionId, quote: Quote, at: datetime) -> Conversion:
        """Begin with a quote."""
        return cls(id=id, quote=quote, state=ConversionState.QUOTED, created_at=at, changed_at=at)

    @property
    def due(self) -> datetime | None:
        """When something must have come of it; None once it is at an end, or up to a person."""
        match self.state:
            case ConversionState.QUOTED:
                return self.created_at + LOCK_MAX
            case ConversionState.LOCKED:
                return self._limits.deadline
            case ConversionState.EXECUTING:
                return self._limits.deadline + UNKNOWN_AFTER
            case _:
                return None

    def lock(self, swap: Swap, *, at: datetime) -> Conversion:
        """Fix what may be lost and until when, at most `LOCK_MAX` after the quote.

        Raises:
            ConversionTransitionRefused: it is not merely quoted.
            LimitsNotOfQuote: the swap is another than what was quoted.
            LockLapsed: the quote is too old.
        """
        locked = self._become(ConversionState.LOCKED, at=at)
        latest = self.quote.taken_at + LOCK_MAX
        if at >= latest:
            raise LockLapsed(self.id, latest)
        self._must_be_quoted(swap)
        return attrs.evolve(locked, swap=swap)

    def execute(self, *, submission_id: SubmissionId, at: datetime) -> Conversion:
        """Have the swap's transaction queued.

        Raises:
            ConversionTransitionRefused: it is not locked, or under way already.
            LockLapsed: it is too late.
        """
        executing = self._become(ConversionState.EXECUTING, at=at)
        if at >= self._limits.deadline:
            raise LockLapsed(self.id, self._limits.deadline)
        return attrs.evolve(executing, submission_id=submission_id)

    def complete(self, swapped: Swapped, *, at: datetime) -> Conversion:
        """End with what the chain has shown, for good."""
        return attrs.evolve(self._become(ConversionState.COMPLETED, at=at), outcome=swapped)

    def fail(self, failed: SwapFailed, *, at: datetime) -> Conversion:
        """End with nothing exchanged, as the chain has shown for good."""
        self._must_have_begun(ConversionState.REFUSED)
        refused = self._become(ConversionState.REFUSED, at=at)
        return attrs.evolve(refused, outcome=failed, refusal=failed.failure)

    def refuse(self, failure: SwapFailure, *, at: datetime) -> Conversion:
        """End before anything was signed, or with proof that what was signed never takes effect.

        Raises:
            ConversionTransitionRefused: it is at an end, or nobody knows.
        """
        return attrs.evolve(self._become(ConversionState.REFUSED, at=at), refusal=failure)

    def lose(self, *, at: datetime) -> Conversion:
        """Note that the chain has not shown what came of it in time."""
        return self._become(ConversionState.UNKNOWN, at=at)

    def resolve(
        self, outcome: SwapOutcome, *, at: datetime, resolved_by: str | None = None
    ) -> Conversion:
        """End what was unknown, by the chain's late word or a person's."""
        refusal = None if isinstance(outcome, Swapped) else outcome.failure
        return attrs.evolve(
            self._become(ConversionState.RESOLVED, at=at),
            outcome=outcome,
            refusal=refusal,
            resolved_by=resolved_by,
        )

    @property
    def is_short(self) -> bool:
        """Tell whether less came in than the least that was agreed to: a token kept some."""
        return isinstance(self.outcome, Swapped) and (
            self.outcome.received < self._limits.minimum_out
        )

    @property
    def _limits(self) -> Swap:
        if self.swap is None:
            raise ConversionTransitionRefused(self.id, self.state, ConversionState.LOCKED)
        return self.swap

    def _must_be_quoted(self, swap: Swap) -> None:
        for field, fits in (
            ("money_in", swap.money_in == self.quote.money_in),
            ("path", swap.path == self.quote.path),
            ("minimum_out", swap.minimum_out <= self.quote.money_out),
            ("deadline", swap.deadline <= self.quote.taken_at + LOCK_MAX),
        ):
            if not fits:
                raise LimitsNotOfQuote(self.id, field)

    def _must_have_begun(self, wanted: ConversionState) -> None:
        if self.state != ConversionState.EXECUTING:
            raise ConversionTransitionRefused(self.id, self.state, wanted)

    def _become(self, state: ConversionState, *, at: datetime) -> Conversion:
        """Move to another state.

        Raises:
            ConversionTransitionRefused: there is no way there from here.
        """
        if state not in _NEXT[self.state]:
            raise ConversionTransitionRefused(self.id, self.state, state)
        return attrs.evolve(self, state=state, changed_at=at)
