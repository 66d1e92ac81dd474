"""What every store keeps of test accounts' orders, and which deadlines it brings nearer."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.escrow.model import EscrowAction, EscrowState
from domain.intents.model import IntentStatus
from domain.sandbox.model import (
    AdvanceClock,
    FailDeliveries,
    Pay,
    Reorganize,
    SandboxOrder,
)
from domain.shared.ids import (
    EndpointId,
    EventId,
    IntentId,
    QuoteId,
    SandboxOrderId,
    SubmissionId,
)
from domain.webhooks.endpoint import SimulatedAnswer
from domain.webhooks.model import DeliveryState, Try
from ports.unit_of_work import NotFound
from tests.builders import (
    CHAIN,
    MERCHANT,
    NOON,
    OTHER_MERCHANT,
    a_delivery,
    a_quote,
    an_endpoint,
    an_escrow,
    an_escrow_intent,
    an_intent,
    deposit_to,
    usdt,
)
from tests.contracts.storage import StorageContract, given, given_merchants

if TYPE_CHECKING:
    from domain.escrow.model import Escrow
    from domain.intents.model import PaymentIntent
    from ports.unit_of_work import Begin

LATER = NOON + timedelta(minutes=1)
DAY = timedelta(days=1)
TASKS = (
    Pay(IntentId("pi_01"), usdt(2**200), late=True),
    AdvanceClock(3600),
    Reorganize(CHAIN, 2),
    FailDeliveries(EndpointId("we_01"), SimulatedAnswer.GONE, 3),
    FailDeliveries(EndpointId("we_01"), None, 0),
)


def an_order(**changes: Any) -> SandboxOrder:  # noqa: ANN401 (of any type)
    order = SandboxOrder(SandboxOrderId("to_01"), MERCHANT, TASKS[0], NOON)
    return attrs.evolve(order, **changes)


async def stored(begin: Begin, order: SandboxOrder) -> None:
    async with begin() as work:
        await work.sandbox.add(order)
        await work.commit()


async def nearer(begin: Begin, by: timedelta = DAY) -> None:
    async with begin() as work:
        await work.sandbox.bring_nearer(owner=MERCHANT, by=by, at=NOON)
        await work.commit()


class SandboxOrdersContract(StorageContract):
    @pytest.mark.parametrize("task", TASKS)
    async def test_an_order_comes_back_whole(self, begin: Begin, task: object) -> None:
        order = an_order(task=task)
        await stored(begin, order)

        async with begin() as work:
            assert await work.sandbox.get(order.id, owner=MERCHANT) == order

    @pytest.mark.parametrize(
        "ended",
        [
            an_order().begin(at=LATER),
            an_order().begin(at=LATER).done(at=LATER, transaction="0xabc"),
            an_order().fail("reverted", at=LATER),
            an_order().lose("no answer", at=LATER),
        ],
        ids=["begun", "done", "failed", "unknown"],
    )
    async def test_it_changes_under_a_lock(self, begin: Begin, ended: SandboxOrder) -> None:
        await stored(begin, an_order())
        async with begin() as work:
            assert await work.sandbox.lock(ended.id) == an_order()
            await work.sandbox.save(ended)
            await work.commit()

        async with begin() as work:
            assert await work.sandbox.lock(ended.id) == ended

    async def test_another_merchants_is_not_found(self, begin: Begin) -> None:
        await stored(begin, an_order())

        async with begin() as work:
            with pytest.raises(NotFound):
                await work.sandbox.get(an_order().id, owner=OTHER_MERCHANT)
            with pytest.raises(NotFound):
                await work.sandbox.lock(SandboxOrderId("to_02"))

    async def test_those_that_ended_long_ago_are_dropped(self, begin: Begin) -> None:
        ended = [
            an_order(id=SandboxOrderId(f"to_0{number}")).fail("no", at=NOON + number * DAY)
            for number in range(3)
        ]
        others = an_order(id=SandboxOrderId("to_07"), merchant_id=OTHER_MERCHANT)
        begun = an_order(id=SandboxOrderId("to_08")).begin(at=NOON - DAY)
        for order in (*ended, others.fail("no", at=NOON - DAY), begun):
            await stored(begin, order)

        # Not those of the very moment, and no more than were asked for.
        for limit, dropped in ((1, 1), (9, 1), (9, 0)):
            async with begin() as work:
                before = NOON + DAY
                assert await work.sandbox.prune(ended_before=before, limit=limit) == dropped
                await work.commit()

        async with begin() as work:
            for kept in (*ended[1:], begun):
                assert await work.sandbox.lock(kept.id) == kept
            for gone in (ended[0], others):
                with pytest.raises(NotFound):
                    await work.sandbox.lock(gone.id)


class NearerContract(StorageContract):
    """What an account waits for comes sooner; what has happened, and others', stays."""

    async def test_unpaid_intents(self, begin: Begin) -> None:
        await given_merchants(begin)
        unpaid, paid = an_intent(), self._intent("pi_02", 1, status=IntentStatus.PROCESSING)
        others = self._intent("pi_03", 2, merchant_id=OTHER_MERCHANT)
        await given(begin, unpaid, paid, others)
        await nearer(begin)

        async with begin() as work:
            found = [await work.intents.get(it.id, owner=None) for it in (unpaid, paid, others)]
        assert found == [attrs.evolve(unpaid, expires_at=unpaid.expires_at - DAY), paid, others]

    async def test_quotes_that_count(self, begin: Begin) -> None:
        await given_merchants(begin)
        earlier, just_now = NOON - timedelta(hours=1), NOON - timedelta(seconds=1)
        over = a_quote("qt_02", created_at=earlier, expires_at=just_now)
        others = a_quote("qt_03", merchant_id=OTHER_MERCHANT)
        await given(begin, over, others)
        await nearer(begin)

        async with begin() as work:
            open_ = await work.intents.get_quote(QuoteId("qt_01"), owner=MERCHANT)
            assert open_ == attrs.evolve(a_quote(), expires_at=a_quote().expires_at - DAY)
            assert await work.intents.get_quote(over.id, owner=MERCHANT) == over
            assert await work.intents.get_quote(others.id, owner=OTHER_MERCHANT) == others

    async def test_the_release_of_held_escrows(self, begin: Begin) -> None:
        await given_merchants(begin)
        escrows = [
            self._escrow("pi_01"),
            self._escrow("pi_02", state=EscrowState.RELEASED),
            self._escrow("pi_03", merchant_id=OTHER_MERCHANT),
        ]
        for number, escrow in enumerate(escrows):
            intent = an_escrow_intent(escrow.intent_id, merchant_id=escrow.merchant_id)
            await given(begin, intent, attrs.evolve(escrow, payer=f"payer {number}"))
        held = escrows[0]
        due = held.terms.auto_release_at - DAY
        async with begin() as work:
            assert await work.escrows.due_for_release(at=due, limit=9) == []
        await nearer(begin)

        async with begin() as work:
            [found] = await work.escrows.due_for_release(at=due, limit=9)
            assert found.id == held.id
            locked = await work.escrows.lock(held.id)
            assert locked is not None
            assert locked.may_auto_release(at=due)
            assert locked.terms == held.terms
            asked = locked.request(EscrowAction.RELEASE, submission_id=SubmissionId("sub_01"))
            await work.escrows.save(asked)
            await work.commit()
        async with begin() as work:
            assert await work.escrows.lock(held.id) == asked

    async def test_deliveries_that_are_pending(self, begin: Begin) -> None:
        await given_merchants(begin)
        tried = (Try(NOON, 500, "no"),)
        pending = a_delivery(next_try_at=NOON + DAY, tries=tried)
        parked = a_delivery(
            "wd_02", event_id=EventId("evt_02"), sequence=2, state=DeliveryState.PARKED,
            next_try_at=None,
        )  # fmt: skip
        await given(begin, an_endpoint(), pending, parked)
        await nearer(begin)

        async with begin() as work:
            assert await work.webhooks.get_delivery(parked.id) == parked
            taken = await work.webhooks.take_due(
                at=NOON, until=LATER, limit=9, each_max=9, under_way={}
            )
        assert [it.id for it in taken] == [pending.id]
        assert taken[0].tries == tried

    async def test_how_long_endpoints_rest(self, begin: Begin) -> None:
        await given_merchants(begin)
        names = ("rest_until", "former_secret_until", "failing_since")
        clocks: dict[str, Any] = dict.fromkeys(names, NOON + DAY)
        resting = an_endpoint(former_secret="whsec_b2xk", **clocks)
        quiet = an_endpoint("we_02")
        others = an_endpoint("we_03", merchant_id=OTHER_MERCHANT, **clocks)
        gone = an_endpoint("we_04", deleted_at=NOON, **clocks)
        await given(begin, resting, quiet, others, gone)
        await nearer(begin)

        async with begin() as work:
            found = [
                await work.webhooks.get_endpoint(it.id) for it in (resting, quiet, others, gone)
            ]
        by_then: dict[str, Any] = dict.fromkeys(names, NOON)
        sooner = attrs.evolve(resting, **by_then)
        assert found == [sooner, quiet, others, gone]

    async def test_what_is_simulated_is_stored(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, an_endpoint())
        async with begin() as work:
            endpoint = await work.webhooks.lock_endpoint(an_endpoint().id)
            told = endpoint.simulate(SimulatedAnswer.TIMEOUT, times=2)
            await work.webhooks.save_endpoint(told)
            await work.commit()

        async with begin() as work:
            assert await work.webhooks.get_endpoint(told.id) == told

    def _intent(self, name: str, index: int, **changes: Any) -> PaymentIntent:  # noqa: ANN401 (as above)
        return an_intent(name, pay_to=deposit_to(name, index=index), **changes)

    def _escrow(self, intent_id: str, **changes: Any) -> Escrow:  # noqa: ANN401 (as above)
        return an_escrow(intent_id, **changes)
