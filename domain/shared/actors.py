"""Who is acting: the key, the operator or the program on whose behalf this code runs now.

The edge says it once, where it has recognised the caller; whatever is done for that request, in
whichever task it started, sees it. It opens no door: it is for the record of who did what, and for
the database's own rule of whose rows may be seen.
"""

from __future__ import annotations

import contextlib
import enum
from contextvars import ContextVar
from typing import TYPE_CHECKING, Final

import attrs

from domain.shared.ids import MerchantId

if TYPE_CHECKING:
    from collections.abc import Iterator


class ActorKind(enum.StrEnum):
    """What acts."""

    KEY = "key"
    """A merchant's program, by its API key."""
    OPERATOR = "operator"
    """Who runs the gateway, at the API or at the command line."""


@attrs.define(eq=False)
class Deeds:
    """What an actor has done so far."""

    recorded: int = 0
    """How many changes were committed together with their records."""


@attrs.frozen(kw_only=True)
class Actor:
    """Who does what, and from where."""

    kind: ActorKind
    id: str
    """Of the API key, or the operator's name."""
    action: str
    """What was asked for: ``POST /v1/payment_intents``, ``switchyard settle run``."""
    merchant_id: MerchantId | None = None
    """The account whose key it is; None for operators."""
    request_id: str | None = None
    address: str | None = None
    """The network address that asked, where there is one."""
    objects: tuple[str, ...] = ()
    """What the request names, by ids."""
    deeds: Deeds = attrs.field(factory=Deeds, init=False, eq=False, repr=False)


_acting: Final[ContextVar[Actor | None]] = ContextVar("acting", default=None)


def acting() -> Actor | None:
    """Return who acts now; None for the gateway's own jobs."""
    return _acting.get()


def act_as(actor: Actor | None) -> None:
    """Say who acts from here on, in this task and those it starts."""
    _acting.set(actor)


@contextlib.contextmanager
def acting_as(actor: Actor | None) -> Iterator[None]:
    """Say who acts in this block."""
    token = _acting.set(actor)
    try:
        yield
    finally:
        _acting.reset(token)
