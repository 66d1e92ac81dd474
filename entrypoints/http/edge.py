"""The outermost ASGI layer: every request has an id, every failure is a problem."""

from __future__ import annotations

import logging
import re
import secrets
from typing import TYPE_CHECKING

import attrs
from starlette.types import ASGIApp

from entrypoints.http.problems import ProblemTable
from entrypoints.http.visits import visit_of

if TYPE_CHECKING:
    from starlette.types import Message, Receive, Scope, Send


_SANE = re.compile(rb"[A-Za-z0-9._-]{1,128}\Z")
_SCOPE_KEY = "switchyard.request_id"

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


@attrs.frozen
class Edge:
    """Names each request, answers what escapes the application, and sees visits to the end."""

    app: ASGIApp
    problems: ProblemTable

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Run the application as ASGI has it; other protocols than HTTP pass through."""
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        request_id = scope[_SCOPE_KEY] = _admitted(scope)
        started = False

        async def send_named(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                headers = [*message.get("headers", ()), (b"x-request-id", request_id.encode())]
                if visit := visit_of(scope):
                    headers += visit.headers
                    visit.answered(message["status"])
                message = {**message, "headers": headers}
            await send(message)

        try:
            await self.app(scope, receive, send_named)
        except Exception as error:
            if started:
                # The status is out, so the broken body is all a client can be told; the server
                # closes the connection.
                raise
            response = self.problems.respond(error, request_id=request_id)
            await response(scope, receive, send_named)
        finally:
            if (visit := visit_of(scope)) and visit.left:
                visit.left()
