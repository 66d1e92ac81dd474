"""What every publisher keeps: it tells what came of a post, and never raises."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import pytest

from tests.builders import NOON

if TYPE_CHECKING:
    from domain.webhooks.model import Try
    from ports.publisher import Publisher

SECRET = "whsec_bWFkZSB1cCBmb3IgdGVzdHMgb25seQ=="


class Receiver(Protocol):
    """A merchant's server, and the publisher that posts to it."""

    publisher: Publisher
    url: str

    def answer(self, status: int) -> None:
        """Answer the next post with a status."""
        ...

    def fall_silent(self) -> None:
        """Take the next post and never answer."""
        ...

    def bodies(self) -> list[bytes]:
        """Return what has arrived."""
        ...


class PublisherContract:
    @pytest.fixture
    def receiver(self) -> Receiver:
        raise NotImplementedError

    async def test_a_body_arrives_to_the_last_byte(self, receiver: Receiver) -> None:
        body = '{"text":"näher – 28″","n":[1,2]}'.encode()  # noqa: RUF001 (bytes beyond ASCII)

        tried = await post(receiver, body)

        assert tried.accepted
        assert tried.at == NOON
        assert receiver.bodies() == [body]

    @pytest.mark.parametrize("status", [204, 301, 400, 410, 429, 500, 503])
    async def test_an_answer_is_told(self, receiver: Receiver, status: int) -> None:
        receiver.answer(status)

        tried = await post(receiver)

        assert tried.status == status
        assert tried.accepted == (status == 204)

    async def test_no_answer_is_told_and_not_raised(self, receiver: Receiver) -> None:
        receiver.fall_silent()

        tried = await post(receiver)

        assert tried.status is None
        assert tried.detail
        assert not tried.accepted


async def post(receiver: Receiver, body: bytes = b"{}") -> Try:
    return await receiver.publisher.post(
        url=receiver.url, secret=SECRET, message_id="evt_01", at=NOON, body=body
    )
