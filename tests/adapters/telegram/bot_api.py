"""Telegram's Bot API over HTTP, as far as Stars go, with payers and faults.

What is asked is read, and what is answered is made, by aiogram's own models of the Bot API.
"""

from __future__ import annotations

import asyncio
import json
from collections import deque
from itertools import count
from typing import TYPE_CHECKING, Any

from aiogram.methods import (
    AnswerPreCheckoutQuery,
    CreateInvoiceLink,
    GetStarTransactions,
    GetUpdates,
    RefundStarPayment,
)
from aiogram.methods.base import Response
from aiogram.types import (
    Chat,
    Message,
    PreCheckoutQuery,
    RefundedPayment,
    ResponseParameters,
    StarTransaction,
    StarTransactions,
    SuccessfulPayment,
    TransactionPartnerFragment,
    TransactionPartnerUser,
    Update,
    User,
)
from aiohttp import web

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

TOKEN = "42:" + "T" * 35


class Refused(Exception):
    """Telegram answers 400 with these words."""


class BotApi:
    """One bot's part of the Bot API. Served by ``app``; a test speaks to it directly as well."""

    def __init__(self, now: Callable[[], datetime]) -> None:
        self.now = now
        self.invoices: dict[str, CreateInvoiceLink] = {}
        self.answers: dict[str, str | None] = {}
        self.lines: list[StarTransaction] = []
        self.updates: list[Update] = []
        self.refusals: dict[str, str] = {}
        self.asked: list[str] = []
        self.faults: deque[str] = deque()
        self._open: set[str] = set()
        self._numbers = count(1)
        self.app = web.Application()
        self.app.router.add_post("/bot{token}/{method}", self._serve)

    # Payers.

    def ask(self, payload: str, amount: int, *, payer: int = 1, currency: str = "XTR") -> str:
        query = PreCheckoutQuery(
            id=f"query-{next(self._numbers)}",
            from_user=_user(payer),
            currency=currency,
            total_amount=amount,
            invoice_payload=payload,
        )
        self._open.add(query.id)
        self._tell(pre_checkout_query=query)
        return query.id

    def charge(
        self, payload: str, amount: int, *, payer: int = 1, subscribed: bool = False
    ) -> str:
        id = f"charge-{next(self._numbers)}"
        self.lines.append(
            StarTransaction(
                id=id,
                amount=amount,
                date=self.now(),
                source=TransactionPartnerUser(
                    user=_user(payer),
                    transaction_type="invoice_payment",
                    invoice_payload=payload,
                    subscription_period=2_592_000 if subscribed else None,
                ),
            )
        )
        paid = SuccessfulPayment(
            currency="XTR",
            total_amount=amount,
            invoice_payload=payload,
            telegram_payment_charge_id=id,
            provider_payment_charge_id="",
            is_recurring=subscribed or None,
            is_first_recurring=subscribed or None,
        )
        self._tell(message=self._message(payer, successful_payment=paid))
        return id

    def take_back(self, id: str) -> None:
        [line] = [it for it in self.lines if it.id == id and it.source]
        if any(it.id == id and it.receiver for it in self.lines):
            raise Refused("CHARGE_ALREADY_REFUNDED")
        assert isinstance(line.source, TransactionPartnerUser)
        self.lines.append(
            StarTransaction(id=id, amount=line.amount, date=self.now(), receiver=line.source)
        )
        back = RefundedPayment(
            total_amount=line.amount,
            invoice_payload=str(line.source.invoice_payload),
            telegram_payment_charge_id=id,
        )
        self._tell(message=self._message(line.source.user.id, refunded_payment=back))

    def move(self, amount: int) -> None:
        other = TransactionPartnerFragment()
        source, receiver = (other, None) if amount > 0 else (None, other)
        id = f"other-{next(self._numbers)}"
        self.lines.append(
            StarTransaction(
                id=id, amount=abs(amount), date=self.now(), source=source, receiver=receiver
            )
        )

    def say(self, text: str) -> None:
        """Have a payer write to the bot, which is no payment."""
        self._tell(message=self._message(1, text=text))

    def fail_next(self) -> None:
        self.faults.append("fail")

    def lose_next_answer(self) -> None:
        self.faults.append("lose")

    def _tell(self, **what: Any) -> None:  # noqa: ANN401 (one of Update's fields)
        self.updates.append(Update(update_id=next(self._numbers), **what))

    def _message(self, payer: int, **what: Any) -> Message:  # noqa: ANN401 (as above)
        chat = Chat(id=payer, type="private")
        number = next(self._numbers)
        return Message(
            message_id=number, date=self.now(), chat=chat, from_user=_user(payer), **what
        )

    # HTTP.

    async def _serve(self, request: web.Request) -> web.Response:
        method, form = request.match_info["method"], await request.post()
        self.asked.append(method)
        fault = self.faults.popleft() if self.faults else None
        if request.match_info["token"] != TOKEN:
            return _failure(401, "Unauthorized")
        if fault == "fail":
            return _failure(502, "Bad Gateway")
        if fault == "flood":
            return _failure(429, "Too Many Requests: retry after 7", retry_after=7)
        if fault == "babble":
            return web.Response(text="<html>", content_type="text/html")
        if fault == "hang":
            await asyncio.sleep(1.5)
        given = {name: _decoded(str(value)) for name, value in form.items()}
        try:
            result = getattr(self, f"_{method}")(given)
        except Refused as refusal:
            return _failure(400, f"Bad Request: {refusal}")
        if fault == "lose" and request.transport is not None:
            request.transport.abort()
        return web.Response(
            text=Response[Any](ok=True, result=result).model_dump_json(
                by_alias=True, exclude_none=True
            ),
            content_type="application/json",
        )

    def _createInvoiceLink(self, given: dict[str, Any]) -> str:  # noqa: N802 (the method's name)
        invoice = CreateInvoiceLink.model_validate(given)
        if invoice.currency != "XTR" or len(invoice.prices) != 1:
            raise Refused("CURRENCY_TOTAL_AMOUNT_INVALID")
        if invoice.subscription_period not in {None, 2_592_000}:
            raise Refused("SUBSCRIPTION_PERIOD_INVALID")
        link = f"https://t.me/$invoice-{next(self._numbers)}"
        self.invoices[link] = invoice
        return link

    def _answerPreCheckoutQuery(self, given: dict[str, Any]) -> bool:  # noqa: N802 (as above)
        answer = AnswerPreCheckoutQuery.model_validate(given)
        if answer.pre_checkout_query_id not in self._open:
            raise Refused("query is too old and response timeout expired or query ID is invalid")
        self._open.remove(answer.pre_checkout_query_id)
        if not answer.ok and not answer.error_message:
            raise Refused("error message must be non-empty")
        self.answers[answer.pre_checkout_query_id] = None if answer.ok else answer.error_message
        return True

    def _refundStarPayment(self, given: dict[str, Any]) -> bool:  # noqa: N802 (as above)
        asked = RefundStarPayment.model_validate(given)
        id = asked.telegram_payment_charge_id
        payers = [
            it.source.user.id
            for it in self.lines
            if it.id == id and isinstance(it.source, TransactionPartnerUser)
        ]
        if payers != [asked.user_id]:
            raise Refused("CHARGE_ID_INVALID")
        if id in self.refusals:
            raise Refused(self.refusals[id])
        self.take_back(id)
        return True

    def _getStarTransactions(self, given: dict[str, Any]) -> StarTransactions:  # noqa: N802 (as above)
        asked = GetStarTransactions.model_validate(given)
        start, limit = asked.offset or 0, asked.limit or 100
        return StarTransactions(transactions=self.lines[start : start + limit])

    def _getUpdates(self, given: dict[str, Any]) -> list[Update]:  # noqa: N802 (as above)
        asked = GetUpdates.model_validate(given)
        assert asked.allowed_updates == ["message", "pre_checkout_query"]
        self.updates = [it for it in self.updates if it.update_id >= (asked.offset or 0)]
        return self.updates


def _user(id: int) -> User:
    return User(id=id, is_bot=False, first_name="Ada")


def _decoded(text: str) -> object:
    """Return a form's value: what is no text comes as JSON."""
    if text[:1] in {"[", "{"} or text in {"true", "false"}:
        return json.loads(text)
    return text


def _failure(status: int, words: str, *, retry_after: int | None = None) -> web.Response:
    parameters = ResponseParameters(retry_after=retry_after) if retry_after else None
    failure = Response[Any](ok=False, error_code=status, description=words, parameters=parameters)
    return web.Response(
        status=status,
        text=failure.model_dump_json(exclude_none=True),
        content_type="application/json",
    )
