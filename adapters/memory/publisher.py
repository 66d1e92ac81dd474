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


class RecordingPublisher:
    """Posts nothing; ``posts`` is what would have arrived, refused or not."""

    def __init__(self) -> None:
        self.posts: list[Post] = []
        self._answers: list[int | None] = []

    async def post(
        self, *, url: str, secret: str, message_id: str, at: datetime, body: bytes
    ) -> Try:
        """Keep a message and answer it."""
        self.posts.append(Post(url, secret, message_id, at, body))
        status = self._answers.pop(0) if self._answers else 200
        if status is None:
            return Try(at=at, status=None, detail="no answer: timed out")
        return Try(at=at, status=status, detail="" if status == 200 else f"status {status}")  # noqa: PLR2004 (HTTP)

    def refuse_next(self, status: int = 500, *, times: int = 1) -> None:
        """Answer the next messages with a status."""
        self._answers += [status] * times

    def time_out_next(self, *, times: int = 1) -> None:
        """Take the next messages and never answer."""
        self._answers += [None] * times
