"""What every store of payments in Stars keeps."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.shared.ids import IntentId
from domain.shared.money import Money
from domain.stars.model import (
    REVERSIBLE_FOR,
    STARS,
    ChargeId,
    PaymentRole,
    PaymentState,
    Reading,
    StarPayment,
    UserId,
)
from ports.unit_of_work import AlreadyExists, NotFound
from tests.builders import NOON
from tests.contracts.storage import StorageContract

if TYPE_CHECKING:
    from ports.unit_of_work import Begin


def a_star_payment(id: str = "charge_01", **changes: Any) -> StarPayment:  # noqa: ANN401 (fields)
    payment = StarPayment(
        id=ChargeId(id),
        payer=UserId(2**40),
        payload="pi_01",
        money=Money(50, STARS),
        paid_at=NOON,
        role=PaymentRole.PAYMENT,
        intent_id=IntentId(id.replace("charge", "pi")),
        matures_at=NOON + REVERSIBLE_FOR,
    )
    return attrs.evolve(payment, **changes)


async def given(begin: Begin, *payments: StarPayment) -> None:
    async with begin() as work:
        for payment in payments:
            await work.star_payments.add(payment)
        await work.commit()


class StarPaymentsContract(StorageContract):
    async def test_a_payment_comes_back_whole_and_changes_under_a_lock(self, begin: Begin) -> None:
        stray = a_star_payment("charge_02", role=PaymentRole.STRAY, intent_id=None, listed=True)
        await given(begin, a_star_payment(), stray)
        async with begin() as work:
            assert await work.star_payments.find(stray.id) == stray
            payment = await work.star_payments.lock(ChargeId("charge_01"))
            assert payment == a_star_payment()
            refused = payment.promise_back().refuse_refund(reason="no Stars left")
            refused = attrs.evolve(refused, listed=True, matures_at=NOON)
            await work.star_payments.save(refused)
            await work.commit()

        async with begin() as work:
            assert await work.star_payments.find(ChargeId("charge_01")) == refused

    async def test_what_was_never_claimed_is_not_found(self, begin: Begin) -> None:
        async with begin() as work:
            assert await work.star_payments.find(ChargeId("charge_09")) is None
            assert await work.star_payments.of_intent(IntentId("pi_09")) is None
            with pytest.raises(NotFound):
                await work.star_payments.lock(ChargeId("charge_09"))

    async def test_a_charge_is_claimed_once(self, begin: Begin) -> None:
        await given(begin, a_star_payment())

        with pytest.raises(AlreadyExists):
            await given(begin, a_star_payment(intent_id=IntentId("pi_02")))

    async def test_an_intent_has_one_payment_and_any_number_of_others(self, begin: Begin) -> None:
        other = {"role": PaymentRole.SURPLUS, "intent_id": IntentId("pi_01")}
        await given(
            begin,
            a_star_payment("charge_02", **other),
            a_star_payment(),
            a_star_payment("charge_03", **other),
        )

        with pytest.raises(AlreadyExists):
            await given(begin, a_star_payment("charge_04", intent_id=IntentId("pi_01")))
        async with begin() as work:
            assert await work.star_payments.of_intent(IntentId("pi_01")) == a_star_payment()

    async def test_of_two_claims_at_once_one_stands(self, begin: Begin) -> None:
        outcomes = await asyncio.gather(
            *(given(begin, a_star_payment()) for _ in range(4)), return_exceptions=True
        )

        assert sorted(map(repr, map(type, outcomes))) == sorted(
            map(repr, [type(None), *[AlreadyExists] * 3])
        )

    async def test_held_charges_mature_the_longest_due_first(self, begin: Begin) -> None:
        hour = timedelta(hours=1)
        await given(
            begin,
            *(a_star_payment(f"charge_0{n}", matures_at=NOON - n * hour) for n in range(4)),
            a_star_payment("charge_05", matures_at=NOON + hour),
            a_star_payment("charge_06", matures_at=NOON - hour, state=PaymentState.MATURED),
            a_star_payment("charge_07", matures_at=NOON - hour, state=PaymentState.REFUNDING),
        )

        async with begin() as work:
            due = await work.star_payments.maturing(at=NOON, limit=9)
            assert due == ["charge_03", "charge_02", "charge_01", "charge_00"]
            assert await work.star_payments.maturing(at=NOON, limit=1) == ["charge_03"]

    async def test_refunds_that_are_promised_come_oldest_first(self, begin: Begin) -> None:
        hour = timedelta(hours=1)
        await given(
            begin,
            *(
                a_star_payment(f"charge_0{n}", paid_at=NOON - n * hour, state=state)
                for n, state in enumerate([*[PaymentState.REFUNDING] * 3, *PaymentState])
            ),
        )

        async with begin() as work:
            # The last of them is the member REFUNDING among all the states.
            assert await work.star_payments.refunding(limit=9) == [
                "charge_05", "charge_02", "charge_01", "charge_00",
            ]  # fmt: skip
            assert await work.star_payments.refunding(limit=2) == ["charge_05", "charge_02"]

    async def test_charges_that_no_list_had_come_oldest_first(self, begin: Begin) -> None:
        hour = timedelta(hours=1)
        await given(
            begin,
            *(a_star_payment(f"charge_0{n}", paid_at=NOON - n * hour) for n in range(4)),
            a_star_payment("charge_04", paid_at=NOON - 9 * hour, listed=True),
        )

        async with begin() as work:
            found = await work.star_payments.unlisted(paid_before=NOON, limit=2)
            assert found == ["charge_03", "charge_02"]
            assert len(await work.star_payments.unlisted(paid_before=NOON, limit=9)) == 3

    async def test_the_list_is_read_from_its_beginning_and_on(self, begin: Begin) -> None:
        for lines in (7, 107):
            async with begin() as work:
                assert (await work.star_payments.lock_reading()).lines < lines
                await work.star_payments.save_reading(Reading(lines))
                await work.commit()

        async with begin() as work:
            assert await work.star_payments.lock_reading() == Reading(107)
