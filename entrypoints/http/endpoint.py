"""Typed endpoints: a resource's method, marked with verb and path, called as it is annotated.

    @attrs.frozen
    class Intents:
        service: IntentService

        @post("/v1/payment_intents", summary="Create an intent", scope=Scope.PAYMENT_INTENTS_WRITE)
        async def create(self, call: Call[Merchant], body: CreateIntent) -> IntentView: ...

The annotations of `body`, `query` and of the path's parameters, and of what is returned, are read
at start-up: their types must be importable where the method is defined. That of `call` is not
read, and a method may go without it.
"""

from __future__ import annotations

import functools
import hashlib
import inspect
import re
import types
import typing
from collections.abc import Awaitable, Callable, Mapping
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeAlias, TypeVar, get_args

import attrs
import orjson
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from domain.limits.model import Kind
from entrypoints.http.codec import parse, reader, writer
from entrypoints.http.edge import request_id_of
from entrypoints.http.hints import fields_of, optional_of, origin_of, rule_of
from entrypoints.http.pagination import Page, next_link
from entrypoints.http.request import (
    IdempotencyKeyMissing,
    read_body,
    read_idempotency_key,
    read_path,
    read_query,
)
from entrypoints.http.schema import Listing, Rule

if TYPE_CHECKING:
    from collections.abc import Iterator

    from starlette.types import Receive, Scope, Send

    from entrypoints.http.schema import (
        TypeForm,
        Value,
    )

Authenticate: TypeAlias = "Callable[[Request, Operation], Awaitable[object]]"

Principal = TypeVar("Principal")
Method = TypeVar("Method", bound="Callable[..., Awaitable[object]]")

_MARK = "__http_operation__"
_PATH_PARAMETER = re.compile(r"\{([a-z_]+)\}")
_BODILESS = 204


@attrs.frozen(kw_only=True)
class RawJson:
    """A finished JSON response, sent byte for byte; `replayed` marks one told again."""

    body: bytes
    status: int = 200
    headers: Mapping[str, str] = attrs.field(factory=dict)
    replayed: bool = False


@attrs.define(kw_only=True, eq=False)
class Call(Generic[Principal]):
    """One request as its endpoint sees it; the endpoint may set the status and add headers.

    Attributes:
        principal: Who calls, as the authenticator found; None where the operation needs no
            authentication.
        request: The request itself, for what has no place of its own here (client address,
            headers).
        idempotency_key: The header's value, where the operation declares it.
        canonical_body: The body with sorted members and no spaces; empty without one.
        status: The status of the response, at first the declared one.
        headers: Response headers to add.
    """

    principal: Principal
    request: Request
    idempotency_key: str | None
    canonical_body: bytes
    status: int
    headers: dict[str, str] = attrs.field(factory=dict)

    @property
    def request_id(self) -> str:
        """The id every log line and the response carry."""
        return request_id_of(self.request.scope)

    @property
    def required_key(self) -> str:
        """The idempotency key of an operation that requires one.

        Raises:
            IdempotencyKeyMissing: The request has none.
        """
        if self.idempotency_key is None:
            raise IdempotencyKeyMissing
        return self.idempotency_key

    @property
    def fingerprint(self) -> str:
        """SHA-256 in hex over method, path, query and canonical body.

        The same idempotency key must come with the same fingerprint.
        """
        scope = self.request.scope
        target = [scope["method"], scope["path"], scope["query_string"].decode("latin-1")]
        # The JSON array delimits itself, so no two requests share a preimage.
        return hashlib.sha256(orjson.dumps(target) + self.canonical_body).hexdigest()


@attrs.frozen(kw_only=True)
class Operation:
    """What a method's mark says of it beside its annotations."""

    method: str
    path: str
    summary: str
    status: int
    tags: tuple[str, ...]
    idempotency: Literal["required", "optional", "none"]
    scope: str | None
    problems: tuple[type[BaseException], ...]

    @property
    def action(self) -> str:
        """What is asked for with it, as records of who did what name it."""
        return f"{self.method} {self.path}"

    @property
    def kind(self) -> Kind:
        """Together with what it is limited."""
        return Kind.READ if self.method == "GET" else Kind.WRITE


def operation(
    method: str,
    path: str,
    *,
    summary: str,
    scope: str | None,
    status: int = 200,
    tags: tuple[str, ...] = (),
    idempotency: Literal["required", "optional", "none"] = "none",
    problems: tuple[type[BaseException], ...] = (),
) -> Callable[[Method], Method]:
    """Mark a method of a resource as the endpoint of a verb and path.

    Args:
        method: The HTTP method.
        path: The path, with `{names}` that are keyword parameters of the method.
        summary: A line for the document; the method's docstring is the description.
        scope: What a key must allow for it; None where anybody may call it, without one.
        status: The status of success.
        tags: Groups in the document; by default the resource's class name.
        idempotency: Whether the operation takes an Idempotency-Key.
        problems: Exceptions the method raises, each with a row in the problem table.
    """
    mark = Operation(
        method=method,
        path=path,
        summary=summary,
        status=status,
        tags=tags,
        idempotency=idempotency,
        scope=scope,
        problems=problems,
    )

    def marked(function: Method) -> Method:
        vars(function)[_MARK] = mark
        return function

    return marked


get = functools.partial(operation, "GET")
post = functools.partial(operation, "POST", status=201)
put = functools.partial(operation, "PUT")
patch = functools.partial(operation, "PATCH")
delete = functools.partial(operation, "DELETE", status=204)


@attrs.frozen
class NoQuery:
    """The query of an operation that takes none."""


@attrs.frozen(kw_only=True)
class Signature:
    """The types a method's annotations give; None stands for no body and no content."""

    takes_call: bool
    path: Mapping[str, Any]
    query: type[Any]
    body: type[Any] | None
    body_required: bool
    response: Any

    @classmethod
    def of(cls, function: Callable[..., Any], *, path: str) -> Signature:
        """Read a method.

        Raises:
            TypeError: An annotation is missing, or a parameter has no place in the request.
        """
        wanted = dict(inspect.get_annotations(function))
        takes_call = wanted.pop("call", None) is not None
        hints = typing.get_type_hints(
            types.SimpleNamespace(__annotations__=wanted),
            globalns=function.__globals__,
            include_extras=True,
        )
        returned = hints.pop("return")
        query = hints.pop("query", NoQuery)
        body = hints.pop("body", None)
        if set(hints) != set(_PATH_PARAMETER.findall(path)):
            raise TypeError(f"{function.__qualname__}: parameters {sorted(hints)} for {path}")
        return cls(
            takes_call=takes_call,
            path=hints,
            query=query,
            body=optional_of(body) or body,
            body_required=body is not None and optional_of(body) is None,
            response=_without_raw(returned),
        )


def _without_raw(returned: TypeForm) -> TypeForm:
    """The view among what a method returns: `View | RawJson` is documented as its view."""
    if origin_of(returned) in (typing.Union, types.UnionType):
        views = [each for each in get_args(returned) if each not in (RawJson, type(None))]
        return views[0] if views else None
    return None if returned is type(None) else returned


@attrs.frozen(kw_only=True)
class Endpoint:
    """A marked method of a finished resource, ready to answer."""

    name: str
    operation: Operation
    signature: Signature
    description: str
    method: Callable[..., Awaitable[Any]]
    authenticate: Authenticate
    body_bytes_max: int
    _path: Mapping[str, Rule] = attrs.field(init=False)
    _query: Callable[[Any], Any] = attrs.field(init=False)
    _query_lists: frozenset[str] = attrs.field(init=False)
    _body: Callable[[Any], Any] | None = attrs.field(init=False)
    _write: Callable[[Any], bytes] | None = attrs.field(init=False)

    @_path.default
    def _path_default(self) -> Mapping[str, Rule]:
        rules = {name: rule_of(kind) for name, kind in self.signature.path.items()}
        return {name: rule for name, rule in rules.items() if rule is not None}

    @_query.default
    def _query_default(self) -> Callable[[Any], Any]:
        return reader(self.signature.query, textual=True)

    @_query_lists.default
    def _query_lists_default(self) -> frozenset[str]:
        return frozenset(
            field.alias or field.name
            for field, kind in fields_of(self.signature.query)
            if isinstance(rule_of(optional_of(kind) or kind), Listing)
        )

    @_body.default
    def _body_default(self) -> Callable[[Any], Any] | None:
        return None if self.signature.body is None else reader(self.signature.body)

    @_write.default
    def _write_default(self) -> Callable[[Any], bytes] | None:
        return None if self.signature.response is None else writer(self.signature.response)

    async def respond(self, request: Request) -> Response:
        """Answer one request: who asks, what for, then the method."""
        of = self.operation
        principal = None if of.scope is None else await self.authenticate(request, of)
        arguments = read_path(request.path_params, self._path) if self._path else {}
        key = None
        if of.idempotency != "none":
            key = read_idempotency_key(request.headers, required=of.idempotency == "required")
        if self.signature.query is not NoQuery or request.scope["query_string"]:
            words = read_query(request.scope["query_string"], lists=self._query_lists)
            arguments["query"] = self._query(words)
        canonical = b""
        if self._body is not None:
            arguments["body"], canonical = await self._structured_body(request, self._body)
        call: Call[Any] = Call(
            principal=principal,
            request=request,
            idempotency_key=key,
            canonical_body=canonical,
            status=of.status,
        )
        if self.signature.takes_call:
            arguments["call"] = call
        return self._rendered(call, await self.method(**arguments))

    async def _structured_body(
        self, request: Request, read: Callable[[Any], Any]
    ) -> tuple[Any, bytes]:
        raw = await read_body(request, bytes_max=self.body_bytes_max)
        if not raw and not self.signature.body_required:
            return None, b""
        value, canonical = parse(raw)
        return read(value), canonical

    def _rendered(self, call: Call[Any], result: Value) -> Response:
        if isinstance(result, RawJson):
            headers = {**call.headers, **result.headers}
            if result.replayed:
                headers["Idempotent-Replayed"] = "true"
            return Response(
                result.body, result.status, headers=headers, media_type="application/json"
            )
        if result is None or self._write is None:
            return Response(status_code=_BODILESS, headers=call.headers)
        if isinstance(result, Page) and result.next_cursor is not None:
            scope = call.request.scope
            call.headers["Link"] = next_link(
                path=scope["path"],
                query_string=scope["query_string"].decode("ascii"),
                cursor=result.next_cursor,
            )
        return Response(
            self._write(result), call.status, headers=call.headers, media_type="application/json"
        )


def endpoints_of(
    resource: object, *, authenticate: Authenticate, body_bytes_max: int
) -> Iterator[Endpoint]:
    """The marked methods of a resource, in the order of their definition."""
    kind = type(resource)
    for name, function in vars(kind).items():
        mark = getattr(function, _MARK, None)
        if isinstance(mark, Operation):
            yield Endpoint(
                name=f"{kind.__name__.lower()}_{name}",
                operation=attrs.evolve(mark, tags=mark.tags or (kind.__name__,)),
                signature=Signature.of(function, path=mark.path),
                description=inspect.getdoc(function) or "",
                method=getattr(resource, name),
                authenticate=authenticate,
                body_bytes_max=body_bytes_max,
            )


@attrs.frozen
class Path:
    """The endpoints of one path as an ASGI application, which knows all methods it allows."""

    by_method: Mapping[str, Endpoint]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer by method.

        Raises:
            HTTPException: 405, with the Allow header RFC 9110 asks for.
        """
        method = "GET" if scope["method"] == "HEAD" else scope["method"]
        endpoint = self.by_method.get(method)
        if endpoint is None:
            raise HTTPException(405, headers={"Allow": self.allow})
        response = await endpoint.respond(Request(scope, receive))
        await response(scope, receive, send)

    @property
    def allow(self) -> str:
        """The methods, HEAD included wherever GET is."""
        head = {"HEAD"} if "GET" in self.by_method else set()
        return ", ".join(sorted({*self.by_method, *head}))
