"""What every event log keeps: one sequence for each merchant, from 1, without gaps."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from domain.shared.ids import EventId
from domain.shared.platform import PLATFORM
from ports.unit_of_work import NotFound
from tests.builders import MERCHANT, NOON, OTHER_MERCHANT, an_event
from tests.contracts.storage import StorageContract, given, given_merchants

if TYPE_CHECKING:
    from ports.unit_of_work import Begin


class EventLogContract(StorageContract):
    async def test_events_are_numbered_for_each_merchant_from_one_on(self, begin: Begin) -> None:
        await given_merchants(begin)
        mine = [an_event("pi_01"), an_event("pi_02"), an_event("pi_03")]
        theirs = an_event("pi_04", merchant_id=OTHER_MERCHANT)
        await given(begin, mine[0], theirs, mine[1])
        await given(begin, mine[2])

        async with begin() as work:
            recorded = await work.events.after(owner=MERCHANT, sequence=0, limit=9)
            assert [(it.sequence, it.event) for it in recorded] == [*enumerate(mine, start=1)]
            [other] = await work.events.after(owner=OTHER_MERCHANT, sequence=0, limit=9)
            assert (other.sequence, other.event) == (1, theirs)

    async def test_events_are_read_on_from_a_number(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, *(an_event(f"pi_0{n}") for n in range(1, 6)))

        async with begin() as work:
            recorded = await work.events.after(owner=MERCHANT, sequence=2, limit=2)
            assert [it.sequence for it in recorded] == [3, 4]
            assert await work.events.after(owner=MERCHANT, sequence=5, limit=2) == []

    async def test_events_of_many_merchants_are_read_on_at_once(self, begin: Begin) -> None:
        await given_merchants(begin)
        mine = [an_event(f"pi_0{n}") for n in range(1, 6)]
        theirs = [an_event(f"pi_1{n}", merchant_id=OTHER_MERCHANT) for n in range(1, 4)]
        await given(begin, *mine, *theirs)

        async with begin() as work:
            places = {OTHER_MERCHANT: 1, MERCHANT: 2}
            recorded = await work.events.after_each(places, each=2, limit=9)
            assert [it.event for it in recorded] == [*theirs[1:], *mine[2:4]]
            assert [it.sequence for it in recorded] == [2, 3, 3, 4]
            recorded = await work.events.after_each(places, each=2, limit=3)
            assert [it.event for it in recorded] == [*theirs[1:], mine[2]]
            assert await work.events.after_each({MERCHANT: 5}, each=2, limit=9) == []
            assert await work.events.after_each({}, each=2, limit=9) == []

    async def test_the_number_of_the_newest_event_is_known(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, an_event("pi_01"), an_event("pi_02"))
        async with begin() as work:
            assert await work.events.last(owner=MERCHANT) == 2
            assert await work.events.last(owner=OTHER_MERCHANT) == 0

    async def test_an_event_is_found_by_its_id(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, an_event())

        async with begin() as work:
            [recorded] = await work.events.after(owner=MERCHANT, sequence=0, limit=9)
            assert await work.events.get(recorded.id) == recorded
            with pytest.raises(NotFound):
                await work.events.get(EventId("evt_none"))

    async def test_what_is_undone_leaves_no_gap(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, an_event("pi_01"))
        async with begin() as work:
            await work.events.record(an_event("pi_02"), an_event("pi_03"))
        await given(begin, an_event("pi_04"))

        async with begin() as work:
            recorded = await work.events.after(owner=MERCHANT, sequence=0, limit=9)
            assert [(it.sequence, it.event.object_id) for it in recorded] == [
                (1, "pi_01"),
                (2, "pi_04"),
            ]

    async def test_many_at_once_leave_no_gap_and_no_double(self, begin: Begin) -> None:
        await given_merchants(begin)

        async def tell(name: str, *, fail: bool) -> None:
            async with begin() as work:
                await work.events.record(an_event(name), an_event(name))
                await asyncio.sleep(0)
                if not fail:
                    await work.commit()

        await asyncio.gather(*(tell(f"pi_{n}", fail=n % 3 == 0) for n in range(9)))

        async with begin() as work:
            recorded = await work.events.after(owner=MERCHANT, sequence=0, limit=99)
        assert [it.sequence for it in recorded] == [*range(1, 13)]
        names = [it.event.object_id for it in recorded]
        assert names[::2] == names[1::2], "events of one unit of work stand together"

    async def test_units_of_work_that_tell_many_merchants_do_not_wait_for_ever(
        self, begin: Begin
    ) -> None:
        await given_merchants(begin)
        mine, theirs = an_event("pi_01"), an_event("pi_02", merchant_id=OTHER_MERCHANT)

        async with asyncio.timeout(20):
            await asyncio.gather(
                *(given(begin, mine, theirs) for _ in range(4)),
                *(given(begin, theirs, mine) for _ in range(4)),
            )

        async with begin() as work:
            assert len(await work.events.after(owner=MERCHANT, sequence=0, limit=99)) == 8

    async def test_an_event_is_taken_for_the_webhooks_once(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, *(an_event(f"pi_0{n}") for n in range(1, 4)))

        async with begin() as work:
            first = await work.events.take_unrelayed(limit=2)
            await work.commit()
        async with begin() as work:
            second = await work.events.take_unrelayed(limit=2)
            await work.commit()
        async with begin() as work:
            assert await work.events.take_unrelayed(limit=2) == []

        assert [it.event.object_id for it in (*first, *second)] == ["pi_01", "pi_02", "pi_03"]

    async def test_an_event_whose_taking_was_undone_is_taken_again(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, an_event("pi_01"), an_event("pi_02"))
        async with begin() as work:
            assert len(await work.events.take_unrelayed(limit=1)) == 1

        async with begin() as work:
            taken = await work.events.take_unrelayed(limit=9)
            assert [it.event.object_id for it in taken] == ["pi_01", "pi_02"]

    async def test_what_is_the_gateways_own_is_handed_to_nobody(self, begin: Begin) -> None:
        await given_merchants(begin)
        own = an_event("eip155:1", merchant_id=PLATFORM, type="chain.parked")
        await given(begin, an_event("pi_01"), own, an_event("pi_02"))

        async with begin() as work:
            taken = await work.events.take_unrelayed(limit=9)
            assert [it.event.object_id for it in taken] == ["pi_01", "pi_02"]
            [recorded] = await work.events.after(owner=PLATFORM, sequence=0, limit=9)
            assert (recorded.sequence, recorded.event) == (1, own)

    async def test_old_events_are_dropped_from_the_beginning(self, begin: Begin) -> None:
        await given_merchants(begin)
        times = [1, 2, 9, 3, 4]
        for n, minutes in enumerate(times):
            at = NOON + timedelta(minutes=minutes)
            for owner in (PLATFORM, MERCHANT):
                await given(begin, an_event(f"it_{n}", merchant_id=owner, occurred_at=at))

        for limit, dropped in ((1, 1), (9, 1), (9, 0)):
            async with begin() as work:
                before = NOON + timedelta(minutes=5)
                found = await work.events.prune(owner=PLATFORM, before=before, limit=limit)
                assert found == dropped
                await work.commit()

        # One that is to be kept keeps those behind it: clocks differ, and a feed has no gaps.
        async with begin() as work:
            for after, limit, left in ((0, 9, [3, 4, 5]), (0, 2, [3, 4]), (3, 9, [4, 5])):
                found_ = await work.events.after(owner=PLATFORM, sequence=after, limit=limit)
                assert [it.sequence for it in found_] == left
            assert await work.events.last(owner=PLATFORM) == 5
            kept = await work.events.after(owner=MERCHANT, sequence=0, limit=9)
            assert [it.sequence for it in kept] == [1, 2, 3, 4, 5]

    async def test_two_takers_share_the_events(self, begin: Begin) -> None:
        await given_merchants(begin)
        await given(begin, *(an_event(f"pi_0{n}") for n in range(1, 7)))

        async def take() -> list[str]:
            async with begin() as work:
                taken = await work.events.take_unrelayed(limit=3)
                await asyncio.sleep(0)
                await work.commit()
                return [it.event.object_id for it in taken]

        one, other = await asyncio.gather(take(), take())
        assert sorted([*one, *other]) == [f"pi_0{n}" for n in range(1, 7)]
