"""A bot that takes Stars, over the Bot API, by aiogram."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Final, Self, TypeVar

from aiogram import Bot
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import PRODUCTION, TelegramAPIServer
from aiogram.exceptions import (
    AiogramError,
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramRetryAfter,
)
from aiogram.methods import (
    AnswerPreCheckoutQuery,
    CreateInvoiceLink,
    GetStarTransactions,
    GetUpdates,
    RefundStarPayment,
)
from aiogram.types import LabeledPrice

from adapters.telegram.readings import line_of, update_of
from domain.stars.model import SUBSCRIPTION_PERIOD
from ports.stars import StarsRefused, StarsUnavailable

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import TracebackType

    from aiogram.methods import TelegramMethod

    from domain.stars.model import ChargeId, Invoice, Listed, StarUpdate, UserId

CURRENCY: Final = "XTR"
ALLOWED_UPDATES: Final = ("message", "pre_checkout_query")
"""Pre-checkouts are sent only to bots that ask for them; payments come as messages."""

POLL_SECONDS: Final = 20
"""How long Telegram keeps a question for updates open while there are none."""

_ALREADY: Final = "CHARGE_ALREADY_REFUNDED"
_REFUSALS: Final = (TelegramBadRequest, TelegramForbiddenError, TelegramConflictError)
"""Answers that are about the request. A wrong token (401, 404) is about all of them: what is
asked then may well be right, and is asked again once a person has put the token right."""

_Answer = TypeVar("_Answer")


class AiogramStarsBot:
    """See ``ports.stars.StarsBot`` and ``ports.stars.StarUpdates``.

    Its connections are opened by the first request and closed with the process.
    """

    def __init__(self, *, token: str, timeout_seconds: int, api_url: str | None = None) -> None:
        """Prepare a client.

        Args:
            token: The bot's, as BotFather has given it.
            timeout_seconds: How long one request may take. Telegram waits ten seconds for the
                answer to a pre-checkout, whose request is one of them.
            api_url: Where the Bot API is, if not with Telegram: a server of one's own.
        """
        self._token: Final = token
        self._timeout_seconds: Final = timeout_seconds
        server = TelegramAPIServer.from_base(api_url) if api_url else PRODUCTION
        self._bot: Final = Bot(token, session=AiohttpSession(api=server))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._bot.session.close()

    async def create_invoice_link(self, invoice: Invoice) -> str:
        """Have Telegram make a link to an invoice."""
        period = SUBSCRIPTION_PERIOD // timedelta(seconds=1)
        return await self._ask(
            CreateInvoiceLink(
                title=invoice.title,
                description=invoice.description,
                payload=invoice.payload,
                currency=CURRENCY,
                prices=[LabeledPrice(label=invoice.title, amount=invoice.money.amount)],
                provider_token="",
                subscription_period=period if invoice.is_subscription else None,
            )
        )

    async def answer_pre_checkout(self, query_id: str, *, refusal: str | None) -> None:
        """Let a payer pay, or say why not."""
        await self._ask(
            AnswerPreCheckoutQuery(
                pre_checkout_query_id=query_id, ok=refusal is None, error_message=refusal
            )
        )

    async def refund(self, *, payer: UserId, charge_id: ChargeId) -> None:
        """Have Telegram give a charge back; that it has done so before is as good."""
        try:
            await self._ask(RefundStarPayment(user_id=payer, telegram_payment_charge_id=charge_id))
        except StarsRefused as refusal:
            if _ALREADY not in refusal.reason:
                raise

    async def transactions(self, *, offset: int, limit: int) -> Sequence[Listed]:
        """Return lines of Telegram's list, oldest first."""
        answer = await self._ask(GetStarTransactions(offset=offset, limit=limit))
        return [line_of(it) for it in answer.transactions]

    async def after(self, last: int | None) -> Sequence[tuple[int, StarUpdate | None]]:
        """Wait for updates by long polling."""
        answer = await self._ask(
            GetUpdates(
                offset=None if last is None else last + 1,
                timeout=POLL_SECONDS,
                allowed_updates=list(ALLOWED_UPDATES),
            ),
            timeout_seconds=POLL_SECONDS + self._timeout_seconds,
        )
        return [(it.update_id, update_of(it)) for it in answer]

    async def _ask(
        self, method: TelegramMethod[_Answer], *, timeout_seconds: int | None = None
    ) -> _Answer:
        """Ask once.

        Raises:
            StarsRefused: Telegram has said no.
            StarsUnavailable: anything else has happened.
        """
        try:
            return await self._bot(
                method, request_timeout=timeout_seconds or self._timeout_seconds
            )
        except TelegramRetryAfter as error:
            raise StarsUnavailable(
                "asked too often", retry_after_seconds=error.retry_after
            ) from error
        except _REFUSALS as error:
            raise StarsRefused(error.message) from error
        except AiogramError as error:
            # A client's own words may show the address, of which the token is a part.
            told = str(error)
            shows_token = self._token in told
            safe = told.replace(self._token, "…")[:300]
            cause = None if shows_token else error
            raise StarsUnavailable(f"{type(error).__name__}: {safe}") from cause
