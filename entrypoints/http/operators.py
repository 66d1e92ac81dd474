"""Operators at the API: recognised by their tokens, and named in the log for all they do."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from domain.operators.model import OperatorScope
from entrypoints.http.admission import InsufficientScope
from entrypoints.http.problems import Unauthenticated

if TYPE_CHECKING:
    from starlette.requests import Request

    from domain.operators.model import Operator, Operators
    from entrypoints.http.admission import Admission
    from entrypoints.http.endpoint import Authenticate, Call, Operation

log = logging.getLogger(__name__)


def by_scope(merchants: Admission, operators: Operators | None) -> Authenticate:
    """Return what lets a request through: operators for what is theirs, merchants for the rest.

    Neither side's tokens are looked up on the other one.
    """

    async def authenticate(request: Request, operation: Operation) -> object:
        if not isinstance(operation.scope, OperatorScope):
            return await merchants(request, operation)
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        found = operators and operators.recognise(token.strip())
        if scheme.lower() != "bearer" or not found:
            raise Unauthenticated
        if operation.scope not in found.scopes:
            log.warning("operator %s lacks %s", found.name, operation.scope)
            raise InsufficientScope(operation.scope)
        return found

    return authenticate


def audit(call: Call[Operator], did: str) -> None:
    """Write into the log what an operator has done."""
    log.info("operator %s %s (request %s)", call.principal.name, did, call.request_id)
