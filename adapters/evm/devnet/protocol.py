"""JSON-RPC 2.0 envelopes: one request or a batch in, as many answers out.

Codes and wording follow geth's ``rpc/errors.go``, which is what client libraries match on.
"""

from __future__ import annotations

import inspect
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

import attrs
import orjson

if TYPE_CHECKING:
    from collections.abc import Mapping

Method = Callable[..., object]

PARSE_ERROR = -32700
INVALID_REQUEST = -32600
METHOD_NOT_FOUND = -32601
INVALID_PARAMS = -32602
INTERNAL_ERROR = -32603
SERVER_ERROR = -32000
LIMIT_EXCEEDED = -32005
EXECUTION_REVERTED = 3

MAX_BATCH = 1_000
_MAX_LOGGED_CHARACTERS = 100

_log = logging.getLogger(__name__)


class RpcError(Exception):
    """A method's refusal, as the client reads it."""

    def __init__(self, code: int, message: str, *, data: object = None) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.data = data


class InvalidParams(RpcError):
    """The arguments are not what the method takes."""

    def __init__(self, message: str) -> None:
        super().__init__(INVALID_PARAMS, message)


@attrs.frozen
class _Entry:
    call: Method
    required: int
    accepted: int


class Dispatcher:
    """Names to methods. Positional parameters only, counted before the call."""

    def __init__(self, methods: Mapping[str, Method]) -> None:
        self._entries: Final = {name: _entry(method) for name, method in methods.items()}

    def answer(self, body: bytes) -> bytes | None:
        """Answer one HTTP body; None when it holds nothing but notifications."""
        try:
            message = orjson.loads(body)
        except orjson.JSONDecodeError:
            return orjson.dumps(_failure(None, RpcError(PARSE_ERROR, "parse error")))
        if not isinstance(message, list):
            single = self._answer_one(message)
            return None if single is None else orjson.dumps(single)
        if not message:
            return orjson.dumps(_failure(None, RpcError(INVALID_REQUEST, "empty batch")))
        if len(message) > MAX_BATCH:
            return orjson.dumps(_failure(None, RpcError(INVALID_REQUEST, "batch too large")))
        answers = [one for request in message if (one := self._answer_one(request)) is not None]
        return orjson.dumps(answers) if answers else None

    def _answer_one(self, request: object) -> dict[str, object] | None:
        if not isinstance(request, dict) or not isinstance(request.get("method"), str):
            return _failure(None, RpcError(INVALID_REQUEST, "invalid request"))
        request_id = request.get("id")
        if isinstance(request_id, (dict, list, bool)):
            return _failure(None, RpcError(INVALID_REQUEST, "invalid request"))
        try:
            result = self._call(request["method"], request.get("params"))
        except RpcError as error:
            answer = _failure(request_id, error)
        except Exception:  # noqa: BLE001 - a fault of ours must not end the client's connection
            _log.exception("%s failed", request["method"][:_MAX_LOGGED_CHARACTERS])
            answer = _failure(request_id, RpcError(INTERNAL_ERROR, "internal error"))
        else:
            answer = {"jsonrpc": "2.0", "id": request_id, "result": result}
        return answer if "id" in request else None

    def _call(self, name: str, params: object) -> object:
        entry = self._entries.get(name)
        if entry is None:
            raise RpcError(METHOD_NOT_FOUND, f"the method {name} does not exist/is not available")
        arguments = [] if params is None else params
        if not isinstance(arguments, list):
            raise InvalidParams("non-array args")
        if len(arguments) < entry.required:
            raise InvalidParams(f"missing value for required argument {len(arguments)}")
        if len(arguments) > entry.accepted:
            raise InvalidParams(f"too many arguments, want at most {entry.accepted}")
        return entry.call(*arguments)


def _entry(method: Method) -> _Entry:
    parameters = inspect.signature(method).parameters.values()
    required = sum(1 for one in parameters if one.default is inspect.Parameter.empty)
    return _Entry(method, required, len(parameters))


def _failure(request_id: object, error: RpcError) -> dict[str, object]:
    body: dict[str, object] = {"code": error.code, "message": error.message}
    if error.data is not None:
        body["data"] = error.data
    return {"jsonrpc": "2.0", "id": request_id, "error": body}
