"""Use cases of test accounts: order what is hard to wait for, and look what came of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import attrs

from domain.chains.places import Places
from domain.escrow.model import EscrowTerms
from domain.intents.model import IntentStatus, IntentTransitionRefused
from domain.sandbox.model import (
    AdvanceClock,
    AssetOfOtherChain,
    FailDeliveries,
    NotADevnet,
    NotATestAccount,
    NothingDue,
    OnlyWhatIsDue,
    Pay,
    ReachesFinal,
    Reorganize,
    SandboxOrder,
)
from domain.shared.ids import SandboxOrderId
from domain.shared.modes import Mode
from domain.shared.money import Assets, ChainId, Money, chain_of
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import Begin, NotFound

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent
    from domain.merchants.model import Merchant
    from domain.sandbox.model import Task
    from domain.shared.idempotency import Idempotency
    from domain.shared.ids import EndpointId, IntentId, MerchantId
    from domain.webhooks.endpoint import SimulatedAnswer
    from ports.unit_of_work import UnitOfWork


@attrs.frozen
class SandboxService:
    """Takes orders. What is done outside the database is done by a job: ``carrying_out``."""

    begin: Begin
    clock: Clock
    ids: Ids
    assets: Assets
    places: Mapping[ChainId, Places]

    async def pay(
        self,
        *,
        merchant: Merchant,
        intent_id: IntentId,
        amount: int | None = None,
        asset: str | None = None,
        late: bool = False,
        idempotency: Idempotency[SandboxOrder] | None = None,
    ) -> SandboxOrder:
        """Have an intent paid on its devnet: what is due, unless told otherwise.

        ``amount`` is in smallest units of the asset. Of another asset than the one that is due it
        is one whole unit by default. ``late`` brings the intent's end about first.

        Raises:
            NotATestAccount: the account is for live money.
            NotFound: the merchant has no such intent.
            NotADevnet: it is paid on a chain where nobody can pay at will.
            NothingDue: it is paid, and no amount was named.
            UnknownAsset, AssetOfOtherChain: nothing of that asset can come to it.
            OnlyWhatIsDue: the escrow contract would refuse such a payment.
            IntentTransitionRefused: it was paid in time already.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        _must_be_for_tests(merchant)
        async with self.begin() as work:
            await _claim(work, idempotency, merchant.id)
            intent = await work.intents.get(intent_id, owner=merchant.id)
            self._must_be_a_devnet(intent.pay_to.chain)
            money = self._money(intent, amount, asset)
            if isinstance(intent.pay_to, EscrowTerms) and (late or money != intent.due):
                raise OnlyWhatIsDue(intent.method)
            if late and intent.status in {IntentStatus.PROCESSING, IntentStatus.SUCCEEDED}:
                raise IntentTransitionRefused(intent.id, intent.status, "pay_late")
            return await self._keep(
                work, self._order(merchant, Pay(intent_id, money, late)), idempotency
            )

    async def advance(
        self,
        *,
        merchant: Merchant,
        seconds: int,
        idempotency: Idempotency[SandboxOrder] | None = None,
    ) -> SandboxOrder:
        """Have all that the account waits for come so much sooner.

        Raises:
            NotATestAccount: the account is for live money.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        _must_be_for_tests(merchant)
        async with self.begin() as work:
            await _claim(work, idempotency, merchant.id)
            order = self._order(merchant, AdvanceClock(seconds))
            return await self._keep(work, order, idempotency)

    async def reorganize(
        self,
        *,
        merchant: Merchant,
        chain: str,
        depth: int,
        idempotency: Idempotency[SandboxOrder] | None = None,
    ) -> SandboxOrder:
        """Have a devnet's newest blocks replaced; all accounts on it see that.

        Raises:
            NotATestAccount: the account is for live money.
            NotADevnet: nobody can do that on this chain.
            ReachesFinal: a final block would be among them, and the chain be parked for it.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        _must_be_for_tests(merchant)
        place = self._must_be_a_devnet(ChainId(chain))
        async with self.begin() as work:
            await _claim(work, idempotency, merchant.id)
            cursor = await work.chains.cursor(place.chain)
            most = 0 if cursor is None else cursor.seen.number - cursor.final.number
            if depth > most:
                raise ReachesFinal(place.chain, depth, most)
            order = self._order(merchant, Reorganize(place.chain, depth))
            return await self._keep(work, order, idempotency)

    async def fail_deliveries(
        self,
        *,
        merchant: Merchant,
        endpoint_id: EndpointId,
        answer: SimulatedAnswer | None,
        times: int,
        idempotency: Idempotency[SandboxOrder] | None = None,
    ) -> SandboxOrder:
        """Have the next deliveries to an endpoint fail, as from now; None: no more of them.

        Raises:
            NotATestAccount: the account is for live money.
            NotFound: the merchant has no such endpoint.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        _must_be_for_tests(merchant)
        async with self.begin() as work:
            await _claim(work, idempotency, merchant.id)
            endpoint = await work.webhooks.lock_endpoint(endpoint_id)
            if endpoint.merchant_id != merchant.id or endpoint.deleted_at is not None:
                raise NotFound("endpoint", endpoint_id)
            await work.webhooks.save_endpoint(endpoint.simulate(answer, times=times))
            times = 0 if answer is None else times
            order = self._order(merchant, FailDeliveries(endpoint_id, answer, times))
            return await self._keep(work, order.done(at=order.created_at), idempotency)

    async def get(self, *, owner: MerchantId, order_id: SandboxOrderId) -> SandboxOrder:
        """Return an order, to look what came of it.

        Raises:
            NotFound: the merchant has none of that name.
        """
        async with self.begin() as work:
            return await work.sandbox.get(order_id, owner=owner)

    def _must_be_a_devnet(self, chain: ChainId) -> Places:
        place = self.places.get(chain)
        if place is None or not place.devnet:
            raise NotADevnet(chain)
        return place

    def _money(self, intent: PaymentIntent, amount: int | None, asset: str | None) -> Money:
        paid_in = self.assets.find(asset or intent.due.asset)
        if paid_in.id != intent.due.asset:
            if chain_of(paid_in.id) != intent.pay_to.chain:
                raise AssetOfOtherChain(paid_in.id, intent.pay_to.chain)
            return Money(amount or 10**paid_in.decimals, paid_in.id)
        if amount is None and not intent.remaining:
            raise NothingDue(intent.id)
        return Money(amount or intent.remaining, paid_in.id)

    def _order(self, merchant: Merchant, task: Task) -> SandboxOrder:
        name = SandboxOrderId(self.ids.new("test_order"))
        return SandboxOrder(name, merchant.id, task, created_at=self.clock.now())

    async def _keep(
        self,
        work: UnitOfWork,
        order: SandboxOrder,
        idempotency: Idempotency[SandboxOrder] | None,
    ) -> SandboxOrder:
        """Store an order, the promise to carry it out, and the answer: all of it or nothing."""
        await work.sandbox.add(order)
        if order.ended_at is None:
            await work.jobs.enqueue("carry_out_test_order", arguments={"order": order.id})
        if idempotency:
            await idempotency.keep(work, order, owner=order.merchant_id)
        await work.commit()
        return order


def _must_be_for_tests(merchant: Merchant) -> None:
    if merchant.mode is not Mode.TEST:
        raise NotATestAccount(merchant.id)


async def _claim(
    work: UnitOfWork, idempotency: Idempotency[SandboxOrder] | None, owner: MerchantId
) -> None:
    if idempotency:
        await idempotency.claim(work, owner=owner)
