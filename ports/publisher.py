"""Sending webhooks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime

    from domain.webhooks.model import Try


class Publisher(Protocol):
    """Posts signed messages to merchants' servers."""

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
        """Send one message, signed as the Standard Webhooks specification says.

        While a secret follows a former one, both sign. With ``hex_signature`` the body alone is
        signed besides, in ``X-Webhook-Signature``: HMAC-SHA256 in lower-case hex, whose key is
        the text of the secret, ``whsec_`` included.

        Whatever goes wrong on the way is told in the result, never raised.
        """
        ...
