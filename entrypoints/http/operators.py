"""Operators at the API: recognised by their tokens, and named in the audit log for all they do."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.audit.model import named
from domain.operators.model import OperatorScope
from domain.shared.actors import Actor, ActorKind, act_as
from entrypoints.http.admission import InsufficientScope
from entrypoints.http.edge import request_id_of
from entrypoints.http.problems import Unauthenticated
from entrypoints.http.visits import recognise

if TYPE_CHECKING:
    from starlette.requests import Request

    from domain.operators.model import Operator, Operators
    from entrypoints.http.admission import Admission
    from entrypoints.http.endpoint import Authenticate, Operation


def operator_of(request: Request, operators: Operators) -> Operator | None:
    """Return whose token a request brings along; None for nobody's."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return operators.recognise(token.strip()) if scheme.lower() == "bearer" else None


def by_scope(merchants: Admission, operators: Operators | None) -> Authenticate:
    """Return what lets a request through: operators for what is theirs, merchants for the rest.

    Neither side's tokens are looked up on the other one.
    """

    async def authenticate(request: Request, operation: Operation) -> object:
        if not isinstance(operation.scope, OperatorScope):
            return await merchants(request, operation)
        found = operators and operator_of(request, operators)
        if not found:
            raise Unauthenticated
        address = merchants.proxies.client_of(request)
        actor = Actor(
            kind=ActorKind.OPERATOR,
            id=found.name,
            action=operation.action,
            request_id=request_id_of(request.scope),
            address=None if address is None else str(address),
            objects=named(request.path_params.values()),
        )
        recognise(request.scope, actor)
        if operation.scope not in found.scopes:
            raise InsufficientScope(operation.scope)
        act_as(actor)
        return found

    return authenticate
