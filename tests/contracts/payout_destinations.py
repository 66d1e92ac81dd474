"""What every store of changes of payout destinations keeps: one open change of a chain."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.destinations.model import APPROVE_WITHIN, ChangeState, DestinationChange, Party
from domain.shared.actors import ActorKind
from domain.shared.ids import DestinationChangeId, MerchantId
from domain.shared.money import ChainId
from ports.unit_of_work import AlreadyExists, NotFound
from tests.builders import CHAIN, MERCHANT, NOON, OTHER_CHAIN, OTHER_MERCHANT, address_of
from tests.contracts.storage import StorageContract, given_merchants

if TYPE_CHECKING:
    from ports.unit_of_work import Begin

KEY, OLIVE = Party(ActorKind.KEY, "key_01"), Party(ActorKind.OPERATOR, "olive:of the platform")
DAY = timedelta(days=1)


def a_change(id: str = "pdc_01", **changes: Any) -> DestinationChange:  # noqa: ANN401 (of any type)
    """Return a change that was asked for at noon, with what the test is about changed by name."""
    change = DestinationChange(
        id=DestinationChangeId(id),
        merchant_id=MERCHANT,
        chain=CHAIN,
        address=address_of("new till"),
        replaces=address_of("till"),
        requested_by=KEY,
        requested_at=NOON,
        lapses_at=NOON + APPROVE_WITHIN,
    )
    return attrs.evolve(change, **changes)


async def given_changes(begin: Begin, *changes: DestinationChange) -> None:
    """Store changes of two merchants."""
    await given_merchants(begin)
    await added(begin, *changes)


async def added(begin: Begin, *changes: DestinationChange) -> None:
    """Store changes of merchants that are there."""
    async with begin() as work:
        for change in changes:
            await work.payout_destinations.add(change)
        await work.commit()


class PayoutDestinationsContract(StorageContract):
    async def test_a_change_comes_back_whole_and_changes_under_a_lock(self, begin: Begin) -> None:
        asked = a_change(replaces=None, metadata={"ticket": "FIN-7", "note": "“ü”"})
        await given_changes(begin, asked)
        approved = asked.approve(by=OLIVE, at=NOON + DAY, cool_down=DAY)
        ended = approved.refuse(by=OLIVE, at=NOON + DAY, reason="who asks?")
        ended = attrs.evolve(ended, metadata={"ticket": "FIN-8"})
        for after in (approved, ended):
            async with begin() as work:
                await work.payout_destinations.lock(asked.id)
                await work.payout_destinations.save(after)
                await work.commit()

            async with begin() as work:
                assert await work.payout_destinations.get(asked.id, owner=MERCHANT) == after
                assert await work.payout_destinations.get(asked.id, owner=None) == after

    async def test_another_merchants_change_is_not_found(self, begin: Begin) -> None:
        await given_changes(begin, a_change())

        async with begin() as work:
            with pytest.raises(NotFound):
                await work.payout_destinations.get(a_change().id, owner=OTHER_MERCHANT)
            with pytest.raises(NotFound):
                await work.payout_destinations.lock(DestinationChangeId("pdc_02"))
            assert await work.payout_destinations.list(owner=OTHER_MERCHANT, limit=9) == []
            assert await work.payout_destinations.open_of(OTHER_MERCHANT) == []

    @pytest.mark.parametrize("state", [ChangeState.AWAITING_APPROVAL, ChangeState.COOLING_DOWN])
    async def test_of_a_chain_one_change_is_open(self, begin: Begin, state: ChangeState) -> None:
        await given_changes(begin, a_change(state=state))

        with pytest.raises(AlreadyExists):
            await added(begin, a_change("pdc_02"))

    async def test_other_chains_other_merchants_and_ended_changes_are_in_nobodys_way(
        self, begin: Begin
    ) -> None:
        ended = (ChangeState.EFFECTIVE, ChangeState.CANCELED, ChangeState.REFUSED)
        old = [a_change(f"pdc_0{n}", state=state) for n, state in enumerate(ended, start=1)]
        mine = [a_change("pdc_05", chain=OTHER_CHAIN), a_change("pdc_04")]
        theirs = a_change("pdc_06", merchant_id=OTHER_MERCHANT)
        await given_changes(begin, *old, *mine, theirs)

        async with begin() as work:
            assert await work.payout_destinations.open_of(MERCHANT) == [mine[1], mine[0]]
            found = await work.payout_destinations.list(owner=MERCHANT, limit=4)
        assert found == [mine[0], mine[1], old[2], old[1]]

    async def test_of_two_at_once_one_is_added(self, begin: Begin) -> None:
        await given_merchants(begin)

        async def add(id: str) -> bool:
            try:
                await added(begin, a_change(id))
            except AlreadyExists:
                return False
            return True

        assert sorted(await asyncio.gather(add("pdc_01"), add("pdc_02"))) == [False, True]

    async def test_what_is_due_has_lapsed_or_cooled_down(self, begin: Begin) -> None:
        week = NOON + APPROVE_WITHIN
        waits = a_change("pdc_01")
        cools = a_change("pdc_02", chain=OTHER_CHAIN).approve(by=OLIVE, at=NOON, cool_down=DAY)
        canceled = a_change("pdc_03").cancel(by=KEY, at=NOON, reason=None)
        effective = a_change("pdc_04").approve(by=OLIVE, at=NOON, cool_down=DAY)
        await given_changes(
            begin, waits, cools, canceled, effective.take_effect(at=NOON + 2 * DAY)
        )

        async with begin() as work:
            due = work.payout_destinations.due
            assert await due(at=NOON + DAY - timedelta(microseconds=1), limit=9) == []
            assert await due(at=NOON + DAY, limit=9) == [cools]
            assert await due(at=week - timedelta(microseconds=1), limit=9) == [cools]
            assert await due(at=week, limit=9) == [waits, cools]
            assert await due(at=week, limit=1) == [waits]

    async def test_who_locks_a_merchant_is_alone_with_it(self, begin: Begin) -> None:
        await given_merchants(begin)

        async def pay_to(address: str) -> None:
            async with begin() as work:
                merchant = await work.merchants.lock(MERCHANT)
                known = {**merchant.payouts.destinations, ChainId(address): address}
                await asyncio.sleep(0)
                payouts = attrs.evolve(merchant.payouts, destinations=known)
                await work.merchants.save(attrs.evolve(merchant, payouts=payouts))
                await work.commit()

        await asyncio.gather(*(pay_to(name) for name in "abcd"))
        async with begin() as work:
            assert {*(await work.merchants.get(MERCHANT)).payouts.destinations} == {*"abcd"}
            with pytest.raises(NotFound):
                await work.merchants.lock(MerchantId("mer_none"))
