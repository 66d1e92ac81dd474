"""Where the money of a payment intent is."""

from __future__ import annotations

import attrs

from domain.explaining.service import ExplainingService
from domain.explaining.view import view_case
from domain.merchants.model import Merchant
from domain.merchants.scopes import Scope
from domain.shared.ids import IntentId
from domain.shared.money import Assets
from entrypoints.http.answers import answer
from entrypoints.http.endpoint import Call, RawJson, get
from entrypoints.http.explanation_views import ExplanationView
from entrypoints.http.intents import Name
from ports.unit_of_work import NotFound


@attrs.frozen(kw_only=True)
class Explanations:
    """What is known of a payment, for whom a merchant's support has to answer."""

    service: ExplainingService
    assets: Assets

    @get(
        "/v1/payment_intents/{intent}/explain",
        summary="Tell where the money of a payment intent is",
        scope=Scope.PAYMENT_INTENTS_READ,
        tags=("PaymentIntents",),
        problems=(NotFound,),
    )
    async def explain(self, call: Call[Merchant], intent: Name) -> ExplanationView | RawJson:
        """Blocks read, payments seen, bookings, what is in suspense, and what happens when."""
        case = await self.service.explain(owner=call.principal.id, intent_id=IntentId(intent))
        return answer(call, view_case(case, self.assets))
