"""What is to be done around a request that was let in, wherever its answer is made."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs

if TYPE_CHECKING:
    from starlette.types import Scope

    from domain.shared.actors import Actor

_SCOPE_KEY = "switchyard.visit"
_ACTOR_KEY = "switchyard.actor"


@attrs.define(eq=False)
class Visit:
    """A request that was let in, from its recognition to its end."""

    answered: Callable[[int], None]
    """Told the status, once it is known."""
    headers: list[tuple[bytes, bytes]] = attrs.field(factory=list)
    """Added to the response, a problem included."""
    left: Callable[[], None] | None = None
    """Called when all is over."""

    def begin(self, scope: Scope) -> None:
        """Have the edge carry it out for a request."""
        scope[_SCOPE_KEY] = self


def visit_of(scope: Scope) -> Visit | None:
    """Return the visit that a request was found to be; None for a stranger's."""
    found: Visit | None = scope.get(_SCOPE_KEY)
    return found


def recognise(scope: Scope, actor: Actor) -> None:
    """Say who calls, whether they are let in or not."""
    scope[_ACTOR_KEY] = actor


def actor_of(scope: Scope) -> Actor | None:
    """Return who calls, as far as that was found out."""
    found: Actor | None = scope.get(_ACTOR_KEY)
    return found
