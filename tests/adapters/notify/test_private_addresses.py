"""Merchants choose the URLs that the gateway calls; they must not lead into its own network."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from aiohttp import abc

from adapters.notify.webhooks import (
    PrivateAddress,
    PublicResolver,
    WebhookPublisher,
    must_be_public,
)
from tests.adapters.notify.merchant_server import listening
from tests.contracts.publisher import SECRET

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.webhooks.model import Try


@pytest.fixture
async def strict() -> AsyncIterator[WebhookPublisher]:
    async with WebhookPublisher(timeout_seconds=2, allow_private_addresses=False) as publisher:
        yield publisher


async def tried(publisher: WebhookPublisher, url: str) -> Try:
    return await publisher.post(
        url=url, secret=SECRET, message_id="evt_01", at=datetime.now(UTC), body=b"{}"
    )


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1.2.3",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "[::ffff:7f00:1]",
        "2130706433",
        "0x7f000001",
        "0x7f.0.0.1",
        "0177.0.0.1",
        "127.1",
        "localhost",
        "localhost.",
    ],
)
async def test_this_machine_is_not_called_under_any_of_its_names(
    strict: WebhookPublisher, host: str
) -> None:
    async with listening(strict) as merchant:
        result = await tried(strict, f"http://{host}:{merchant.port}/")

    assert result.status is None
    assert result.detail
    assert merchant.arrived == []


@pytest.mark.parametrize(
    "host",
    [
        "0.0.0.0",  # noqa: S104 (refused)
        "10.0.0.1",
        "100.64.0.1",
        "169.254.169.254",
        "172.16.0.1",
        "192.168.1.1",
        "255.255.255.255",
        "[::]",
        "[fe80::1]",
        "[fd00:ec2::254]",
        "[::ffff:10.0.0.1]",
    ],
)
async def test_no_other_private_address_is_called(strict: WebhookPublisher, host: str) -> None:
    result = await tried(strict, f"http://{host}:9/")

    assert result.status is None
    assert "PrivateAddress" in result.detail


@pytest.mark.parametrize(
    "address",
    [
        "224.0.0.1",
        "ff02::1",
        "64:ff9b::10.0.0.1",
        "2002:7f00:1::",
        "::127.0.0.1",
        "2001:0:7f00:1::",
    ],
)
def test_addresses_that_only_seem_public_are_refused(address: str) -> None:
    with pytest.raises(PrivateAddress):
        must_be_public(address)


@pytest.mark.parametrize("host", ["1.1.1.1", "[2606:4700:4700::1111]", "shop.example"])
def test_public_addresses_pass(host: str) -> None:
    must_be_public(host)


class Answers(abc.AbstractResolver):
    """A resolver that knows one name's addresses."""

    def __init__(self, *addresses: str) -> None:
        self.addresses = addresses

    async def resolve(
        self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_INET
    ) -> list[abc.ResolveResult]:
        return [
            abc.ResolveResult(
                hostname=host, host=address, port=port, family=family, proto=0, flags=0
            )
            for address in self.addresses
        ]

    async def close(self) -> None:
        return None


def resolver_over(*addresses: str) -> PublicResolver:
    """Return the resolver in front of one that answers with these addresses."""
    resolver = PublicResolver()
    resolver._resolver = Answers(*addresses)  # type: ignore[assignment]  # A double of the system's.
    return resolver


@pytest.mark.parametrize("addresses", [("127.0.0.1",), ("1.1.1.1", "10.0.0.1")])
async def test_a_name_that_leads_inside_is_refused(addresses: tuple[str, ...]) -> None:
    with pytest.raises(PrivateAddress):
        await resolver_over(*addresses).resolve("shop.example", 443)


async def test_a_name_that_leads_outside_is_resolved() -> None:
    found = await resolver_over("1.1.1.1").resolve("shop.example", 443)

    assert [result["host"] for result in found] == ["1.1.1.1"]


async def test_a_demo_may_call_its_own_machine() -> None:
    async with (
        WebhookPublisher(timeout_seconds=2, allow_private_addresses=True) as publisher,
        listening(publisher) as merchant,
    ):
        result = await tried(publisher, f"http://localhost:{merchant.port}/")

    assert result.accepted
    assert len(merchant.arrived) == 1
