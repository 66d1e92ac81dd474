"""The audit log: who did what, when, from where and to which objects."""

from __future__ import annotations

import enum
import re
from datetime import datetime
from typing import TYPE_CHECKING, Final

import attrs

from domain.shared.actors import ActorKind
from domain.shared.ids import PREFIXES, MerchantId
from domain.shared.kinds import Queue

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable

    from domain.shared.actors import Actor

OBJECTS_MAX: Final = 20
"""How many objects one entry names: of those who change many at once, the action tells."""
DETAIL_MAX: Final = 500
"""Characters of a detail that are kept."""

_INSIDE: Final = frozenset(
    {"attempt", "delivery", "event", "hold", "job", "submission", "transaction"}
)
"""Kinds of the gateway's own records: nobody asks for them, they come with what was asked for."""
_TOLD: Final = frozenset(PREFIXES[kind] for kind in PREFIXES if kind not in _INSIDE)
_ID: Final = re.compile(rf"(?:{'|'.join(PREFIXES.values())})_[0-9A-Za-z]{{1,40}}")
_QUEUES: Final = frozenset(Queue)


class Outcome(enum.StrEnum):
    """What came of it."""

    DONE = "done"
    REFUSED = "refused"
    """It was not to be done: the caller's fault."""
    FAILED = "failed"
    """It could not be done: ours."""
    LOST = "lost"
    """So many came at once that of some no more was kept than their number."""


@attrs.frozen(kw_only=True)
class Entry:
    """One deed, or several of one kind that were refused in the same few seconds."""

    at: datetime
    action: str
    """What was asked for: ``POST /v1/payment_intents``, ``switchyard settle run``."""
    outcome: Outcome = Outcome.DONE
    actor: ActorKind | None = None
    """None where nobody was recognised."""
    actor_id: str | None = None
    merchant_id: MerchantId | None = None
    """Whose account it was about; None where an operator acted, or nobody was recognised."""
    objects: tuple[str, ...] = ()
    """What was written or asked for, by its ids; sorted."""
    status: int | None = None
    """Of the answer. None where it was not known yet, or there is none."""
    problem: str | None = None
    """The last part of the problem's type, or what went wrong with a command."""
    times: int = 1
    request_id: str | None = None
    address: str | None = None
    detail: str | None = None

    @classmethod
    def of(cls, actor: Actor, *, at: datetime, objects: Iterable[str] = ()) -> Entry:
        """Return what is to be said of something that an actor did."""
        return cls(
            at=at,
            action=actor.action,
            actor=actor.kind,
            actor_id=actor.id,
            merchant_id=actor.merchant_id,
            objects=tuple(sorted({*actor.objects, *objects})[:OBJECTS_MAX]),
            request_id=actor.request_id,
            address=actor.address,
        )


@attrs.frozen
class RecordedEntry:
    """An entry with its place in the log."""

    sequence: int
    """Places go up, with gaps: what was undone had one too."""
    entry: Entry


@attrs.frozen(kw_only=True)
class Wanted:
    """Which entries; what is left out leaves it open."""

    merchant_id: MerchantId | None = None
    actor_id: str | None = None
    action: str | None = None
    object: str | None = None
    since: datetime | None = None
    """At this time or later."""
    until: datetime | None = None
    """Earlier than this."""


@attrs.frozen(order=True)
class Place:
    """Where an entry stands in a list."""

    at: datetime
    sequence: int


def written(names: Iterable[Hashable]) -> set[str]:
    """Return those of the names of rows that were written by which merchants know objects."""
    return {name for name in names if isinstance(name, str) and name.partition("_")[0] in _TOLD}


def named(words: Iterable[str]) -> tuple[str, ...]:
    """Return those of the words in a request that can be nothing but names of objects.

    A word that somebody has put in the place of one may be a secret, and is not kept.
    """
    return tuple(word for word in words if _ID.fullmatch(word) or word in _QUEUES)
