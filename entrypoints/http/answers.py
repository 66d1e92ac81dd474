"""Answers: objects rendered by the domain, told once and again for the same idempotency key."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import attrs
import orjson

from domain.shared.idempotency import Idempotency, RequestReplayed
from entrypoints.http.endpoint import RawJson
from entrypoints.http.pagination import next_link

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from domain.merchants.model import Merchant
    from domain.shared.events import Json
    from entrypoints.http.endpoint import Call
    from entrypoints.http.pagination import Page

_Result = TypeVar("_Result")


def answer(call: Call[Merchant], shown: Json) -> RawJson:
    """Answer with an object as the domain shows it."""
    return RawJson(body=orjson.dumps(shown), status=call.status)


def answer_page(call: Call[Merchant], page: Page[dict[str, Json]]) -> RawJson:
    """Answer with a page of objects, and link to the next page where there is one."""
    if page.next_cursor is not None:
        scope = call.request.scope
        call.headers["Link"] = next_link(
            path=scope["path"],
            query_string=scope["query_string"].decode("ascii"),
            cursor=page.next_cursor,
        )
    return answer(call, attrs.asdict(page))


async def answer_once(
    call: Call[Merchant],
    act: Callable[[Idempotency[_Result] | None], Awaitable[_Result]],
    view: Callable[[_Result], Json],
) -> RawJson:
    """Act and answer; where the request's key has led to an answer before, tell that again."""
    kept: list[bytes] = []

    def render(result: _Result) -> bytes:
        kept.append(orjson.dumps(view(result)))
        return kept[-1]

    idempotency = None
    if call.idempotency_key is not None:
        idempotency = Idempotency(
            key=call.idempotency_key,
            fingerprint=bytes.fromhex(call.fingerprint),
            render=render,
        )
    try:
        result = await act(idempotency)
    except RequestReplayed as replay:
        return RawJson(body=replay.answer, status=call.status, replayed=True)
    return RawJson(body=kept[-1] if kept else render(result), status=call.status)
