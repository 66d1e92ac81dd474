"""Answers: objects rendered by the domain, told once and again for the same idempotency key."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeVar

import orjson

from domain.shared.idempotency import Idempotency, RequestReplayed
from entrypoints.http.endpoint import RawJson

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from domain.merchants.model import Merchant
    from domain.shared.events import Json
    from entrypoints.http.endpoint import Call

_Result = TypeVar("_Result")


def answer(call: Call[Merchant], shown: Json) -> RawJson:
    """Answer with an object as the domain shows it."""
    return RawJson(body=orjson.dumps(shown), status=call.status)


async def answer_once(
    call: Call[Merchant],
    act: Callable[[Idempotency[_Result] | None], Awaitable[_Result]],
    view: Callable[[_Result], Json],
) -> RawJson:
    """Act and answer; where the request's key has led to an answer before, tell that again."""

    def render(result: _Result) -> bytes:
        return orjson.dumps(view(result))

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
    return RawJson(body=render(result), status=call.status)
