"""toncenter's HTTP API, version 2: masterchain blocks by their hashes, and messages handed over.

The methods and the shapes of their answers are those of ``ton-http-api/schemas/v2.yaml`` in
toncenter/ton-http-api-cpp (2.1) and of docs.ton.org (API v2). It is asked so that there are two
who tell of the chain; nothing it says is proven, so it is compared and never read from.
"""

from __future__ import annotations

import base64
import binascii
from typing import TYPE_CHECKING, Final, Self, TypeVar

import aiohttp
import attrs
import msgspec
from pytoniq_core import Cell

from adapters.ton.liteservers import NOT_ACCEPTED, NotAccepted
from ports.chain import ChainUnavailable

if TYPE_CHECKING:
    from types import TracebackType

TIMEOUT_SECONDS: Final = 5.0
ANSWER_BYTES_MAX: Final = 64 * 1024
CONNECTIONS_MAX: Final = 4
HASH_BYTES: Final = 32

RATE_LIMITED: Final = 429
"""One request a second without a key, ten with a free one (docs.ton.org, rate limits)."""

MASTERCHAIN: Final = -1
WHOLE: Final = "-9223372036854775808"
"""The shard that is all of its workchain; toncenter writes 64-bit numbers as strings."""

_Answer = TypeVar("_Answer")


class _Envelope(msgspec.Struct):
    """What every answer is wrapped in: a result, or words and a code."""

    ok: bool
    result: msgspec.Raw = msgspec.Raw()
    error: str = ""


class _BlockName(msgspec.Struct):
    """``ton.blockIdExt``."""

    workchain: int
    shard: str
    seqno: int
    root_hash: str


class _Head(msgspec.Struct):
    """``blocks.masterchainInfo``."""

    last: _BlockName


class _Sent(msgspec.Struct):
    """``raw.extMessageInfo``."""

    hash: str


_ENVELOPE: Final = msgspec.json.Decoder(_Envelope)
_HEAD: Final = msgspec.json.Decoder(_Head)
_NAME: Final = msgspec.json.Decoder(_BlockName)
_SENT: Final = msgspec.json.Decoder(_Sent)


@attrs.frozen
class NamedBlock:
    """A masterchain block as toncenter names it."""

    number: int
    root_hash: bytes


class Toncenter:
    """A client of one toncenter. Its session is made in the loop that first asks something.

    Neither the address nor the key is ever in an error: providers put their keys in either.

    Args:
        url: Where version 2 is, as ``https://toncenter.com/api/v2``.
        key: Sent as ``X-API-Key``.
        timeout_seconds: For a whole request.
    """

    def __init__(
        self, url: str, *, key: str | None = None, timeout_seconds: float = TIMEOUT_SECONDS
    ) -> None:
        self._url: Final = url.rstrip("/")
        self._headers: Final = {"accept": "application/json"} | (
            {} if key is None else {"X-API-Key": key}
        )
        self._timeout: Final = aiohttp.ClientTimeout(total=timeout_seconds)
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

    async def newest(self) -> NamedBlock:
        """Return the newest masterchain block.

        Raises:
            ChainUnavailable: no usable answer.
        """
        told = await self._asked("GET", "getMasterchainInfo", answer=_HEAD)
        return _named(told.last)

    async def block(self, number: int) -> NamedBlock:
        """Return the masterchain block with a number.

        Raises:
            ChainUnavailable: no usable answer, or it does not have the block.
        """
        where = {"workchain": str(MASTERCHAIN), "shard": WHOLE, "seqno": str(number)}
        named = _named(await self._asked("GET", "lookupBlock", answer=_NAME, query=where))
        if named.number != number:
            raise ChainUnavailable(f"toncenter was asked for block {number}, not {named.number}")
        return named

    async def send(self, message: bytes) -> None:
        """Hand over an external message, a bag of cells.

        Raises:
            NotAccepted: the account does not take it as things stand.
            ChainUnavailable: no usable answer; whether it has the message is unknown.
        """
        body = {"boc": base64.b64encode(message).decode()}
        told = await self._asked("POST", "sendBocReturnHash", answer=_SENT, body=body)
        if _hash(told.hash) != Cell.one_from_boc(message).hash:
            raise ChainUnavailable("toncenter has taken another message than it was given")

    async def _asked(
        self,
        verb: str,
        method: str,
        *,
        answer: msgspec.json.Decoder[_Answer],
        query: dict[str, str] | None = None,
        body: dict[str, str] | None = None,
    ) -> _Answer:
        status, content = await self._exchanged(verb, method, query=query, body=body)
        if status == RATE_LIMITED:
            raise ChainUnavailable("toncenter: too many requests")
        try:
            envelope = _ENVELOPE.decode(content)
            if envelope.ok:
                return answer.decode(envelope.result)
        except (msgspec.MsgspecError, UnicodeDecodeError) as error:
            raise ChainUnavailable(f"toncenter: {method}: no answer in HTTP {status}") from error
        # The liteserver's words are in the middle: tonlib puts ``LITE_SERVER_UNKNOWN: `` first.
        kind = NotAccepted if NOT_ACCEPTED in envelope.error else ChainUnavailable
        raise kind(f"toncenter: {method}: refused with HTTP {status}")

    async def _exchanged(
        self,
        verb: str,
        method: str,
        *,
        query: dict[str, str] | None,
        body: dict[str, str] | None,
    ) -> tuple[int, bytes]:
        if self._session is None:
            self._session = aiohttp.ClientSession(
                connector=aiohttp.TCPConnector(limit=CONNECTIONS_MAX),
                cookie_jar=aiohttp.DummyCookieJar(),
                timeout=self._timeout,
                headers=self._headers,
            )
        try:
            async with self._session.request(
                verb, f"{self._url}/{method}", params=query, json=body, allow_redirects=False
            ) as response:
                return response.status, await _limited(response)
        except (TimeoutError, aiohttp.ClientError) as error:
            # What aiohttp says of a fault names the address, so it is not kept as the cause.
            fault = type(error).__name__
        raise ChainUnavailable(f"toncenter: {method}: {fault}")


async def _limited(response: aiohttp.ClientResponse) -> bytes:
    content = bytearray()
    async for chunk in response.content.iter_any():
        content += chunk
        if len(content) > ANSWER_BYTES_MAX:
            raise ChainUnavailable(f"toncenter: more than {ANSWER_BYTES_MAX} bytes")
    return bytes(content)


def _named(told: _BlockName) -> NamedBlock:
    if (told.workchain, told.shard) != (MASTERCHAIN, WHOLE) or told.seqno < 0:
        raise ChainUnavailable("toncenter has named a block that is not the masterchain's")
    return NamedBlock(told.seqno, _hash(told.root_hash))


def _hash(text: str) -> bytes:
    """Read a hash, which is in base64."""
    try:
        read = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise ChainUnavailable("toncenter has told a hash that is none") from error
    if len(read) != HASH_BYTES:
        raise ChainUnavailable("toncenter has told a hash that is none")
    return read
