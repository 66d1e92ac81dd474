"""Payments in Telegram Stars: links to invoices, and refunds."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import attrs

from domain.ledger.model import InsufficientFunds
from domain.merchants.model import Merchant
from domain.merchants.scopes import Scope
from domain.shared.idempotency import KeyInFlight, KeyReused
from domain.shared.ids import IntentId
from domain.shared.money import Assets
from domain.stars.model import DESCRIPTION_MAX, TITLE_MAX, InvoiceMalformed, PaymentState
from domain.stars.service import NotPaidInStars, StarsService
from domain.stars.view import view_link, view_payment
from entrypoints.http.answers import answer_once
from entrypoints.http.endpoint import Call, RawJson, post
from entrypoints.http.intents import Name
from entrypoints.http.schema import Described, Text
from entrypoints.http.views import MoneyView
from ports.stars import StarsRefused, StarsUnavailable
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from domain.shared.events import Json
    from domain.shared.idempotency import Idempotency
    from domain.stars.model import StarPayment


@attrs.frozen(kw_only=True)
class CreateInvoiceLink:
    """What a payer is shown in Telegram before paying."""

    title: Annotated[str, Text(min_length=1, max_length=TITLE_MAX, example="Order 1042")]
    description: Annotated[
        str, Text(min_length=1, max_length=DESCRIPTION_MAX, example="Two tickets for Friday")
    ]
    is_subscription: Annotated[
        bool, Described(description="Whether the payer pays again after every 30 days.")
    ] = False


@attrs.frozen(kw_only=True)
class InvoiceLinkView:
    """A link under which an intent can be paid in Telegram."""

    object: Literal["stars_invoice_link"]
    payment_intent: str
    url: Annotated[str, Described(description="To be opened in Telegram.")]


@attrs.frozen(kw_only=True)
class StarPaymentView:
    """What was paid for an intent in Stars."""

    id: Annotated[str, Described(description="Telegram's own name of the charge.")]
    object: Literal["star_payment"]
    payment_intent: str
    state: PaymentState
    amount: MoneyView
    paid_at: datetime
    matures_at: Annotated[
        datetime, Described(description="From when on the money can be paid out.")
    ]
    reason: Annotated[
        str | None, Described(description="Why Telegram has refused a refund, if it has.")
    ]


@attrs.frozen(kw_only=True)
class StarPayments:
    """What payers pay in Telegram."""

    service: StarsService
    assets: Assets

    @post(
        "/v1/payment_intents/{intent}/stars/invoice_link",
        summary="Make a link by which an intent in Stars is paid",
        scope=Scope.PAYMENT_INTENTS_WRITE,
        idempotency="optional",
        problems=(
            NotFound,
            NotPaidInStars,
            InvoiceMalformed,
            StarsRefused,
            StarsUnavailable,
            KeyInFlight,
            KeyReused,
        ),
    )
    async def invoice_link(
        self, call: Call[Merchant], intent: Name, body: CreateInvoiceLink
    ) -> InvoiceLinkView | RawJson:
        """However many links are made, the intent is paid once: what comes twice goes back."""
        name = IntentId(intent)

        async def act(idempotency: Idempotency[str] | None) -> str:
            return await self.service.invoice_link(
                owner=call.principal.id,
                intent_id=name,
                title=body.title,
                description=body.description,
                is_subscription=body.is_subscription,
                idempotency=idempotency,
            )

        return await answer_once(call, act, lambda link: view_link(link, name))

    @post(
        "/v1/payment_intents/{intent}/stars/refund",
        status=202,
        summary="Give a payer the Stars back",
        scope=Scope.REFUNDS_WRITE,
        idempotency="optional",
        problems=(NotFound, InsufficientFunds, KeyInFlight, KeyReused),
    )
    async def refund(self, call: Call[Merchant], intent: Name) -> StarPaymentView | RawJson:
        """All of them. The books say so at once; Telegram is asked by a job."""

        async def act(idempotency: Idempotency[StarPayment] | None) -> StarPayment:
            return await self.service.refund(
                owner=call.principal.id, intent_id=IntentId(intent), idempotency=idempotency
            )

        return await answer_once(call, act, self._view)

    def _view(self, payment: StarPayment) -> dict[str, Json]:
        return view_payment(payment, self.assets)
