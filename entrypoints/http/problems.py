"""Problem details (RFC 9457): one table from exceptions to `application/problem+json`.

An exception of this layer (`Refusal`) carries its own problem type; every other is looked up in
the table the application passes in. What neither knows is a fault of ours: 500, logged under the
request's id, with nothing of it shown.
"""

from __future__ import annotations

import http
import logging
import string
from collections.abc import Mapping
from typing import Any, ClassVar

import attrs
import cattrs.preconf.orjson
import orjson
from starlette.exceptions import HTTPException
from starlette.responses import Response

MEDIA_TYPE = "application/problem+json"

_logger = logging.getLogger(__name__)
_converter = cattrs.preconf.orjson.make_converter()
_MEMBERS_RESERVED = frozenset({"type", "title", "status", "detail", "instance"})


@attrs.frozen
class ProblemType:
    """A kind of problem: its status, the stable last part of its `type` URI, and what it tells.

    Attributes:
        status: The HTTP status.
        slug: `quote-expired` gives the type `/problems/quote-expired`.
        title: A short summary that never varies.
        detail: A `str.format` template over the exception's attributes; empty: the first line of
            its docstring.
        fields: Attributes of the exception shown as extension members. Nothing else of it is
            shown.
        headers: Header name to the attribute that holds its value (`{"Retry-After":
            "retry_after_seconds"}`).
    """

    status: int
    slug: str
    title: str
    detail: str = attrs.field(default="", kw_only=True)
    fields: tuple[str, ...] = attrs.field(default=(), kw_only=True)
    headers: Mapping[str, str] = attrs.field(factory=dict, kw_only=True, hash=False)

    def __attrs_post_init__(self) -> None:
        if reserved := _MEMBERS_RESERVED.intersection(self.fields):
            raise ValueError(f"{self.slug}: RFC 9457 owns the members {sorted(reserved)}")

    @property
    def type(self) -> str:
        """The URI reference that identifies the problem."""
        return f"/problems/{self.slug}"

    def describe(self, error: BaseException) -> str:
        """The `detail` member for one occurrence."""
        if not self.detail:
            return (type(error).__doc__ or self.title).strip().splitlines()[0]
        return string.Formatter().vformat(self.detail, (), _Attributes(error))


class _Attributes(dict[str, Any]):
    """An exception's attributes, read as a mapping by the detail template."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self._error = error

    def __missing__(self, name: str) -> object:
        return getattr(self._error, name)


class Refusal(Exception):
    """The HTTP layer itself refuses a request."""

    problem: ClassVar[ProblemType]


@attrs.frozen(eq=False)
class Unauthenticated(Refusal):
    """The request names no one we know: the API key is missing, malformed, revoked or unknown."""

    problem: ClassVar = ProblemType(
        401, "unauthenticated", "Unauthenticated", headers={"WWW-Authenticate": "challenge"}
    )

    challenge: str = "Bearer"


NOT_FOUND = ProblemType(404, "not-found", "Not Found")
INTERNAL = ProblemType(500, "internal-error", "Internal error")


@attrs.frozen
class ProblemTable:
    """Which problem each exception is to a client; a subclass without a row has its base's."""

    rows: Mapping[type[BaseException], ProblemType]

    def of(self, kind: type[BaseException]) -> ProblemType | None:
        """The problem type of an exception class, or None when it is not for the client."""
        for ancestor in kind.__mro__:
            if ancestor in self.rows:
                return self.rows[ancestor]
        return kind.problem if issubclass(kind, Refusal) else None

    def slug_of(self, error: Exception) -> str:
        """The last part of the type that a client is told for an exception."""
        return (self.of(type(error)) or INTERNAL).slug

    def respond(self, error: Exception, *, request_id: str) -> Response:
        """Answer an exception; one that is not for the client is logged and told as 500."""
        if isinstance(error, HTTPException):
            return _http_problem(error, request_id=request_id)
        problem = self.of(type(error))
        if problem is None:
            _logger.error("request failed", exc_info=error, extra={"request_id": request_id})
            return _response(INTERNAL, detail="Something failed on our side.", instance=request_id)
        return _response(
            problem,
            detail=problem.describe(error),
            instance=request_id,
            members={name: getattr(error, name) for name in problem.fields},
            headers={name: str(getattr(error, of)) for name, of in problem.headers.items()},
        )


def _http_problem(error: HTTPException, *, request_id: str) -> Response:
    phrase = http.HTTPStatus(error.status_code).phrase
    problem = ProblemType(error.status_code, phrase.lower().replace(" ", "-"), phrase)
    return _response(
        problem, detail=error.detail, instance=request_id, headers=dict(error.headers or {})
    )


def _response(
    problem: ProblemType,
    *,
    detail: str,
    instance: str,
    members: Mapping[str, Any] | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response:
    content = {
        "type": problem.type,
        "title": problem.title,
        "status": problem.status,
        "detail": detail,
        "instance": instance,
        **_converter.unstructure(dict(members or {})),
    }
    body = orjson.dumps(content, default=str, option=orjson.OPT_UTC_Z)
    return Response(body, problem.status, media_type=MEDIA_TYPE, headers=headers)
