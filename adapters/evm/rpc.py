"""JSON-RPC 2.0 over HTTP, lean: bytes out, typed answers in, every fault a `ChainUnavailable`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final, Self, TypeVar

import aiohttp
import attrs
import msgspec

from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from collections.abc import Iterable
    from types import TracebackType

ANSWER_BYTES_MAX: Final = 64 * 1024 * 1024
CONNECTIONS_MAX: Final = 8
"""One node is asked by one worker; more at once only earns rate limits."""

KEEP_ALIVE_SECONDS: Final = 4
"""Less than any server keeps an idle connection, or it would be closed just as it is used."""

METHOD_NOT_FOUND: Final = -32601
"""JSON-RPC 2.0, section 5.1."""

EXECUTION_REVERTED: Final = 3
"""The code with which geth answers a reverted ``eth_call`` (``internal/ethapi/errors.go``)."""

_INVALID_REQUEST = -32600
_TOO_LARGE = 413
_TOO_OFTEN = 429
_SERVER_FAULT = 500
_HEADERS = {"content-type": "application/json", "accept": "application/json"}

_Answer = TypeVar("_Answer")


class RpcRefused(ChainUnavailable):
    """The node has answered a call with an error of its own.

    To callers that expect none it is a node without a usable answer.

    Attributes:
        code: JSON-RPC's or the node's own number of the error.
        message: The node's words.
        data: What a reverted call has returned, as ``0x`` hex, if the node says.
    """

    def __init__(self, code: int, message: str, data: str | None = None) -> None:
        super().__init__(f"{code}: {message[:300]}")
        self.code = code
        self.message = message
        self.data = data

    @property
    def reverted(self) -> bool:
        """Whether a contract has refused, which is an answer, unlike all other errors."""
        return self.code == EXECUTION_REVERTED or "revert" in self.message.lower()


class Throttled(RpcRefused):
    """The node is asked too often (HTTP 429)."""


class TooMuchAsked(ChainUnavailable):
    """The node took too long or found the request or its answer too large: ask for less."""


class NoBatches(ChainUnavailable):
    """The node has answered a batch as a whole with an error: it takes none, or shorter ones."""


@attrs.frozen
class Call:
    """One call of a method with its positional parameters, as JSON takes them."""

    method: str
    params: Sequence[object] = ()


class _Error(msgspec.Struct):
    code: int
    message: str = ""
    data: object = None


class _Response(msgspec.Struct):
    id: int | None = None
    result: msgspec.Raw = msgspec.Raw()
    error: _Error | None = None


_RESPONSE: Final[msgspec.json.Decoder[_Response | list[_Response]]] = msgspec.json.Decoder(
    _Response | list[_Response]
)


class JsonRpc:
    """A client of one node. Its session is made in the loop that first asks something."""

    def __init__(self, url: str, *, timeout_seconds: float, batch_calls: int = 100) -> None:
        self._url: Final = url
        self._timeout: Final = aiohttp.ClientTimeout(total=timeout_seconds)
        self._batch_calls: Final = batch_calls
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.aclose()

    async def aclose(self) -> None:
        """Close the connections; a later call opens them again."""
        session, self._session = self._session, None
        if session is not None:
            await session.close()

    async def call(self, call: Call, *, answer: msgspec.json.Decoder[_Answer]) -> _Answer:
        """Ask once.

        Raises:
            RpcRefused: the node answered with an error.
            TooMuchAsked: it took too long.
            ChainUnavailable: it did not answer, or nothing usable.
        """
        response = _decode(await self._post(msgspec.json.encode(_request(0, call))))
        if isinstance(response, list):
            raise ChainUnavailable(f"{call.method}: the node answered with a batch")
        return _result(call, response, answer)

    async def batch(
        self, calls: Sequence[Call], *, answer: msgspec.json.Decoder[_Answer]
    ) -> list[_Answer]:
        """Ask many things of one kind and return the answers in the order of the calls.

        Raises:
            RpcRefused: the node answered one of them with an error.
            TooMuchAsked: it took too long.
            NoBatches: it does not take them at all, or not as long ones.
            ChainUnavailable: it did not answer all of them, or nothing usable.
        """
        answers: list[_Answer] = []
        for start in range(0, len(calls), self._batch_calls):
            part = calls[start : start + self._batch_calls]
            body = msgspec.json.encode([_request(at, call) for at, call in enumerate(part)])
            responses = _decode(await self._post(body))
            if isinstance(responses, _Response):
                raise _refused_whole(responses)
            answers.extend(
                _result(call, response, answer)
                for call, response in zip(part, _in_order(responses, len(part)), strict=True)
            )
        return answers

    async def _post(self, body: bytes) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(
                    limit=CONNECTIONS_MAX, keepalive_timeout=KEEP_ALIVE_SECONDS
                ),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout,
            )
        try:
            async with self._session.post(
                self._url, data=body, headers=_HEADERS, allow_redirects=False
            ) as response:
                content = await _limited(response)
                status = response.status
        except TimeoutError as error:
            raise TooMuchAsked(f"no answer within {self._timeout.total} s") from error
        except aiohttp.ClientError as error:
            raise ChainUnavailable(f"the node does not answer: {type(error).__name__}") from error
        if status == _TOO_OFTEN:
            raise _throttled(content)
        if status == _TOO_LARGE:
            raise TooMuchAsked("the node found the request too large")
        # Providers put JSON-RPC errors into 4xx answers too; what is in a 5xx is anybody's guess.
        if status >= _SERVER_FAULT or not content:
            raise ChainUnavailable(f"the node answered with HTTP {status}")
        return content


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in response.content.iter_any():
        size += len(chunk)
        if size > ANSWER_BYTES_MAX:
            raise TooMuchAsked(f"the answer has more than {ANSWER_BYTES_MAX} bytes")
        chunks.append(chunk)
    return b"".join(chunks)


def _request(id: int, call: Call) -> dict[str, object]:
    return {"jsonrpc": "2.0", "id": id, "method": call.method, "params": call.params}


def _decode(content: bytes) -> _Response | list[_Response]:
    try:
        return _RESPONSE.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ChainUnavailable("the node's answer is not JSON-RPC") from error


def _in_order(responses: Iterable[_Response], expected: int) -> list[_Response]:
    by_id = {response.id: response for response in responses}
    try:
        return [by_id[at] for at in range(expected)]
    except KeyError as error:
        # A node that refuses a batch as a whole may say so in a single response without an id.
        refusal = by_id.get(None)
        if refusal is not None and refusal.error is not None:
            raise _refused_whole(refusal) from error
        raise ChainUnavailable("the node has left calls of a batch unanswered") from error


def _result(call: Call, response: _Response, answer: msgspec.json.Decoder[_Answer]) -> _Answer:
    if response.error is not None:
        raise _refused(response.error)
    try:
        return answer.decode(response.result)
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise ChainUnavailable(f"{call.method}: the node's answer makes no sense") from error


def _refused(error: _Error) -> RpcRefused:
    data = error.data if isinstance(error.data, str) else None
    return RpcRefused(error.code, error.message, data)


def _refused_whole(response: _Response) -> ChainUnavailable:
    """Return why a batch has a single answer: no batches, or too many calls of any kind."""
    error = response.error
    if error is None:
        return NoBatches("the node does not answer batches")
    if error.code in (_INVALID_REQUEST, METHOD_NOT_FOUND) or "batch" in error.message.lower():
        return NoBatches(error.message[:300])
    return _refused(error)


def _throttled(content: bytes) -> Throttled:
    try:
        response = _RESPONSE.decode(content)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        response = []
    error = response.error if isinstance(response, _Response) else None
    if error is None:
        return Throttled(_TOO_OFTEN, "too many requests")
    refusal = _refused(error)
    return Throttled(refusal.code, refusal.message, refusal.data)
