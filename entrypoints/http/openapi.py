"""The OpenAPI 3.1 document of a list of endpoints."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, get_origin

import attrs

from entrypoints.http.admission import REFUSALS
from entrypoints.http.codec import Fault, Invalid, Malformed, Misfit
from entrypoints.http.endpoint import NoQuery
from entrypoints.http.hints import fields_of, optional_of
from entrypoints.http.json_schema import COMPONENTS, Schemas, default_of
from entrypoints.http.pagination import Page
from entrypoints.http.problems import INTERNAL, MEDIA_TYPE, NOT_FOUND
from entrypoints.http.request import (
    IDEMPOTENCY_KEY,
    ContentTooLarge,
    IdempotencyKeyInvalid,
    IdempotencyKeyMissing,
    MalformedQuery,
    UnsupportedMediaType,
)
from entrypoints.http.versions import HEADER, KNOWN, OLDEST, UnknownApiVersion

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from entrypoints.http.endpoint import Endpoint
    from entrypoints.http.json_schema import Json
    from entrypoints.http.problems import ProblemTable, ProblemType

_SECURITY = "apiKey"


_LIMITS = {
    "RateLimit": "How many requests of this kind may follow with this key (`r`), and in how many "
    "seconds there will be more (`t`).",
    "RateLimit-Policy": "How many there may be (`q`) in each window of so many seconds (`w`).",
}
"""The headers of draft-ietf-httpapi-ratelimit-headers-10."""

_VERSION: Json = {
    "name": HEADER,
    "in": "header",
    "required": False,
    "description": f"The version of the API that is spoken, a date. Without it, {OLDEST}.",
    "schema": {"type": "string", "enum": [*KNOWN]},
}

PROBLEM: Json = {
    "type": "object",
    "description": "A problem as RFC 9457 has it; each type may add members.",
    "properties": {
        "type": {"type": "string", "format": "uri-reference"},
        "title": {"type": "string"},
        "status": {"type": "integer", "minimum": 400, "maximum": 599},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The request's id."},
        "errors": {
            "type": "array",
            "description": "What is wrong with the request, and where.",
            "items": {
                "anyOf": [
                    {"$ref": f"{COMPONENTS}/{Fault.__name__}"},
                    {"$ref": f"{COMPONENTS}/{Misfit.__name__}"},
                ]
            },
        },
    },
    "required": ["type", "title", "status", "detail", "instance"],
}


def document(
    endpoints: Iterable[Endpoint],
    *,
    title: str,
    version: str,
    description: str,
    problems: ProblemTable,
) -> Json:
    """Describe the endpoints.

    Raises:
        TypeError: A type has no schema, two classes share a name, or a declared problem has no row
        in the table.
    """
    schemas = Schemas()
    schemas.of(Fault)
    schemas.of(Misfit)
    schemas.components["Problem"] = PROBLEM
    paths: dict[str, Json] = defaultdict(dict)
    for endpoint in endpoints:
        method = endpoint.operation.method.lower()
        paths[endpoint.operation.path][method] = _operation(endpoint, schemas, problems)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version, "description": description},
        "paths": dict(paths),
        "components": {
            "schemas": schemas.components,
            "securitySchemes": {
                _SECURITY: {
                    "type": "http",
                    "scheme": "bearer",
                    "description": "A secret API key. What it must allow is at each operation.",
                }
            },
            "parameters": {HEADER: _VERSION},
            "headers": {
                HEADER: {
                    "description": "The version of the API in which the answer is written.",
                    "schema": _VERSION["schema"],
                },
                "X-Request-Id": {
                    "description": "The id of this request in our logs.",
                    "schema": {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,128}$"},
                },
                **{
                    name: {"description": words, "schema": {"type": "string"}}
                    for name, words in _LIMITS.items()
                },
            },
        },
    }


def _operation(endpoint: Endpoint, schemas: Schemas, problems: ProblemTable) -> Json:
    of, signature = endpoint.operation, endpoint.signature
    described: Json = {
        "operationId": endpoint.name,
        "summary": of.summary,
        "tags": list(of.tags),
        "parameters": list(_parameters(endpoint, schemas)),
        "security": [] if of.scope is None else [{_SECURITY: [of.scope]}],
        "responses": {
            str(of.status): _success(endpoint, schemas),
            **_problem_responses(endpoint, problems),
        },
    }
    if of.scope is not None:
        described["x-required-scope"] = of.scope
    if endpoint.description:
        described["description"] = endpoint.description
    if signature.body is not None:
        described["requestBody"] = {
            "required": signature.body_required,
            "content": {"application/json": {"schema": schemas.of(signature.body)}},
        }
    return described


def _parameters(endpoint: Endpoint, schemas: Schemas) -> Iterator[Json]:
    signature = endpoint.signature
    for name, kind in signature.path.items():
        yield _parameter(name, "path", schemas.of(kind), required=True)
    if signature.query is not NoQuery:
        for field, hint in fields_of(signature.query):
            # A query cannot say null: an optional parameter is left out.
            schema = schemas.of(optional_of(hint) or hint)
            required = field.default is attrs.NOTHING
            if field.default is not None:
                schema.update(default_of(field))
            yield _parameter(field.alias or field.name, "query", schema, required=required)
    if endpoint.operation.idempotency != "none":
        schema = {**IDEMPOTENCY_KEY.keywords(), **IDEMPOTENCY_KEY.documentation()}
        required = endpoint.operation.idempotency == "required"
        yield _parameter("Idempotency-Key", "header", schema, required=required)
    yield {"$ref": f"#/components/parameters/{HEADER}"}


def _parameter(name: str, place: str, schema: Json, *, required: bool) -> Json:
    parameter: Json = {"name": name, "in": place, "required": required, "schema": schema}
    if words := schema.pop("description", ""):
        parameter["description"] = words
    return parameter


def _success(endpoint: Endpoint, schemas: Schemas) -> Json:
    headers = _headers(endpoint)
    response: Json = {"description": endpoint.operation.summary, "headers": headers}
    view = endpoint.signature.response
    if view is not None:
        response["content"] = {"application/json": {"schema": schemas.of(view)}}
    if get_origin(view) is Page:
        headers["Link"] = {
            "description": 'The next page (rel="next"), where there is one.',
            "schema": {"type": "string"},
        }
    if endpoint.operation.idempotency != "none":
        headers["Idempotent-Replayed"] = {
            "description": "`true` on the repetition of a stored response.",
            "schema": {"type": "string", "enum": ["true"]},
        }
    return response


def _headers(endpoint: Endpoint) -> Json:
    """The headers of each response."""
    names = ["X-Request-Id", HEADER, *([] if endpoint.operation.scope is None else _LIMITS)]
    return {name: {"$ref": f"#/components/headers/{name}"} for name in names}


def _implied(endpoint: Endpoint) -> Iterator[type[BaseException]]:
    """The refusals of this layer that an operation can meet by its shape."""
    of, signature = endpoint.operation, endpoint.signature
    yield from (UnknownApiVersion, MalformedQuery, Invalid)
    if of.scope is not None:
        yield from REFUSALS
    if of.idempotency == "required":
        yield IdempotencyKeyMissing
    if of.idempotency != "none":
        yield IdempotencyKeyInvalid
    if signature.body is not None:
        yield from (Malformed, ContentTooLarge, UnsupportedMediaType)


def _problem_responses(endpoint: Endpoint, problems: ProblemTable) -> Json:
    by_status: dict[int, list[ProblemType]] = defaultdict(list)
    for kind in (*_implied(endpoint), *endpoint.operation.problems):
        problem = problems.of(kind)
        if problem is None:
            raise TypeError(f"{endpoint.name}: {kind.__name__} has no row in the problem table")
        if problem not in by_status[problem.status]:
            by_status[problem.status].append(problem)
    if endpoint.signature.path:
        by_status.setdefault(404, []).append(NOT_FOUND)
    always = _headers(endpoint)
    responses = {str(status): _problem(by_status[status], always) for status in sorted(by_status)}
    others = {name for row in problems.rows.values() for name in row.headers}
    return {**responses, "default": _problem([INTERNAL], always, others=others)}


def _problem(kinds: list[ProblemType], always: Json, *, others: Iterable[str] = ()) -> Json:
    named = {*others, *(name for kind in kinds for name in kind.headers)}
    examples = {
        kind.slug: {
            "value": {
                "type": kind.type,
                "title": kind.title,
                "status": kind.status,
                "detail": kind.detail or kind.title,
                "instance": "req_5f0c1b7e2a9d4c3b8e6f7a10",
            }
        }
        for kind in kinds
    }
    return {
        "description": "; ".join(f"{kind.title} (`{kind.slug}`)" for kind in kinds),
        "headers": {
            **always,
            **{name: {"schema": {"type": "string"}} for name in sorted(named)},
        },
        "content": {
            MEDIA_TYPE: {"schema": {"$ref": f"{COMPONENTS}/Problem"}, "examples": examples}
        },
    }
