"""What is kept, over every storage, of money in suspense that is given to an intent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.intents.model import IntentStatus, PaymentException
from domain.merchants.model import PaymentPolicy
from domain.merchants.model import Verdict as Policy
from domain.shared.ids import IntentId
from domain.suspense.model import (
    AlreadyCounted,
    AlreadyDecided,
    ItemState,
    OtherAsset,
    Verdict,
    Why,
)
from ports.unit_of_work import NotFound
from tests.domain.inbox import (
    ADA,
    BACK,
    GRACE,
    Decisions,
    decided,
    gift,
    items,
    must_be_right,
    only,
)
from tests.domain.scene import DUE, HOT, NET, PAYER
from tests.domain.shared_wallet import CHAIN, OTHER, TOKEN, till

if TYPE_CHECKING:
    from tests.domain.shared_wallet import SharedWallet

TO_REVIEW = PaymentPolicy(overpaid=Policy.REVIEW, late=Policy.REVIEW)


class AssignmentContract(Decisions):
    async def test_it_pays_an_intent_as_if_it_had_been_paid_to_it(
        self, wallet: SharedWallet
    ) -> None:
        intent = await wallet.intent()
        item = await gift(wallet)
        assert (item.why, item.memo, item.source, item.target) == (
            Why.UNKNOWN_MEMO,
            "thanks!",
            PAYER,
            HOT,
        )

        taken = await wallet.services.suspense.assign(item_id=item.id, intent_id=intent.id, **ADA)

        assert (taken.status, taken.exception) == (
            IntentStatus.SUCCEEDED,
            PaymentException.NONE,
        )
        assert taken == await wallet.now(intent)
        assert (await wallet.earned(), await wallet.suspense()) == (NET, 0)
        assert await items(wallet.services) == []
        [decision] = await decided(wallet.services, item.id)
        assert (decision.verdict, decision.intent_id) == (Verdict.ASSIGN, intent.id)
        assert (decision.by, decision.note) == (ADA["by"], ADA["note"])
        assert decision.at == wallet.around.clock.now()
        await must_be_right(wallet)

    async def test_the_merchant_is_told_as_of_any_payment(self, wallet: SharedWallet) -> None:
        intent = await wallet.intent()
        item = await gift(wallet)

        await wallet.services.suspense.assign(item_id=item.id, intent_id=intent.id, **ADA)

        feed = await wallet.services.webhooks.feed(owner=wallet.merchant.id, after=0, limit=100)
        assert [it.event.type for it in feed] == [
            "payment_intent.created",
            "payment.received",
            "payment.confirmed",
            "payment_intent.succeeded",
        ]

    async def test_what_was_paid_in_time_is_not_late_for_being_found_later(
        self, wallet: SharedWallet
    ) -> None:
        intent = await wallet.intent()
        item = await gift(wallet)
        wallet.around.clock.advance(hours=2)
        await wallet.settle_down()
        assert await wallet.services.intents.expire_due(chain=CHAIN) == 1

        taken = await wallet.services.suspense.assign(item_id=item.id, intent_id=intent.id, **ADA)

        assert (taken.status, taken.exception) == (IntentStatus.SUCCEEDED, PaymentException.NONE)
        await must_be_right(wallet)

    async def test_what_was_paid_too_late_waits_for_the_merchant(
        self, wallet: SharedWallet
    ) -> None:
        intent = await wallet.intent()
        wallet.around.clock.advance(hours=2)
        item = await gift(wallet)

        taken = await wallet.services.suspense.assign(item_id=item.id, intent_id=intent.id, **ADA)

        assert (taken.status, taken.exception) == (
            IntentStatus.NEEDS_REVIEW,
            PaymentException.LATE,
        )
        rest = await only(wallet.services)
        assert (rest.id, rest.why, rest.counted_by) == (f"{item.id}.2", Why.LATE, intent.id)
        await must_be_right(wallet)
        await wallet.services.intents.accept(owner=intent.merchant_id, intent_id=intent.id)
        assert await items(wallet.services) == []
        assert await wallet.earned() == NET
        await must_be_right(wallet)

    async def test_a_part_leaves_the_intent_open_for_the_rest(self, wallet: SharedWallet) -> None:
        intent = await wallet.intent()
        item = await gift(wallet, DUE // 5)

        taken = await wallet.services.suspense.assign(item_id=item.id, intent_id=intent.id, **ADA)
        assert (taken.status, taken.exception) == (
            IntentStatus.REQUIRES_PAYMENT,
            PaymentException.UNDERPAID,
        )
        await must_be_right(wallet)
        wallet.pay(intent, DUE - DUE // 5)
        await wallet.settle_down()

        assert (await wallet.now(intent)).status is IntentStatus.SUCCEEDED
        assert await items(wallet.services) == []
        await must_be_right(wallet)

    async def test_too_much_leaves_an_item_that_can_go_back(self, wallet: SharedWallet) -> None:
        merchant = await wallet.merchant_paid_at(till("Grace"), payments=TO_REVIEW)
        intent = await wallet.intent(merchant=merchant)
        item = await gift(wallet, 3 * DUE)

        taken = await wallet.services.suspense.assign(item_id=item.id, intent_id=intent.id, **ADA)

        assert (taken.status, taken.exception) == (
            IntentStatus.SUCCEEDED,
            PaymentException.OVERPAID,
        )
        rest = await only(wallet.services)
        assert (rest.left, rest.why) == (2 * DUE, Why.OVERPAID)
        await must_be_right(wallet)
        await wallet.services.suspense.give_back(item_id=rest.id, to=BACK, **ADA)
        without = await wallet.now(intent)
        assert (without.exception, without.final) == (PaymentException.NONE, DUE)
        await wallet.send()
        await wallet.settle_down()
        assert wallet.held(BACK) == 2 * DUE
        await must_be_right(wallet)

    async def test_money_of_one_intent_can_turn_out_to_be_anothers(
        self, wallet: SharedWallet
    ) -> None:
        one = await wallet.intent()
        wallet.around.clock.advance(hours=2)
        await wallet.settle_down()
        await wallet.services.intents.expire_due(chain=CHAIN)
        other = await wallet.intent()
        wallet.pay(one)
        await wallet.settle_down()
        item = await only(wallet.services)
        assert (item.why, item.counted_by) == (Why.LATE, one.id)

        await wallet.services.suspense.assign(item_id=item.id, intent_id=other.id, **ADA)

        assert (await wallet.now(other)).status is IntentStatus.SUCCEEDED
        without = await wallet.now(one)
        assert (without.status, without.received, without.final) == (IntentStatus.EXPIRED, 0, 0)
        [decision] = await decided(wallet.services, item.id)
        assert (decision.intent_id, decision.taken_from) == (other.id, one.id)
        await must_be_right(wallet)

    async def test_it_is_refused_where_the_intent_cannot_take_it(
        self, wallet: SharedWallet
    ) -> None:
        intent = await wallet.intent()
        item = await gift(wallet, 70, asset=OTHER.id)
        assign = wallet.services.suspense.assign

        with pytest.raises(OtherAsset) as refusal:
            await assign(item_id=item.id, intent_id=intent.id, **ADA)
        assert (refusal.value.asset, refusal.value.due) == (OTHER.id, TOKEN.id)
        with pytest.raises(NotFound):
            await assign(item_id=item.id, intent_id=IntentId("pi_99"), **ADA)
        assert await only(wallet.services) == item
        assert await decided(wallet.services, item.id) == []

    async def test_it_is_refused_where_the_intent_has_it_already(
        self, wallet: SharedWallet
    ) -> None:
        intent = await wallet.intent()
        wallet.pay(intent, DUE // 5)
        await wallet.settle_down()
        item = await only(wallet.services)

        with pytest.raises(AlreadyCounted):
            await wallet.services.suspense.assign(item_id=item.id, intent_id=intent.id, **ADA)

    async def test_it_is_done_once(self, wallet: SharedWallet) -> None:
        intent = await wallet.intent()
        item = await gift(wallet)
        suspense = wallet.services.suspense
        await suspense.assign(item_id=item.id, intent_id=intent.id, **ADA)

        with pytest.raises(AlreadyDecided) as refusal:
            await suspense.assign(item_id=item.id, intent_id=intent.id, **GRACE)
        assert refusal.value.state is ItemState.ASSIGNED
        with pytest.raises(AlreadyDecided):
            await suspense.give_back(item_id=item.id, to=BACK, **GRACE)
        with pytest.raises(AlreadyDecided):
            await suspense.top_up(item_id=item.id, **GRACE)
        assert len(await decided(wallet.services, item.id)) == 1
        assert (await wallet.now(intent)).received == DUE
        await must_be_right(wallet)
