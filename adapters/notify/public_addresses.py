"""Addresses that merchants may have called: those of the public internet, and no others."""

from __future__ import annotations

import asyncio
import errno
import socket
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from ipaddress import ip_address, ip_network
from typing import TYPE_CHECKING, Final

from aiohttp.abc import AbstractResolver, ResolveResult
from ssrfguard import DEFAULT_DENIED

if TYPE_CHECKING:
    from collections.abc import Sequence

RESOLVING_MAX: Final = 32
"""How many names are looked up at a time; a name server that is slow keeps a thread each."""


_TRANSLATED: Final = ip_network("::ffff:0:0:0/96")
"""IPv4 addresses as RFC 2765 translates them, which the registry of networks does not list."""


class PrivateAddress(OSError):
    """The endpoint lies on a private network: merchants' URLs must not reach into ours."""


class PublicResolver(AbstractResolver):
    """Resolves names, and refuses those that lead to an address which is not public.

    The check is on the very address that is connected to, so a name that changes its address
    after a check gains nothing. One address that is not public makes the whole name suspect.

    The names of many servers are looked up side by side, on threads of their own: the few that
    the event loop has would all wait for the name servers of those who are gone.
    """

    def __init__(self, *, allow_private_addresses: bool = False) -> None:
        self._allow_private_addresses = allow_private_addresses
        self._threads = ThreadPoolExecutor(RESOLVING_MAX, thread_name_prefix="names")

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC
    ) -> list[ResolveResult]:
        """Return the addresses of a host.

        Raises:
            PrivateAddress: one of them is not public.
            OSError: there is none.
        """
        found = await self._look_up(host, port, family)
        if not self._allow_private_addresses:
            for result in found:
                _must_be_known_public(result["host"])
        return found

    async def _look_up(
        self, host: str, port: int, family: socket.AddressFamily
    ) -> list[ResolveResult]:
        found = await asyncio.get_running_loop().run_in_executor(
            self._threads, _addresses, host, port, family
        )
        return [
            ResolveResult(
                hostname=host,
                host=address,
                port=port,
                family=kind,
                proto=protocol,
                flags=socket.AI_NUMERICHOST | socket.AI_NUMERICSERV,
            )
            for kind, protocol, address in found
        ]

    async def close(self) -> None:
        """Let the threads go; a look-up under way ends by itself."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _addresses(
    host: str, port: int, family: socket.AddressFamily
) -> Sequence[tuple[socket.AddressFamily, int, str]]:
    """Ask the system for addresses, in its order."""
    found = socket.getaddrinfo(
        host, port, family=family, type=socket.SOCK_STREAM, flags=socket.AI_ADDRCONFIG
    )
    return [(kind, protocol, str(place[0])) for kind, _, protocol, _, place in found]


def must_be_public(host: str) -> None:
    """Refuse an address that is not of the public internet; a name that is no address passes.

    Raises:
        PrivateAddress: it is loopback, private, link-local, shared or otherwise reserved, or an
            IPv6 form that carries such an address.
    """
    with suppress(ValueError):
        _must_be_known_public(host.strip("[]"))


def _must_be_known_public(address: str) -> None:
    """Refuse what is not known to be public.

    Raises:
        PrivateAddress: it is not of the public internet.
        ValueError: it is no address at all.
    """
    blocked = DEFAULT_DENIED.classify(address).blocked
    if blocked or ip_address(address) in _TRANSLATED:
        # Which one it is stays here: merchants read this, and our addresses are not theirs.
        raise PrivateAddress(errno.EACCES, "not a public address")
