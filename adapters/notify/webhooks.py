"""Webhooks over HTTP, signed as the Standard Webhooks specification says.

The signature is ``v1,<base64 HMAC-SHA256>`` over ``<id>.<unix seconds>.<body>``, in the headers
``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``. While a secret follows another
there are two signatures, with a space between them.

Endpoints that want it are sent ``X-Webhook-Signature`` besides: HMAC-SHA256 over the body alone,
in lower-case hex, whose key is the text of the present secret, ``whsec_`` included.
"""

from __future__ import annotations

import hmac
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final, Self

import aiohttp
from standardwebhooks import Webhook
from yarl import URL

from adapters.notify.public_addresses import PublicResolver, must_be_public
from domain.webhooks.model import RESPONSE_EXCERPT_MAX, Try

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from types import TracebackType

USER_AGENT = "Switchyard-Webhooks/1"
ANSWERS_WITH: Final = ("content-type", "date", "location", "retry-after", "server")
"""The headers of an answer that are kept."""
HEADER_MAX: Final = 200
"""How much of each is kept, in characters."""


class WebhookPublisher:
    """Posts messages over connections that are kept, opened and closed with the process.

    A server may close a connection at the moment it is used again. Such a post is repeated at once
    on a connection of its own; by the message's identifier the server knows if it had it already.
    """

    def __init__(self, *, timeout_seconds: float, allow_private_addresses: bool) -> None:
        self._timeout_seconds = timeout_seconds
        self._allow_private_addresses = allow_private_addresses
        self._kept: aiohttp.ClientSession | None = None
        self._fresh: aiohttp.ClientSession | None = None
        self._resolver: PublicResolver | None = None

    async def __aenter__(self) -> Self:
        self._resolver = PublicResolver(allow_private_addresses=self._allow_private_addresses)
        self._kept = self._session(keep_alive=True)
        self._fresh = self._session(keep_alive=False)
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._kept is not None and self._fresh is not None:
            await self._kept.close()
            await self._fresh.close()
            self._kept = self._fresh = None
        if self._resolver is not None:
            await self._resolver.close()
            self._resolver = None

    def _session(self, *, keep_alive: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            # Whoever posts bounds how many posts are under way, in all and to each endpoint. A
            # bound here would make the posts to servers that answer wait for those that do not.
            limit=0,
            resolver=self._resolver,
            force_close=not keep_alive,
        )
        return aiohttp.ClientSession(
            connector=connector,
            # Nobody is logged in anywhere: a server's cookie is no business of its next message.
            cookie_jar=aiohttp.DummyCookieJar(),
            timeout=aiohttp.ClientTimeout(total=self._timeout_seconds),
            headers={"User-Agent": USER_AGENT, "Content-Type": "application/json"},
        )

    async def post(
        self,
        *,
        url: str,
        secret: str,
        message_id: str,
        at: datetime,
        body: bytes,
        former_secret: str | None = None,
        hex_signature: bool = False,
    ) -> Try:
        """Send one message; whatever goes wrong is told in the result."""
        if self._kept is None or self._fresh is None:
            raise RuntimeError("the publisher is not open")
        secrets = [secret] if former_secret is None else [secret, former_secret]
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": " ".join(
                Webhook(each).sign(message_id, at, body.decode()) for each in secrets
            ),
        }
        if hex_signature:
            digest = hmac.digest(secret.encode(), body, "sha256")
            headers["X-Webhook-Signature"] = digest.hex()
        began = time.perf_counter()
        try:
            target = URL(url)
            if not self._allow_private_addresses:
                must_be_public(target.host or "")
            try:
                answer = await _answer(self._kept, target, body, headers)
            except aiohttp.ClientConnectorError:
                raise
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError):
                answer = await _answer(self._fresh, target, body, headers)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            detail = f"{type(error).__name__}: {error}"[:HEADER_MAX]
            return Try(at=at, status=None, detail=detail, url=url, milliseconds=_since(began))
        status, told, excerpt = answer
        return Try(
            at=at,
            status=status,
            detail=excerpt,
            url=url,
            milliseconds=_since(began),
            headers=told,
            retry_after_seconds=_retry_after(told.get("retry-after"), at=at),
        )


async def _answer(
    session: aiohttp.ClientSession, target: URL, body: bytes, headers: Mapping[str, str]
) -> tuple[int, Mapping[str, str], str]:
    """Post; return the answer's status, the headers that are kept of it, and its beginning."""
    async with session.post(target, data=body, headers=headers, allow_redirects=False) as response:
        excerpt = await _beginning(response)
        told = {
            name: _storable(response.headers[name][:HEADER_MAX])
            for name in ANSWERS_WITH
            if name in response.headers
        }
        return response.status, told, excerpt


async def _beginning(response: aiohttp.ClientResponse) -> str:
    """Read as much of the body as is kept; one that breaks off is kept as far as it came."""
    read = part = await response.content.read(RESPONSE_EXCERPT_MAX)
    with suppress(TimeoutError, aiohttp.ClientError, OSError):
        while part and len(read) < RESPONSE_EXCERPT_MAX:
            part = await response.content.read(RESPONSE_EXCERPT_MAX - len(read))
            read += part
    return _storable(read.decode(errors="replace"))


def _storable(text: str) -> str:
    """Return text as PostgreSQL can keep it: without NUL, and without half a character."""
    return text.replace("\0", "").encode(errors="replace").decode()


def _retry_after(told: str | None, *, at: datetime) -> int | None:
    """Read ``Retry-After``: seconds, or a date (RFC 9110, 10.2.3); None where it is neither."""
    if told is None:
        return None
    if told.isdecimal() and told.isascii():
        return int(told[:9])
    try:
        until = parsedate_to_datetime(told)
        return max(int((until - at).total_seconds()), 0)
    except (TypeError, ValueError, OverflowError):
        return None


def _since(began: float) -> int:
    return round((time.perf_counter() - began) * 1000)
