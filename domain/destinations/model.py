"""Changes of where merchants are paid: asked for, approved by somebody else, and not at once."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Final

import attrs

from domain.shared.actors import ActorKind
from domain.shared.ids import DestinationChangeId, MerchantId
from domain.shared.modes import Mode
from domain.shared.money import ChainId

if TYPE_CHECKING:
    from domain.merchants.model import ApiKey

APPROVE_WITHIN: Final = timedelta(days=7)
"""How long a change that was asked for waits for an approval before it lapses."""

LAPSED: Final = "lapsed"
"""Why a change ended that nobody has decided in time."""

OWN_ADDRESS: Final = "own_address"
"""Why a change was refused at its end: the address had become one of the gateway's own."""


class ChangeState(enum.StrEnum):
    """Where a change stands."""

    AWAITING_APPROVAL = "awaiting_approval"
    COOLING_DOWN = "cooling_down"
    """Approved; payouts go to the old destination still."""
    EFFECTIVE = "effective"
    CANCELED = "canceled"
    """Taken back, or lapsed."""
    REFUSED = "refused"


OPEN: Final = frozenset({ChangeState.AWAITING_APPROVAL, ChangeState.COOLING_DOWN})
"""The states that something follows. Of each chain a merchant has one such change at most."""

_NEXT: Final[Mapping[ChangeState, frozenset[ChangeState]]] = {
    ChangeState.AWAITING_APPROVAL: frozenset(
        {ChangeState.COOLING_DOWN, ChangeState.CANCELED, ChangeState.REFUSED}
    ),
    ChangeState.COOLING_DOWN: frozenset(
        {ChangeState.EFFECTIVE, ChangeState.CANCELED, ChangeState.REFUSED}
    ),
}


@attrs.frozen
class ChangeTransitionRefused(Exception):
    """The change does not wait for that."""

    id: DestinationChangeId
    state: ChangeState
    wanted: ChangeState


@attrs.frozen
class NotIndependent(Exception):
    """Who approves or refuses must be somebody else than who asked, as far as can be told."""

    id: DestinationChangeId


@attrs.frozen
class Party:
    """Who asks, approves or cancels: an API key by its id, or an operator by name."""

    kind: ActorKind
    id: str

    def __str__(self) -> str:
        return f"{self.kind}:{self.id}"


@attrs.frozen(kw_only=True)
class CoolDowns:
    """How long an approved change waits until it is effective."""

    live: timedelta = attrs.field(
        default=timedelta(days=1), validator=attrs.validators.gt(timedelta(0))
    )
    test: timedelta = attrs.field(
        default=timedelta(days=1), validator=attrs.validators.ge(timedelta(0))
    )

    def of(self, mode: Mode, *, first: bool) -> timedelta:
        """Return how long a change waits; ``first`` says that there was no destination before.

        Money of tests that has nowhere to go yet is in nobody's danger.
        """
        if mode is Mode.LIVE:
            return self.live
        return timedelta(0) if first else self.test


@attrs.frozen(kw_only=True)
class DestinationChange:
    """One change of a merchant's destination on one chain."""

    id: DestinationChangeId
    merchant_id: MerchantId
    chain: ChainId
    address: str
    """The new destination."""
    replaces: str | None
    """The one before; None where there was none."""
    requested_by: Party
    requested_at: datetime
    lapses_at: datetime
    """When it ends by itself if nobody approves it."""
    state: ChangeState = ChangeState.AWAITING_APPROVAL
    approved_by: Party | None = None
    approved_at: datetime | None = None
    effective_at: datetime | None = None
    """When it becomes effective, from its approval on; when it did, once it has."""
    ended_by: Party | None = None
    """Who has canceled or refused it; None where nobody has, but time or a rule."""
    ended_at: datetime | None = None
    reason: str | None = None
    """Why it was canceled or refused, where somebody said so."""
    metadata: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def is_open(self) -> bool:
        """Tell whether something follows."""
        return self.state in OPEN

    @property
    def deadline(self) -> datetime | None:
        """When a job has something to do about it; None where it has ended."""
        waits = self.state is ChangeState.AWAITING_APPROVAL
        return self.lapses_at if waits else self.effective_at if self.is_open else None

    def approve(self, *, by: Party, at: datetime, cool_down: timedelta) -> DestinationChange:
        """Let it become effective after a while.

        Raises:
            ChangeTransitionRefused: it does not wait for that, or its time is over.
        """
        if at >= self.lapses_at:
            raise ChangeTransitionRefused(self.id, self.state, ChangeState.COOLING_DOWN)
        approved = self._become(ChangeState.COOLING_DOWN)
        return attrs.evolve(approved, approved_by=by, approved_at=at, effective_at=at + cool_down)

    def take_effect(self, *, at: datetime) -> DestinationChange:
        """Have payouts go to the new destination from now on.

        Raises:
            ChangeTransitionRefused: it does not wait for that, or has to wait longer.
        """
        if self.effective_at is None or at < self.effective_at:
            raise ChangeTransitionRefused(self.id, self.state, ChangeState.EFFECTIVE)
        return attrs.evolve(self._become(ChangeState.EFFECTIVE), effective_at=at, ended_at=at)

    def cancel(self, *, by: Party | None, at: datetime, reason: str | None) -> DestinationChange:
        """Take it back; the old destination stays.

        Raises:
            ChangeTransitionRefused: it is effective already, or was ended otherwise.
        """
        return self._end(ChangeState.CANCELED, by=by, at=at, reason=reason)

    def refuse(self, *, by: Party | None, at: datetime, reason: str | None) -> DestinationChange:
        """Have somebody who could have approved it say no.

        Raises:
            ChangeTransitionRefused: it is effective already, or was ended otherwise.
        """
        return self._end(ChangeState.REFUSED, by=by, at=at, reason=reason)

    def _end(
        self, state: ChangeState, *, by: Party | None, at: datetime, reason: str | None
    ) -> DestinationChange:
        return attrs.evolve(self._become(state), ended_by=by, ended_at=at, reason=reason)

    def _become(self, state: ChangeState) -> DestinationChange:
        if state not in _NEXT.get(self.state, frozenset()):
            raise ChangeTransitionRefused(self.id, self.state, state)
        return attrs.evolve(self, state=state)


@attrs.frozen
class Destination:
    """Where a merchant is paid on one chain, and what is about to change there."""

    chain: ChainId
    address: str | None
    """None where there is nothing yet but a change that was asked for."""
    change: DestinationChange | None


def must_be_independent(
    change: DestinationChange, by: Party, *, asked: ApiKey | None, decides: ApiKey | None
) -> None:
    """See to it that one stolen key does not both ask and approve.

    A key is no second proof where both descend from one that an operator gave out: whoever has
    that one could have made both. Of a key from before this was kept nobody can tell.

    Args:
        change: What is decided.
        by: Who decides.
        asked: The key that has asked; None where an operator has.
        decides: The key that decides; None where an operator does.

    Raises:
        NotIndependent: it cannot be told that they are two.
    """
    if by == change.requested_by:
        raise NotIndependent(change.id)
    if decides is not None and asked is not None and not decides.is_independent_of(asked):
        raise NotIndependent(change.id)
