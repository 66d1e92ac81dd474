from __future__ import annotations

import asyncio
import hmac
import json
import socket
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from standardwebhooks import Webhook, WebhookVerificationError

from adapters.notify.webhooks import WebhookPublisher
from domain.webhooks.model import RESPONSE_EXCERPT_MAX
from tests.adapters.notify.merchant_server import listening
from tests.contracts.publisher import SECRET, PublisherContract, post

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.adapters.notify.merchant_server import MerchantServer

BODY = '{"id":"evt_01","text":"näher"}'.encode()


@pytest.fixture
async def publisher() -> AsyncIterator[WebhookPublisher]:
    async with WebhookPublisher(timeout_seconds=0.3, allow_private_addresses=True) as publisher:
        yield publisher


@pytest.fixture
async def receiver(publisher: WebhookPublisher) -> AsyncIterator[MerchantServer]:
    async with listening(publisher) as merchant:
        yield merchant


class TestWebhookPublisher(PublisherContract):
    @pytest.fixture
    async def receiver(self, publisher: WebhookPublisher) -> AsyncIterator[MerchantServer]:
        async with listening(publisher) as merchant:
            yield merchant


async def test_any_library_of_the_standard_verifies_it(receiver: MerchantServer) -> None:
    at = datetime.now(UTC)
    await receiver.publisher.post(
        url=receiver.url, secret=SECRET, message_id="evt_01", at=at, body=BODY
    )

    (request,) = receiver.arrived
    assert request.target == "/hooks?shop=1"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["user-agent"].startswith("Switchyard")
    assert request.headers["webhook-id"] == "evt_01"
    assert request.headers["webhook-timestamp"] == str(int(at.timestamp()))
    assert Webhook(SECRET).verify(request.body, request.headers) == json.loads(BODY)


async def test_a_kept_connection_that_is_closed_when_used_again_is_no_failure(
    publisher: WebhookPublisher,
) -> None:
    answers = 0

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal answers
        await reader.readuntil(BODY)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")
        answers += 1
        await reader.read(1)  # The next request begins, and finds nobody.
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1")
    async with server:
        port = server.sockets[0].getsockname()[1]
        for number in range(3):
            tried = await publisher.post(
                url=f"http://127.0.0.1:{port}/",
                secret=SECRET,
                message_id=f"evt_{number}",
                at=datetime.now(UTC),
                body=BODY,
            )
            assert (tried.status, answers) == (200, number + 1), tried.detail


@pytest.mark.parametrize("changed", ["body", "webhook-id", "webhook-timestamp", "secret"])
async def test_whatever_is_changed_is_found(receiver: MerchantServer, changed: str) -> None:
    await receiver.publisher.post(
        url=receiver.url, secret=SECRET, message_id="evt_01", at=datetime.now(UTC), body=BODY
    )

    (request,) = receiver.arrived
    headers, body = dict(request.headers), request.body
    secret = SECRET if changed != "secret" else "whsec_YW5vdGhlciBrZXkgb2YgdGhlIHRlc3RzIG9ubHk="
    if changed == "body":
        body = body.replace(b"evt_01", b"evt_02")
    elif changed == "webhook-timestamp":
        headers[changed] = str(int(headers[changed]) + 1)
    elif changed == "webhook-id":
        headers[changed] = "evt_02"
    with pytest.raises(WebhookVerificationError):
        Webhook(secret).verify(body, headers)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
async def test_a_redirect_is_never_followed(receiver: MerchantServer, status: int) -> None:
    receiver.answer(status, b"", f"Location: http://127.0.0.1:{receiver.port}/elsewhere")

    tried = await post(receiver)

    assert tried.status == status
    assert not tried.accepted
    assert [request.target for request in receiver.arrived] == ["/hooks?shop=1"]


async def test_gone_is_told_apart(receiver: MerchantServer) -> None:
    receiver.answer(410, b"we have moved")

    tried = await post(receiver)

    assert tried.gone
    assert tried.detail == "we have moved"


async def test_of_a_long_answer_the_beginning_is_kept(receiver: MerchantServer) -> None:
    receiver.answer(500, b"x" * 1_000_000)

    tried = await post(receiver)

    assert tried.detail == "x" * RESPONSE_EXCERPT_MAX


async def test_an_answer_of_any_bytes_can_be_stored(receiver: MerchantServer) -> None:
    receiver.answer(500, b"\0\xff\xfe no \0 text")

    tried = await post(receiver)

    assert "\0" not in tried.detail
    assert tried.detail.encode().decode() == tried.detail
    assert tried.detail.endswith(" no  text")


async def test_an_answer_in_pieces_is_kept_as_far_as_wanted(receiver: MerchantServer) -> None:
    head = b"HTTP/1.1 500 Said\r\nTransfer-Encoding: chunked\r\n\r\n"
    receiver.send(head + b"5\r\nfirst\r\n7\r\n second\r\n0\r\n\r\n")

    tried = await post(receiver)

    assert tried.detail == "first second"


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"SSH-2.0-OpenSSH_9.9\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: minus one\r\n\r\n",
        b"HTTP/1.1 500 Said\r\nContent-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnope",
    ],
    ids=["nothing", "another protocol", "a length that is none", "not compressed"],
)
async def test_garbage_is_told_and_not_raised(receiver: MerchantServer, reply: bytes) -> None:
    receiver.send(reply)

    tried = await post(receiver)

    assert not tried.accepted
    assert tried.status is None
    assert tried.detail


async def test_an_answer_that_is_cut_off_counts_by_its_status(receiver: MerchantServer) -> None:
    receiver.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut off")

    tried = await post(receiver)

    assert tried.accepted
    assert tried.detail == "cut off"


async def test_nobody_there_is_told(publisher: WebhookPublisher) -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        port = closed.getsockname()[1]

    tried = await publisher.post(
        url=f"http://127.0.0.1:{port}/",
        secret=SECRET,
        message_id="evt_01",
        at=datetime.now(UTC),
        body=BODY,
    )

    assert tried.status is None
    assert "Connect" in tried.detail


@pytest.mark.parametrize("url", ["", "no url", "ftp://127.0.0.1/", "http://", "http://[::1/"])
async def test_what_is_no_address_of_the_web_is_told(
    publisher: WebhookPublisher, url: str
) -> None:
    tried = await publisher.post(
        url=url, secret=SECRET, message_id="evt_01", at=datetime.now(UTC), body=BODY
    )

    assert tried.status is None
    assert tried.detail


async def test_while_a_secret_follows_another_both_sign(receiver: MerchantServer) -> None:
    former = "whsec_YW5vdGhlciBrZXkgb2YgdGhlIHRlc3RzIG9ubHk="
    await receiver.publisher.post(
        url=receiver.url,
        secret=SECRET,
        former_secret=former,
        message_id="evt_01",
        at=datetime.now(UTC),
        body=BODY,
    )

    (request,) = receiver.arrived
    assert request.headers["webhook-signature"].count("v1,") == 2
    for secret in (SECRET, former):
        assert Webhook(secret).verify(request.body, request.headers) == json.loads(BODY)
    assert "x-webhook-signature" not in request.headers


async def test_who_wants_it_has_the_body_signed_in_hex(receiver: MerchantServer) -> None:
    await receiver.publisher.post(
        url=receiver.url,
        secret=SECRET,
        hex_signature=True,
        message_id="evt_01",
        at=datetime.now(UTC),
        body=BODY,
    )

    (request,) = receiver.arrived
    expected = hmac.new(SECRET.encode(), BODY, "sha256").hexdigest()
    assert request.headers["x-webhook-signature"] == expected
    assert Webhook(SECRET).verify(request.body, request.headers) == json.loads(BODY)


async def test_what_was_sent_where_and_answered_how_is_told(receiver: MerchantServer) -> None:
    receiver.answer(500, b"ouch", "Content-Type: text/plain", "Set-Cookie: secret=1")

    tried = await post(receiver)

    assert tried.url == receiver.url
    assert tried.headers == {"content-type": "text/plain"}
    assert tried.milliseconds is not None
    assert 0 <= tried.milliseconds < 5000


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("120", 120),
        ("0", 0),
        ("9" * 40, 999_999_999),
        ("Wed, 02 Sep 2026 12:01:40 GMT", 100),
        ("Tue, 01 Sep 2026 12:00:00 GMT", 0),
        ("-5", None),
        ("soon", None),
        ("1.5", None),
        ("Wed, 02 Sep 2026 12:01:40", None),
    ],
)
async def test_how_long_it_asks_to_wait_is_told(
    receiver: MerchantServer, told: str, seconds: int | None
) -> None:
    receiver.answer(503, b"", f"Retry-After: {told}")

    tried = await receiver.publisher.post(
        url=receiver.url,
        secret=SECRET,
        message_id="evt_01",
        at=datetime(2026, 9, 2, 12, tzinfo=UTC),
        body=BODY,
    )

    assert tried.retry_after_seconds == seconds


async def test_an_answer_that_never_ends_counts_by_its_status(receiver: MerchantServer) -> None:
    receiver.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n" + b"x" * 50)

    tried = await post(receiver)

    assert tried.accepted
    assert tried.detail == "x" * 50


async def test_what_one_answer_wants_remembered_is_not_told_by_the_next_message(
    receiver: MerchantServer,
) -> None:
    url = receiver.url.replace("127.0.0.1", "localhost")
    receiver.answer(200, b"", "Set-Cookie: session=of-somebody; Path=/", "Connection: close")
    for number in range(2):
        await receiver.publisher.post(
            url=url, secret=SECRET, message_id=f"evt_{number}", at=datetime.now(UTC), body=BODY
        )

    assert len(receiver.arrived) == 2
    assert not any("cookie" in request.headers for request in receiver.arrived)
