"""Sending webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from domain.webhooks.model import Try


class Publisher(Protocol):
    """Posts signed messages to merchants' servers."""

    async def post(
        self, *, url: str, secret: str, message_id: str, at: datetime, body: bytes
    ) -> Try:
        """Send one message, signed as the Standard Webhooks specification says.

        Whatever goes wrong on the way is told in the result, never raised.
        """
        ...
