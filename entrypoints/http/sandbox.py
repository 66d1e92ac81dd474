"""Test helpers: a test account orders what is hard to wait for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import attrs

from domain.intents.model import IntentTransitionRefused
from domain.merchants.model import Merchant
from domain.merchants.scopes import Scope
from domain.sandbox.model import (
    AssetOfOtherChain,
    NotADevnet,
    NotATestAccount,
    NothingDue,
    OnlyWhatIsDue,
    ReachesFinal,
)
from domain.sandbox.service import SandboxService
from domain.sandbox.view import view_order
from domain.shared.idempotency import KeyInFlight, KeyReused
from domain.shared.ids import EndpointId, IntentId, SandboxOrderId
from domain.shared.money import Assets, UnknownAsset
from domain.webhooks.endpoint import SimulatedAnswer
from entrypoints.http.answers import answer, answer_once
from entrypoints.http.endpoint import Call, RawJson, get, post
from entrypoints.http.sandbox_views import (
    AdvanceClockInTest,
    FailDeliveriesInTest,
    PayInTest,
    ReorganizeInTest,
    SandboxOrderView,
)
from entrypoints.http.schema import Text
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from domain.sandbox.model import SandboxOrder
    from domain.shared.events import Json
    from domain.shared.idempotency import Idempotency

Name = Annotated[str, Text(pattern="^[A-Za-z0-9_]{1,64}$")]
ChainName = Annotated[
    str, Text(pattern="^[a-z0-9]{1,16}:[A-Za-z0-9_-]{1,40}$", example="eip155:31337")
]

_TAGS = ("TestHelpers",)
_ALWAYS = (NotATestAccount, KeyInFlight, KeyReused)
_PAYING = (
    NotFound,
    NotADevnet,
    NothingDue,
    UnknownAsset,
    AssetOfOtherChain,
    OnlyWhatIsDue,
    *_ALWAYS,
)


@attrs.frozen(kw_only=True)
class SandboxOrders:
    """What a test account orders. It is done by a job; the order tells when it is."""

    service: SandboxService
    assets: Assets

    @post(
        "/v1/test_helpers/payment_intents/{intent}/pay",
        status=202,
        summary="Have a payment intent paid on a devnet",
        scope=Scope.TEST_HELPERS_WRITE,
        tags=_TAGS,
        idempotency="optional",
        problems=_PAYING,
    )
    async def pay(
        self, call: Call[Merchant], intent: Name, body: PayInTest | None
    ) -> SandboxOrderView | RawJson:
        """By the intent's method, as a payer would: just what is due, less, more, or other money.

        The escrow contract takes what is due and nothing else.
        """
        return await self._pay(call, intent, body, late=False)

    @post(
        "/v1/test_helpers/payment_intents/{intent}/pay_late",
        status=202,
        summary="Have a payment intent paid after its end",
        scope=Scope.TEST_HELPERS_WRITE,
        tags=_TAGS,
        idempotency="optional",
        problems=(*_PAYING, IntentTransitionRefused),
    )
    async def pay_late(
        self, call: Call[Merchant], intent: Name, body: PayInTest | None
    ) -> SandboxOrderView | RawJson:
        """Its `expires_at` is brought into the past first. The escrow contract takes none late."""
        return await self._pay(call, intent, body, late=True)

    @post(
        "/v1/test_helpers/clock/advance",
        status=202,
        summary="Bring nearer what the account waits for",
        scope=Scope.TEST_HELPERS_WRITE,
        tags=_TAGS,
        idempotency="optional",
        problems=_ALWAYS,
    )
    async def advance(
        self, call: Call[Merchant], body: AdvanceClockInTest
    ) -> SandboxOrderView | RawJson:
        """Unpaid intents and quotes end, escrows are released and webhooks tried so much sooner.

        Nothing else moves: no other account, no chain, and nothing that has happened. What only
        the escrow contract counts, such as when a payer may reclaim, stays where it is.
        """

        async def act(idempotency: Idempotency[SandboxOrder] | None) -> SandboxOrder:
            return await self.service.advance(
                merchant=call.principal, seconds=body.seconds, idempotency=idempotency
            )

        return await answer_once(call, act, self._view)

    @post(
        "/v1/test_helpers/chains/{chain}/reorg",
        status=202,
        summary="Have a devnet's newest blocks replaced",
        scope=Scope.TEST_HELPERS_WRITE,
        tags=_TAGS,
        idempotency="optional",
        problems=(NotADevnet, ReachesFinal, *_ALWAYS),
    )
    async def reorg(
        self, call: Call[Merchant], chain: ChainName, body: ReorganizeInTest
    ) -> SandboxOrderView | RawJson:
        """What was in them is gone. The devnet is shared: other test accounts see that as well."""

        async def act(idempotency: Idempotency[SandboxOrder] | None) -> SandboxOrder:
            return await self.service.reorganize(
                merchant=call.principal, chain=chain, depth=body.depth, idempotency=idempotency
            )

        return await answer_once(call, act, self._view)

    @post(
        "/v1/test_helpers/webhook_endpoints/{endpoint}/fail",
        summary="Have the next deliveries to an endpoint fail",
        scope=Scope.TEST_HELPERS_WRITE,
        tags=_TAGS,
        idempotency="optional",
        problems=(NotFound, *_ALWAYS),
    )
    async def fail(
        self, call: Call[Merchant], endpoint: Name, body: FailDeliveriesInTest
    ) -> SandboxOrderView | RawJson:
        """From now on; the server is not asked. The log of deliveries says `simulated`."""

        async def act(idempotency: Idempotency[SandboxOrder] | None) -> SandboxOrder:
            return await self.service.fail_deliveries(
                merchant=call.principal,
                endpoint_id=EndpointId(endpoint),
                answer=None if body.answer == "off" else SimulatedAnswer(body.answer),
                times=body.times,
                idempotency=idempotency,
            )

        return await answer_once(call, act, self._view)

    @get(
        "/v1/test_helpers/orders/{order}",
        summary="Show what came of an order",
        scope=Scope.TEST_HELPERS_WRITE,
        tags=_TAGS,
        problems=(NotFound,),
    )
    async def show(self, call: Call[Merchant], order: Name) -> SandboxOrderView | RawJson:
        """It is `pending` until the worker has carried it out."""
        found = await self.service.get(owner=call.principal.id, order_id=SandboxOrderId(order))
        return answer(call, self._view(found))

    async def _pay(
        self, call: Call[Merchant], intent: str, body: PayInTest | None, *, late: bool
    ) -> RawJson:
        asked = body or PayInTest()

        async def act(idempotency: Idempotency[SandboxOrder] | None) -> SandboxOrder:
            return await self.service.pay(
                merchant=call.principal,
                intent_id=IntentId(intent),
                amount=None if asked.amount is None else int(asked.amount),
                asset=asked.asset,
                late=late,
                idempotency=idempotency,
            )

        return await answer_once(call, act, self._view)

    def _view(self, order: SandboxOrder) -> dict[str, Json]:
        return view_order(order, self.assets)
