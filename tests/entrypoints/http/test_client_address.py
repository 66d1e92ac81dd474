"""Where a request comes from: what a caller writes himself is never believed."""

from __future__ import annotations

from ipaddress import ip_network

import pytest
from starlette.requests import Request

from entrypoints.http.client_address import Proxies

PROXIES = tuple(map(ip_network, ("10.0.0.0/8", "fd00::/8", "127.0.0.1/32")))
DIRECT = Proxies()
PLAIN = Proxies(PROXIES)
FORWARDED = Proxies(PROXIES, "forwarded")


def seen(proxies: Proxies, caller: str | None, *lines: str, header: str | None = None) -> str:
    """Return the client's address, or `unknown`."""
    name = (header or proxies.header).encode()
    scope = {
        "type": "http",
        "headers": [(name, line.encode("latin-1")) for line in lines],
        "client": caller and (caller, 4000),
    }
    found = proxies.client_of(Request(scope))
    return "unknown" if found is None else str(found)


@pytest.mark.parametrize("header", ["x-forwarded-for", "forwarded"])
def test_without_proxies_nobody_is_believed(header: str) -> None:
    assert seen(DIRECT, "192.0.2.1", "for=198.51.100.7", header=header) == "192.0.2.1"
    assert seen(DIRECT, "10.0.0.1", "198.51.100.7", header=header) == "10.0.0.1"


def test_a_stranger_speaks_for_nobody() -> None:
    assert seen(PLAIN, "192.0.2.1", "198.51.100.7") == "192.0.2.1"
    assert seen(FORWARDED, "192.0.2.1", "for=198.51.100.7") == "192.0.2.1"


@pytest.mark.parametrize(
    ("lines", "client"),
    [
        (["198.51.100.7"], "198.51.100.7"),
        (["203.0.113.9, 198.51.100.7"], "198.51.100.7"),
        (["203.0.113.9, 198.51.100.7, 10.1.1.1"], "198.51.100.7"),
        (["203.0.113.9", "198.51.100.7, 10.1.1.1"], "198.51.100.7"),
        (["198.51.100.7:4711"], "198.51.100.7"),
        (["2001:db8::7"], "2001:db8::7"),
        (["[2001:db8::7]:4711"], "2001:db8::7"),
        (["::ffff:198.51.100.7"], "198.51.100.7"),
        (["10.2.2.2, 10.1.1.1"], "10.2.2.2"),
        ([], "10.0.0.1"),
        ([""], "10.0.0.1"),
        (["unknown"], "unknown"),
        (["198.51.100.7, unknown, 10.1.1.1"], "unknown"),
        (["198.51.100.7,"], "unknown"),
        (["192.0.2.0/24"], "unknown"),
        (["1" * 5000], "unknown"),
    ],
)
def test_a_list_is_read_from_its_end(lines: list[str], client: str) -> None:
    assert seen(PLAIN, "10.0.0.1", *lines) == client


@pytest.mark.parametrize(
    ("lines", "client"),
    [
        (["for=198.51.100.7"], "198.51.100.7"),
        (["For=198.51.100.7;proto=https;by=203.0.113.43"], "198.51.100.7"),
        (['proto=https;for="198.51.100.7:4711"'], "198.51.100.7"),
        (['for="[2001:db8::7]:4711"'], "2001:db8::7"),
        (["for=203.0.113.9, for=198.51.100.7;by=10.1.1.1, for=10.1.1.1"], "198.51.100.7"),
        (['for=198.51.100.7;by="_a,for=203.0.113.9;"'], "198.51.100.7"),
        (["for=198.51.100.7, for=_hidden"], "unknown"),
        (['for=198.51.100.7, for="_gate:_77"'], "unknown"),
        (["for=198.51.100.7, proto=https"], "unknown"),
        (["for=198.51.100.7, for=unknown"], "unknown"),
        ([], "10.0.0.1"),
    ],
)
def test_forwarded_is_read_as_rfc_7239_has_it(lines: list[str], client: str) -> None:
    assert seen(FORWARDED, "10.0.0.1", *lines) == client


def test_only_the_header_that_is_named_is_read() -> None:
    assert seen(PLAIN, "10.0.0.1", "for=198.51.100.7", header="forwarded") == "10.0.0.1"
    assert seen(FORWARDED, "10.0.0.1", "198.51.100.7", header="x-forwarded-for") == "10.0.0.1"


def test_a_caller_without_an_address_is_unknown() -> None:
    assert seen(PLAIN, None, "198.51.100.7") == "unknown"
    assert seen(PLAIN, "testclient", "198.51.100.7") == "unknown"


def test_proxies_may_be_of_ipv6() -> None:
    assert seen(PLAIN, "fd00::1", "198.51.100.7, fd00::2") == "198.51.100.7"
    assert seen(PLAIN, "::ffff:10.0.0.1", "198.51.100.7") == "198.51.100.7"
