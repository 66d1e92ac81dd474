"""Telegram's bot that takes Stars: asking to be paid, giving back, and its own list of both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.stars.model import ChargeId, Invoice, Listed, StarUpdate, UserId

LINES_MAX = 100
"""How many transactions Telegram lists at once at most."""


class StarsUnavailable(Exception):
    """Telegram did not answer, or nothing usable. What became of the request is unknown."""

    def __init__(self, what: str, *, retry_after_seconds: int = 1) -> None:
        super().__init__(what)
        self.retry_after_seconds = retry_after_seconds


class StarsRefused(Exception):
    """Telegram has refused the request, and nothing has come of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class WebhookForged(Exception):
    """A request does not carry the secret that Telegram was given: it is of somebody else."""


class UpdateMalformed(Exception):
    """An update cannot be read."""


class StarsBot(Protocol):
    """A bot's payments in Stars."""

    async def create_invoice_link(self, invoice: Invoice) -> str:
        """Return a link under which anybody can pay an invoice, any number of times.

        Raises:
            StarsRefused: Telegram does not take the invoice.
            StarsUnavailable: nothing usable was answered.
        """
        ...

    async def answer_pre_checkout(self, query_id: str, *, refusal: str | None) -> None:
        """Tell Telegram that a payer may pay, or why not, in words for the payer.

        Raises:
            StarsRefused: the ten seconds are over, or there was no such question.
            StarsUnavailable: nothing usable was answered.
        """
        ...

    async def refund(self, *, payer: UserId, charge_id: ChargeId) -> None:
        """Give a charge's Stars back. What has gone back before stays so, and is no error.

        Raises:
            StarsRefused: there is no such charge of this payer, or not enough Stars.
            StarsUnavailable: nothing usable was answered. Asking again gives back once.
        """
        ...

    async def transactions(self, *, offset: int, limit: int) -> Sequence[Listed]:
        """Return lines of the list of transactions, oldest first, after ``offset`` others.

        Args:
            offset: How many lines to leave out.
            limit: How many to return at most, up to ``LINES_MAX``.

        Raises:
            StarsUnavailable: nothing usable was answered.
        """
        ...


class StarUpdates(Protocol):
    """What Telegram has to tell, fetched where it cannot reach us by webhook."""

    async def after(self, last: int | None) -> Sequence[tuple[int, StarUpdate | None]]:
        """Wait for updates that follow a number, and drop those up to it; None drops none.

        An update of which nothing concerns payments is None.

        Raises:
            StarsRefused: a webhook is set, so that updates go there.
            StarsUnavailable: nothing usable was answered.
        """
        ...


class StarsWebhook(Protocol):
    """Reads what Telegram posts to us."""

    def read(self, body: bytes, *, secret: str | None) -> StarUpdate | None:
        """Return what an update says of payments; None where it says nothing of them.

        Args:
            body: The request's body.
            secret: The value of its header ``X-Telegram-Bot-Api-Secret-Token``, if it has one.

        Raises:
            WebhookForged: the secret is missing or another.
            UpdateMalformed: the body is no update.
        """
        ...
