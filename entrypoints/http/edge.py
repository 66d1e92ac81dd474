"""The outermost ASGI layer: every request has an id and a version, every failure is a problem."""

from __future__ import annotations

import logging
import re
import secrets
from typing import TYPE_CHECKING, TypeAlias

import attrs
from starlette.types import ASGIApp

from domain.shared.actors import acting_as
from entrypoints.http.problems import ProblemTable
from entrypoints.http.versions import HEADER, OLDEST, version_asked_for
from entrypoints.http.visits import visit_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from starlette.types import Message, Receive, Scope, Send

Answered: TypeAlias = "Callable[[Scope, int, str | None], None]"
"""Told of a request with its status, and the last part of its problem's type where it has one."""

_SANE = re.compile(rb"[A-Za-z0-9._-]{1,128}\Z")
_SCOPE_KEY = "switchyard.request_id"
_VERSION = HEADER.lower().encode()

_logger = logging.getLogger(__name__)


def request_id_of(scope: Scope) -> str:
    """The id the edge gave the request."""
    request_id: str = scope[_SCOPE_KEY]
    return request_id


def _admitted(scope: Scope) -> str:
    """Take the client's X-Request-Id if it can stand in a log line and a URI, else make one."""
    for name, value in scope["headers"]:
        if name == b"x-request-id" and _SANE.match(value):
            text: str = value.decode("ascii")
            return text
    return f"req_{secrets.token_hex(12)}"


def nobody_asks(scope: Scope, status: int, problem: str | None) -> None:
    """Leave it at that."""
    del scope, status, problem


@attrs.frozen
class Edge:
    """Names each request and its version, answers what escapes, and sees visits to the end."""

    app: ASGIApp
    problems: ProblemTable
    answered: Answered = nobody_asks
    """Told of each request that was answered."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application as ASGI has it; other protocols than HTTP pass through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = scope[_SCOPE_KEY] = _admitted(scope)
        version = OLDEST
        status: int | None = None
        problem: str | None = None

        async def send_named(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = [
                    *message.get("headers", ()),
                    (b"x-request-id", request_id.encode()),
                    (_VERSION, version.encode()),
                ]
                if visit := visit_of(scope):
                    headers += visit.headers
                    visit.answered(message["status"])
                message = {**message, "headers": headers}
            await send(message)

        try:
            version = version_asked_for(scope)
            # Nobody acts until it is found out who calls; a server may use one task for several.
            with acting_as(None):
                await self.app(scope, receive, send_named)
        except Exception as error:
            if status is not None:
                # The status is out, so the broken body is all a client can be told; the server
                # closes the connection.
                raise
            problem = self.problems.slug_of(error)
            response = self.problems.respond(error, request_id=request_id)
            await response(scope, receive, send_named)
        finally:
            if (visit := visit_of(scope)) and visit.left:
                visit.left()
            if status is not None:
                self.answered(scope, status, problem)
