"""Reading the parts of a request an endpoint declared, within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar
from urllib.parse import parse_qsl

import attrs
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect

from entrypoints.http.problems import ProblemType, Refusal
from entrypoints.http.schema import Refused, Text

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from starlette.datastructures import Headers
    from starlette.requests import Request

    from entrypoints.http.schema import Rule

BODY_BYTES_MAX = 64 * 1024
_QUERY_FIELDS_MAX = 64

# Any visible ASCII is let through: the IETF draft quotes the key, most clients do not, and it is
# opaque to us either way.
IDEMPOTENCY_KEY = Text(
    pattern="^[!-~]{1,255}$",
    description=(
        "Names this attempt. The same key with the same request answers what the first one did; "
        "with another request it is refused with 422; while the first still runs, with 409. "
        "A key counts for 24 hours, and is as good as new afterwards. A request that got no "
        "answer, or 503, has had its whole effect or none: send it again with the same key."
    ),
    example="3c1f1f5e-2f0e-4a31-9d0b-5f6e0c3b8a77",
)


@attrs.frozen(eq=False)
class ContentTooLarge(Refusal):
    """The body is longer than this API reads."""

    problem: ClassVar = ProblemType(
        413,
        "content-too-large",
        "Content too large",
        detail="The body may have at most {bytes_max} bytes.",
    )

    bytes_max: int


@attrs.frozen(eq=False)
class UnsupportedMediaType(Refusal):
    """The body must be application/json in UTF-8, without content coding."""

    problem: ClassVar = ProblemType(415, "unsupported-media-type", "Unsupported media type")


@attrs.frozen(eq=False)
class MalformedQuery(Refusal):
    """The query is not form-encoded UTF-8, or names more than 64 fields, or one of them twice."""

    problem: ClassVar = ProblemType(400, "malformed-query", "Malformed query")


@attrs.frozen(eq=False)
class IdempotencyKeyMissing(Refusal):
    """The operation needs one Idempotency-Key header."""

    problem: ClassVar = ProblemType(400, "idempotency-key-missing", "Idempotency key missing")


@attrs.frozen(eq=False)
class IdempotencyKeyInvalid(Refusal):
    """An idempotency key is 1 to 255 visible ASCII characters."""

    problem: ClassVar = ProblemType(400, "idempotency-key-invalid", "Idempotency key invalid")


async def read_body(request: Request, *, bytes_max: int) -> bytes:
    """Read a JSON body, and stop reading as soon as it is too long.

    Raises:
        UnsupportedMediaType: It is declared as something else than JSON.
        ContentTooLarge: Its declared or actual length is above `bytes_max`.
        ClientDisconnect: The client went away before the end.
    """
    headers = request.headers
    length = headers.get("content-length", "0")
    if length.isdecimal() and int(length) > bytes_max:
        raise ContentTooLarge(bytes_max)
    receive = request.receive
    message = await receive()
    body: bytes = message.get("body", b"")
    while message.get("more_body", False):
        message = await receive()
        body += message.get("body", b"")
        if len(body) > bytes_max:
            break
    if len(body) > bytes_max:
        raise ContentTooLarge(bytes_max)
    if message["type"] == "http.disconnect":
        raise ClientDisconnect
    if body and not _is_json(headers):
        raise UnsupportedMediaType
    return body


def _is_json(headers: Headers) -> bool:
    if headers.get("content-encoding", "identity") != "identity":
        return False
    media_type, _, parameters = headers.get("content-type", "").partition(";")
    return media_type.strip().lower() == "application/json" and (
        parameters.replace('"', "").strip().lower() in ("", "charset=utf-8")
    )


def read_query(query_string: bytes, *, lists: Collection[str]) -> dict[str, Any]:
    """Read a query into words by name; those named in `lists` may repeat and become lists.

    Raises:
        MalformedQuery: It is not UTF-8, has too many fields, or repeats one that is no list.
    """
    if not query_string:
        return {}
    try:
        pairs = parse_qsl(
            query_string.decode("ascii"),
            keep_blank_values=True,
            errors="strict",
            max_num_fields=_QUERY_FIELDS_MAX,
        )
    except ValueError as error:
        raise MalformedQuery from error
    words: dict[str, Any] = {}
    for name, word in pairs:
        if name in lists:
            words.setdefault(name, []).append(word)
        elif name in words:
            raise MalformedQuery
        else:
            words[name] = word
    return words


def read_path(parameters: Mapping[str, str], rules: Mapping[str, Rule]) -> dict[str, Any]:
    """Read the path parameters; what breaks its rule names nothing, so the answer is 404.

    Raises:
        HTTPException: 404.
    """
    try:
        return {name: rule.check(rule.parse(parameters[name])) for name, rule in rules.items()}
    except Refused as error:
        raise HTTPException(404) from error


def read_idempotency_key(headers: Headers, *, required: bool) -> str | None:
    """Read the Idempotency-Key header.

    Raises:
        IdempotencyKeyMissing: It is required and absent.
        IdempotencyKeyInvalid: It is repeated, empty, too long or not visible ASCII.
    """
    keys = headers.getlist("idempotency-key")
    if not keys and not required:
        return None
    if not keys:
        raise IdempotencyKeyMissing
    try:
        (key,) = keys
        return IDEMPOTENCY_KEY.check(key)
    except ValueError as error:
        raise IdempotencyKeyInvalid from error
