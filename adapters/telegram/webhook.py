"""What Telegram posts to us: with the secret that it was given, or of somebody else."""

from __future__ import annotations

import hmac
from typing import TYPE_CHECKING

import attrs
from aiogram.types import Update
from pydantic import ValidationError

from adapters.telegram.readings import update_of
from ports.stars import UpdateMalformed, WebhookForged

if TYPE_CHECKING:
    from domain.stars.model import StarUpdate


@attrs.frozen
class TelegramWebhook:
    """See ``ports.stars.StarsWebhook``."""

    secret: str = attrs.field(repr=False, validator=attrs.validators.min_len(1))
    """What ``setWebhook`` was given as ``secret_token``."""

    def read(self, body: bytes, *, secret: str | None) -> StarUpdate | None:
        """Return what an update says, after looking at who has sent it.

        The comparison takes the same time wherever two secrets differ.
        """
        if not hmac.compare_digest((secret or "").encode(), self.secret.encode()):
            raise WebhookForged
        try:
            update = Update.model_validate_json(body)
        except ValidationError as error:
            raise UpdateMalformed(f"{error.error_count()} fields are wrong") from error
        return update_of(update)
