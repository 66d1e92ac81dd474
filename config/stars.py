"""Settings of Telegram Stars, and the secrets in the files that they name."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Final

import attrs

from adapters.system.secret_files import KeyFileRefused, read_secret
from config.checks import loopback_or_tls

if TYPE_CHECKING:
    from collections.abc import Iterable

MODES: Final = ("webhook", "polling")
STARS_ASSET: Final = "telegram/stars"
"""``domain.stars.model.STARS``, as the settings list it."""

TOKEN: Final = re.compile(r"[0-9]{1,20}:[A-Za-z0-9_-]{1,100}")
"""A bot's token: its number, and what BotFather has made up."""
WEBHOOK_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
"""What ``setWebhook`` takes as ``secret_token``, by the Bot API."""

_SECRET_BYTES_MAX: Final = 300


@attrs.frozen(kw_only=True)
class Stars:
    """The bot that takes Stars. Where there is no such table, no Stars are taken.

    The API's process reads the token as well as the worker's does: it makes links to invoices,
    and Telegram waits ten seconds for its answer to a payer. Operators' commands read no secret.
    """

    bot_token_file: Path
    """A file of mode 0600 with the token that BotFather has given out."""
    mode: str = attrs.field(default="webhook", validator=attrs.validators.in_(MODES))
    """How Telegram's updates come: it posts them to ``/telegram/updates`` of the API, for which
    an operator calls ``setWebhook``, or the worker asks for them."""
    webhook_secret_file: Path | None = None
    """A file of mode 0600 with what ``setWebhook`` was given as ``secret_token``."""
    request_timeout_seconds: int = attrs.field(
        default=3, validator=[attrs.validators.ge(1), attrs.validators.le(3)]
    )
    """How long one request may take: of Telegram's ten seconds the storage needs some too."""
    test_environment: bool = False
    """True for a bot of Telegram's test environment: its Stars are worth nothing, and pay test
    accounts."""
    api_url: str | None = attrs.field(
        default=None, validator=attrs.validators.optional(loopback_or_tls)
    )
    """Where the Bot API is, if not with Telegram: a server of one's own."""

    def __attrs_post_init__(self) -> None:
        if (self.mode == "webhook") != (self.webhook_secret_file is not None):
            raise ValueError("webhook_secret_file is needed by the mode webhook, and by it alone")

    def bot_token(self) -> str:
        """Read the bot's token.

        Raises:
            KeyFileRefused: the file is missing, open to others, or holds something else.
        """
        return _secret(self.bot_token_file, TOKEN, "a bot's token")

    def webhook_secret(self) -> str | None:
        """Read the webhook's secret; None where updates are asked for.

        Raises:
            KeyFileRefused: the file is missing, open to others, or holds something else.
        """
        if self.webhook_secret_file is None:
            return None
        return _secret(self.webhook_secret_file, WEBHOOK_SECRET, "a webhook's secret")


def check_stars(stars: Stars | None, *, listed: Iterable[tuple[str, int]]) -> None:
    """Let Stars be taken where they are among the assets, and nowhere else.

    Args:
        stars: The table, if there is one.
        listed: The assets' names, and their decimals.

    Raises:
        ValueError: one is there without the other, or Stars have decimals.
    """
    decimals = dict(listed).get(STARS_ASSET)
    if decimals is not None and stars is None:
        raise ValueError(f"stars is needed, because {STARS_ASSET} is one of the assets")
    if decimals is None and stars is not None:
        raise ValueError(f"stars is given, but {STARS_ASSET} is not one of the assets")
    if decimals:
        raise ValueError(f"{STARS_ASSET} has no decimals")


def _secret(file: Path, pattern: re.Pattern[str], what: str) -> str:
    """Return what a file holds, which no message shows."""
    content = read_secret(file, bytes_max=_SECRET_BYTES_MAX)
    try:
        secret = content.decode("ascii").strip()
    except UnicodeDecodeError:
        secret = ""
    if not pattern.fullmatch(secret):
        raise KeyFileRefused(file, f"does not hold {what}")
    return secret
