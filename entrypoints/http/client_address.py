"""Where a request comes from, behind proxies that are trusted to say so.

A proxy adds to a header whom it was called by. What stands left of that the caller may have made
up. So the header is read from its end, over addresses of proxies of our own, up to the first that
is none. One header alone is read, the one that the settings name: a proxy passes the other one on
as it came.
"""

from __future__ import annotations

import ipaddress
import re
from typing import TYPE_CHECKING

import attrs

from domain.merchants.model import Network

if TYPE_CHECKING:
    from starlette.requests import Request

    from domain.merchants.model import Address

_HEADER_BYTES_MAX = 4096
_ELEMENT = re.compile(r'(?:[^,"]|"(?:[^"\\]|\\.)*")+')
_PAIR = re.compile(r'(?:[^;"]|"(?:[^"\\]|\\.)*")+')
"""The parts of Forwarded, in which commas and semicolons may be quoted (RFC 7239, section 4)."""
_PORT = re.compile(r":(?:[0-9]{1,5}|_[A-Za-z0-9._-]+)\Z")
"""A port, or what stands for one, behind an address (RFC 7239, section 6)."""


@attrs.frozen
class Proxies:
    """Which callers are proxies of ours, and in which header they name theirs."""

    networks: tuple[Network, ...] = ()
    header: str = "x-forwarded-for"
    """``forwarded`` stands for the one of RFC 7239; any other is a list of addresses."""

    def client_of(self, request: Request) -> Address | None:
        """Return the address of the first caller that is no proxy of ours; None if unknown."""
        caller = _address(request.client.host) if request.client else None
        if not self._trusts(caller):
            return caller
        named = ",".join(request.headers.getlist(self.header))
        if len(named) > _HEADER_BYTES_MAX:
            return None
        read = _forwarded if self.header == "forwarded" else _plain
        for name in reversed(read(named)):
            caller = _address(name)
            if not self._trusts(caller):
                return caller
        return caller

    def _trusts(self, address: Address | None) -> bool:
        return address is not None and any(address in each for each in self.networks)


def _plain(named: str) -> list[str]:
    return [name.strip() for name in named.split(",")] if named else []


def _forwarded(named: str) -> list[str]:
    """Return the ``for`` of each element of Forwarded; nothing where an element has none."""
    return [_for(element) for element in _ELEMENT.findall(named)]


def _for(element: str) -> str:
    for pair in _PAIR.findall(element):
        name, _, value = pair.partition("=")
        if name.strip().lower() == "for":
            return str(value).strip().strip('"')
    return ""


def _address(name: str) -> Address | None:
    """Read an address, with or without a port; an IPv4 one may come inside an IPv6 one."""
    text = name.strip()
    if text.startswith("["):
        text = text[1:].partition("]")[0]
    elif text.count(":") == 1:
        text = _PORT.sub("", text)
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped or address
