"""Webhooks over HTTP, signed as the Standard Webhooks specification says.

The signature is ``v1,<base64 HMAC-SHA256>`` over ``<id>.<unix seconds>.<body>``, in the headers
``webhook-id``, ``webhook-timestamp`` and ``webhook-signature``.
"""

from __future__ import annotations

import errno
import socket
from typing import TYPE_CHECKING, Self

import aiohttp
from aiohttp.abc import AbstractResolver
from aiohttp.resolver import ThreadedResolver
from ssrfguard import DEFAULT_DENIED
from standardwebhooks import Webhook
from yarl import URL

from domain.webhooks.model import RESPONSE_EXCERPT_MAX, Try

if TYPE_CHECKING:
    from datetime import datetime
    from types import TracebackType

    from aiohttp.abc import ResolveResult

CONNECTIONS_PER_HOST_MAX = 8
USER_AGENT = "Switchyard-Webhooks/1"


class PrivateAddress(OSError):
    """The endpoint lies on a private network: merchants' URLs must not reach into ours."""


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses those that lead to an address which is not public.

    The check is on the very address that is connected to, so a name that changes its address
    after a check gains nothing.
    """

    def __init__(self) -> None:
        self._resolver = ThreadedResolver()

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[ResolveResult]:
        """Return the addresses of a host.

        Raises:
            PrivateAddress: one of them is not public.
        """
        found = await self._resolver.resolve(host, port, family)
        for result in found:
            must_be_public(result["host"])
        return found

    async def close(self) -> None:
        """Close nothing: there is nothing open."""
        await self._resolver.close()


def must_be_public(address: str) -> None:
    """Refuse an address that is not of the public internet; a name that is no address passes.

    Raises:
        PrivateAddress: it is loopback, private, link-local, shared or otherwise reserved, or an
            IPv6 form that carries such an address.
    """
    try:
        verdict = DEFAULT_DENIED.classify(address.strip("[]"))
    except ValueError:
        return
    if verdict.blocked:
        raise PrivateAddress(errno.EACCES, f"{address} is not a public address")


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

    async def __aenter__(self) -> Self:
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

    def _session(self, *, keep_alive: bool) -> aiohttp.ClientSession:
        connector = aiohttp.TCPConnector(
            limit_per_host=CONNECTIONS_PER_HOST_MAX,
            resolver=None if self._allow_private_addresses else PublicResolver(),
            force_close=not keep_alive,
        )
        return aiohttp.ClientSession(
            connector=connector,
            timeout=aiohttp.ClientTimeout(total=self._timeout_seconds),
            headers={"User-Agent": USER_AGENT, "Content-Type": "application/json"},
        )

    async def post(
        self, *, url: str, secret: str, message_id: str, at: datetime, body: bytes
    ) -> Try:
        """Send one message; whatever goes wrong is told in the result."""
        if self._kept is None or self._fresh is None:
            raise RuntimeError("the publisher is not open")
        signature = Webhook(secret).sign(message_id, at, body.decode())
        headers = {
            "webhook-id": message_id,
            "webhook-timestamp": str(int(at.timestamp())),
            "webhook-signature": signature,
        }
        try:
            target = URL(url)
            if not self._allow_private_addresses:
                must_be_public(target.host or "")
            try:
                return await _answer(self._kept, target, body, headers, at=at)
            except aiohttp.ClientConnectorError:
                raise
            except (aiohttp.ServerDisconnectedError, aiohttp.ClientOSError, ConnectionResetError):
                return await _answer(self._fresh, target, body, headers, at=at)
        except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
            return Try(at=at, status=None, detail=f"{type(error).__name__}: {error}"[:200])


async def _answer(
    session: aiohttp.ClientSession,
    target: URL,
    body: bytes,
    headers: dict[str, str],
    *,
    at: datetime,
) -> Try:
    async with session.post(target, data=body, headers=headers, allow_redirects=False) as response:
        excerpt = (await response.content.read(RESPONSE_EXCERPT_MAX)).decode(errors="replace")
        return Try(at=at, status=response.status, detail=excerpt.replace("\0", ""))
