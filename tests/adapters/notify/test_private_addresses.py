"""Merchants choose the URLs that the gateway calls; they must not lead into its own network."""

from __future__ import annotations

import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest

from adapters.notify.public_addresses import PrivateAddress, PublicResolver, must_be_public
from adapters.notify.webhooks import WebhookPublisher
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
        "::ffff:0:127.0.0.1",
        "::ffff:0:a00:1",
        "64:ff9b:1::10.0.0.1",
        "fe80::1%eth0",
        "[fe80::1%25eth0]",
        "198.18.0.1",
        "240.0.0.1",
    ],
)
def test_addresses_that_only_seem_public_are_refused(address: str) -> None:
    with pytest.raises(PrivateAddress):
        must_be_public(address)


@pytest.mark.parametrize("host", ["1.1.1.1", "[2606:4700:4700::1111]", "shop.example"])
def test_public_addresses_pass(host: str) -> None:
    must_be_public(host)


def names_lead_to(monkeypatch: pytest.MonkeyPatch, *answers: tuple[str, ...]) -> list[str]:
    """Have the system answer with these, the last one for ever; return what it is asked."""
    asked: list[str] = []

    def look_up(host: str, port: int, **_: object) -> list[tuple[object, ...]]:
        addresses = answers[min(len(asked), len(answers) - 1)]
        asked.append(host)
        return [
            (
                socket.AF_INET6 if ":" in address else socket.AF_INET,
                socket.SOCK_STREAM,
                6,
                "",
                (address, port, 0, 0) if ":" in address else (address, port),
            )
            for address in addresses
        ]

    monkeypatch.setattr("adapters.notify.public_addresses.socket.getaddrinfo", look_up)
    return asked


@pytest.fixture
async def resolver() -> AsyncIterator[PublicResolver]:
    resolver = PublicResolver()
    yield resolver
    await resolver.close()


@pytest.mark.parametrize(
    "addresses",
    [("127.0.0.1",), ("1.1.1.1", "10.0.0.1"), ("2606:4700:4700::1111", "::1"), ("fe80::1",)],
)
async def test_a_name_that_leads_inside_is_refused(
    resolver: PublicResolver, monkeypatch: pytest.MonkeyPatch, addresses: tuple[str, ...]
) -> None:
    names_lead_to(monkeypatch, addresses)

    with pytest.raises(PrivateAddress):
        await resolver.resolve("shop.example", 443)


async def test_what_is_no_address_at_all_is_refused(
    resolver: PublicResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    names_lead_to(monkeypatch, ("localhost",))

    with pytest.raises(ValueError, match="localhost"):
        await resolver.resolve("shop.example", 443)


async def test_a_name_that_leads_outside_is_resolved(
    resolver: PublicResolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    names_lead_to(monkeypatch, ("1.1.1.1",))

    found = await resolver.resolve("shop.example", 443)

    assert [result["host"] for result in found] == ["1.1.1.1"]


async def test_a_name_that_changes_its_mind_gains_nothing(
    strict: WebhookPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first answer passes, and the one that would be connected to is looked at as well."""
    asked = names_lead_to(monkeypatch, ("1.1.1.1",), ("127.0.0.1",))
    must_be_public("shop.example")
    resolved = PublicResolver()
    await resolved.resolve("shop.example", 443)
    await resolved.close()

    async with listening(strict) as merchant:
        result = await tried(strict, f"http://shop.example:{merchant.port}/")

    assert "not a public address" in result.detail
    assert "127.0.0.1" not in result.detail
    assert merchant.arrived == []
    assert asked == ["shop.example", "shop.example"]


async def test_what_is_connected_to_is_the_address_that_was_looked_at(
    strict: WebhookPublisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The name is asked for once, and no other way leads from it to a connection."""
    asked = names_lead_to(monkeypatch, ("1.1.1.1",), ("127.0.0.1",))
    connected: list[object] = []

    async def connect(addr_infos: list[tuple[object, ...]], **_: object) -> socket.socket:
        connected.extend(info[4] for info in addr_infos)
        raise ConnectionRefusedError

    monkeypatch.setattr("aiohttp.connector.aiohappyeyeballs.start_connection", connect)
    result = await tried(strict, "http://shop.example:9/")

    assert result.status is None
    assert asked == ["shop.example"]
    assert connected == [("1.1.1.1", 9)]


async def test_a_demo_may_call_its_own_machine() -> None:
    async with (
        WebhookPublisher(timeout_seconds=2, allow_private_addresses=True) as publisher,
        listening(publisher) as merchant,
    ):
        result = await tried(publisher, f"http://localhost:{merchant.port}/")

    assert result.accepted
    assert len(merchant.arrived) == 1
