"""The escrow of a payment intent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.escrow.model import EscrowActionInProgress, EscrowTransitionRefused
from domain.escrow.service import EscrowService
from domain.escrow.view import view_escrow
from domain.merchants.model import Merchant
from domain.merchants.scopes import Scope
from domain.shared.idempotency import KeyInFlight, KeyReused
from domain.shared.ids import IntentId
from domain.shared.money import Assets
from entrypoints.http.answers import answer, answer_once
from entrypoints.http.endpoint import Call, RawJson, get, post
from entrypoints.http.intents import Name
from entrypoints.http.views import EscrowView
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from domain.escrow.model import Escrow
    from domain.shared.events import Json
    from domain.shared.idempotency import Idempotency

_PROBLEMS = (
    NotFound,
    EscrowTransitionRefused,
    EscrowActionInProgress,
    KeyInFlight,
    KeyReused,
)


@attrs.frozen(kw_only=True)
class Escrows:
    """Money that the contract holds between payer and merchant."""

    service: EscrowService
    assets: Assets

    @get(
        "/v1/payment_intents/{intent}/escrow",
        summary="Show the escrow of a payment intent",
        scope=Scope.PAYMENT_INTENTS_READ,
        problems=(NotFound,),
    )
    async def show(self, call: Call[Merchant], intent: Name) -> EscrowView | RawJson:
        """There is one from the moment the payment is final."""
        found = await self.service.get(owner=call.principal.id, intent_id=IntentId(intent))
        return answer(call, self._view(found))

    @post(
        "/v1/payment_intents/{intent}/escrow/release",
        status=202,
        summary="Release the escrow to the merchant",
        scope=Scope.PAYMENT_INTENTS_WRITE,
        idempotency="optional",
        problems=_PROBLEMS,
    )
    async def release(self, call: Call[Merchant], intent: Name) -> EscrowView | RawJson:
        """The contract is asked; ``escrow.released`` tells when the chain has done it for good."""

        async def act(idempotency: Idempotency[Escrow] | None) -> Escrow:
            return await self.service.release(
                owner=call.principal.id, intent_id=IntentId(intent), idempotency=idempotency
            )

        return await answer_once(call, act, self._view)

    @post(
        "/v1/payment_intents/{intent}/escrow/refund",
        status=202,
        summary="Refund the escrow to the payer",
        scope=Scope.REFUNDS_WRITE,
        idempotency="optional",
        problems=_PROBLEMS,
    )
    async def refund(self, call: Call[Merchant], intent: Name) -> EscrowView | RawJson:
        """The contract is asked; ``escrow.refunded`` tells when the chain has done it for good."""

        async def act(idempotency: Idempotency[Escrow] | None) -> Escrow:
            return await self.service.refund(
                owner=call.principal.id, intent_id=IntentId(intent), idempotency=idempotency
            )

        return await answer_once(call, act, self._view)

    def _view(self, escrow: Escrow) -> dict[str, Json]:
        return view_escrow(escrow, self.assets)
