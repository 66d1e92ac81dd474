"""A merchant's server that keeps what it is sent and answers as it is told."""

from __future__ import annotations

from datetime import datetime

import attrs

from domain.webhooks.model import Try


@attrs.frozen
class Post:
    """One message as it was sent."""

    url: str
    secret: str = attrs.field(repr=False)
    message_id: str
    at: datetime
    body: bytes
    former_secret: str | None = attrs.field(default=None, repr=False)
    hex_signature: bool = False


class RecordingPublisher:
    """Posts nothing; ``posts`` is what would have arrived, refused or not."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self._answers: list[int | None] = []
        self._retry_after: int | None = None

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
        """Keep a message and answer it."""
        self.posts.append(Post(url, secret, message_id, at, body, former_secret, hex_signature))
        status = self._answers.pop(0) if self._answers else 200
        after, self._retry_after = self._retry_after, None
        if status is None:
            return Try(at=at, status=None, detail="no answer: timed out")
        detail = "" if status == 200 else f"status {status}"  # noqa: PLR2004 (HTTP)
        return Try(at=at, status=status, detail=detail, retry_after_seconds=after)

    def refuse_next(
        self, status: int = 500, *, times: int = 1, retry_after_seconds: int | None = None
    ) -> None:
        """Answer the next messages with a status, the first one with ``Retry-After`` if told."""
        self._answers += [status] * times
        self._retry_after = retry_after_seconds

    def time_out_next(self, *, times: int = 1) -> None:
        """Take the next messages and never answer."""
        self._answers += [None] * times
