"""What is recorded of requests beside what their units of work record: refusals and failures.

Merchants' reads are not recorded unless somebody is turned away; all that operators do is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from starlette.requests import Request

from domain.audit.gathering import TURNED_AWAY
from domain.audit.model import Entry, Outcome
from domain.audit.service import AuditService
from domain.merchants import api_keys
from domain.shared.actors import ActorKind
from entrypoints.http.client_address import Proxies
from entrypoints.http.edge import request_id_of
from entrypoints.http.visits import actor_of

if TYPE_CHECKING:
    from starlette.types import Scope

    from domain.shared.actors import Actor

_LOOKING = frozenset({"GET", "HEAD", "OPTIONS"})
_REFUSED, _FAILED = 400, 500


@attrs.frozen(kw_only=True)
class Auditing:
    """Gathers what is to be recorded of answered requests."""

    service: AuditService
    proxies: Proxies

    def answered(self, scope: Scope, status: int, problem: str | None) -> None:
        """Look at a request that was answered; ``problem`` is the last part of its type."""
        route = scope.get("route")
        if route is None:
            # Nothing of ours was asked for.
            return
        actor = actor_of(scope)
        if actor is None:
            if status in TURNED_AWAY:
                entry = self._stranger(scope, f"{scope['method']} {route.path}")
                self._gather(entry, status, problem)
        elif _is_told(actor, scope["method"], status):
            entry = Entry.of(actor, at=self.service.clock.now())
            self._gather(entry, status, problem)

    def _gather(self, entry: Entry, status: int, problem: str | None) -> None:
        outcome = Outcome.DONE
        if status >= _REFUSED:
            outcome = Outcome.REFUSED if status < _FAILED else Outcome.FAILED
        told = attrs.evolve(entry, outcome=outcome, status=status, problem=problem)
        self.service.gather(told)

    def _stranger(self, scope: Scope, action: str) -> Entry:
        request = Request(scope)
        address = self.proxies.client_of(request)
        return Entry(
            at=self.service.clock.now(),
            action=action,
            request_id=request_id_of(scope),
            address=None if address is None else str(address),
            detail=_shown(request.headers.get("authorization", "")),
        )


def _is_told(actor: Actor, method: str, status: int) -> bool:
    if actor.kind is ActorKind.OPERATOR:
        return status >= _REFUSED or not actor.deeds.recorded
    return status in TURNED_AWAY or (status >= _REFUSED and method not in _LOOKING)


def _shown(authorization: str) -> str | None:
    """Return by what its owner knows the key that was tried; of what is no key, nothing."""
    text = authorization.partition(" ")[2].strip()
    try:
        api_keys.digest(text)
    except api_keys.MalformedApiKey:
        return None
    return api_keys.mask(text)
