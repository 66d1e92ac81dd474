"""Settings of the HTTP API: where it listens, and whose word it takes for who calls."""

from __future__ import annotations

import ipaddress
from typing import Any, Final

import attrs

FORWARDED_HEADERS: Final = ("x-forwarded-for", "forwarded")


def _networks(instance: object, attribute: attrs.Attribute[Any], value: tuple[str, ...]) -> None:
    del instance
    for each in value:
        try:
            ipaddress.ip_network(each)
        except ValueError as error:
            raise ValueError(f"{attribute.name}: {error}") from error


@attrs.frozen
class Http:
    """Where the API listens, and what it signs cursors with."""

    cursor_key: str = attrs.field(repr=False, validator=attrs.validators.min_len(32))
    host: str = "127.0.0.1"
    port: int = attrs.field(
        default=8080, validator=[attrs.validators.ge(0), attrs.validators.le(65535)]
    )
    trusted_proxies: tuple[str, ...] = attrs.field(default=(), validator=_networks)
    """Networks of proxies of ours, in CIDR notation, whose word is taken for whom they were called
    by. Without any, a caller is who is connected."""
    forwarded_header: str = attrs.field(
        default="x-forwarded-for", validator=attrs.validators.in_(FORWARDED_HEADERS)
    )
    """Where those proxies say so. The other header is not looked at: a proxy that does not know it
    passes on what a caller has written there."""
