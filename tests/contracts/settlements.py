"""What every store of settlements and payouts keeps."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.shared.ids import HoldId, PayoutId, SettlementId, SubmissionId
from ports.unit_of_work import AlreadyExists, NotFound
from tests.builders import (
    MERCHANT,
    NOON,
    OTHER_MERCHANT,
    a_hold,
    a_payout,
    a_settlement,
    hash_of,
    usdt,
)
from tests.contracts.storage import StorageContract, given, given_merchants

if TYPE_CHECKING:
    from ports.unit_of_work import Begin


class SettlementsContract(StorageContract):
    async def test_a_settlement_comes_back_whole_and_changes_under_a_lock(
        self, begin: Begin
    ) -> None:
        await given_merchants(begin)
        await given(begin, a_hold(), a_settlement(money=usdt(2**250)))
        async with begin() as work:
            settlement = await work.settlements.lock(SettlementId("set_01"))
            assert settlement == a_settlement(money=usdt(2**250))
            approved = settlement.close().approve(payout_id=PayoutId("po_01"))
            await work.settlements.save(approved)
            await work.commit()

        async with begin() as work:
            assert await work.settlements.lock(SettlementId("set_01")) == approved

    async def test_a_settlement_is_added_once(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, a_hold(), a_settlement())

        with pytest.raises(AlreadyExists):
            await given(begin, a_settlement())

    async def test_a_merchants_settlements_are_listed_newest_first(self, begin: Begin) -> None:
        await given_merchants(begin)
        mine = [
            a_settlement(f"set_0{n}", created_at=NOON + timedelta(days=n)) for n in range(1, 4)
        ]
        await given(begin, a_hold(), *mine, a_settlement("set_04", merchant_id=OTHER_MERCHANT))

        async with begin() as work:
            page = work.settlements.list
            assert await page(owner=MERCHANT, limit=2) == [mine[2], mine[1]]
            assert await page(owner=MERCHANT, before=mine[1].id, limit=2) == [mine[0]]
            assert await page(owner=MERCHANT, before=mine[0].id, limit=2) == []

    async def test_a_payout_comes_back_whole_and_changes_under_a_lock(self, begin: Begin) -> None:
        await given_payout(begin)
        async with begin() as work:
            assert await work.settlements.get_payout(PayoutId("po_01"), owner=MERCHANT) == (
                a_payout()
            )
            payout = await work.settlements.lock_payout(PayoutId("po_01"))
            signed = payout.approve(submission_id=SubmissionId("sub_01")).sign(
                transaction=hash_of("payout"), submission_id=SubmissionId("sub_02")
            )
            await work.settlements.save_payout(signed)
            await work.commit()

        async with begin() as work:
            assert await work.settlements.lock_payout(PayoutId("po_01")) == signed
            await work.ledger.add_hold(a_hold("hold_02"))
            refused = attrs.evolve(signed.refuse(reason="no effect"), hold_id=HoldId("hold_02"))
            await work.settlements.save_payout(refused)
            await work.commit()

        async with begin() as work:
            assert await work.settlements.lock_payout(PayoutId("po_01")) == refused

    async def test_many_are_found_by_name_if_they_are_the_merchants(self, begin: Begin) -> None:
        await given_merchants(begin)
        settlements = [a_settlement(f"set_0{n}") for n in (1, 2)]
        theirs = a_settlement("set_03", merchant_id=OTHER_MERCHANT)
        await given(begin, a_hold(), *settlements, theirs)
        payouts = [a_payout(f"po_0{n}") for n in (1, 2)]
        await given(begin, *payouts, a_payout("po_03", merchant_id=OTHER_MERCHANT))
        await given(begin, a_payout("po_04", merchant_id=None, settlement_id=None))
        names = [SettlementId(f"set_0{n}") for n in (2, 1, 3, 9, 1)]
        paid = [PayoutId(f"po_0{n}") for n in (2, 1, 3, 4, 9, 1)]

        async with begin() as work:
            assert await work.settlements.named([], owner=MERCHANT) == []
            assert await work.settlements.payouts_named([], owner=MERCHANT) == []
            assert await work.settlements.named(names[2:4], owner=MERCHANT) == []
            assert await work.settlements.payouts_named(paid[2:5], owner=MERCHANT) == []
            found = await work.settlements.named(names, owner=MERCHANT)
            assert sorted(found, key=lambda it: it.id) == settlements
            sent = await work.settlements.payouts_named(paid, owner=MERCHANT)
            assert sorted(sent, key=lambda it: it.id) == payouts

    async def test_a_payout_is_added_once(self, begin: Begin) -> None:
        await given_payout(begin)

        with pytest.raises(AlreadyExists):
            await given(begin, a_payout())

    async def test_what_is_unknown_or_anothers_is_not_found(self, begin: Begin) -> None:
        await given_payout(begin)

        async with begin() as work:
            with pytest.raises(NotFound):
                await work.settlements.lock(SettlementId("set_99"))
            with pytest.raises(NotFound):
                await work.settlements.lock_payout(PayoutId("po_99"))
            with pytest.raises(NotFound):
                await work.settlements.get_payout(PayoutId("po_99"), owner=MERCHANT)
            with pytest.raises(NotFound):
                await work.settlements.get_payout(PayoutId("po_01"), owner=OTHER_MERCHANT)


async def given_payout(begin: Begin) -> None:
    await given_merchants(begin)
    await given(begin, a_hold(), a_settlement(), a_payout())
