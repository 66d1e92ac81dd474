"""What every audit log keeps: an entry with each change that somebody made, and nothing else."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.audit.model import DETAIL_MAX, OBJECTS_MAX, Entry, Outcome, Place, Wanted
from domain.audit.seals import broken, sealed
from domain.shared.actors import Actor, ActorKind, acting_as
from domain.shared.chaining import GENESIS
from ports.unit_of_work import AlreadyExists
from tests.builders import MERCHANT, NOON, OTHER_MERCHANT, a_merchant, an_api_key
from tests.contracts.storage import StorageContract, given

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from domain.audit.model import RecordedEntry
    from ports.unit_of_work import Begin

ALL = Wanted()


def somebody(**changes: Any) -> Actor:  # noqa: ANN401 (of any type)
    """Return a merchant's key that asks for something."""
    asked = Actor(
        kind=ActorKind.KEY,
        id="key_1",
        action="POST /v1/things",
        merchant_id=MERCHANT,
        request_id="req_1",
        address="192.0.2.7",
    )
    return attrs.evolve(asked, **changes)


def an_entry(minutes: int = 0, **changes: Any) -> Entry:  # noqa: ANN401 (of any type)
    """Return an entry of something that was refused."""
    refused = Entry(
        at=NOON + timedelta(minutes=minutes),
        action="POST /v1/things",
        outcome=Outcome.REFUSED,
        actor=ActorKind.KEY,
        actor_id="key_1",
        merchant_id=MERCHANT,
        objects=("pi_1", "qt_1"),
        status=409,
        problem="not-possible",
        times=3,
        request_id="req_1",
        address="2001:db8::1",
        detail="Zoë \\ \"said\" {so}, and '%s'",
    )
    return attrs.evolve(refused, **changes)


async def page(
    begin: Begin, wanted: Wanted = ALL, *, before: Place | None = None, limit: int = 100
) -> Sequence[RecordedEntry]:
    async with begin() as work:
        return await work.audit.page(wanted, before=before, limit=limit)


async def entries(begin: Begin, wanted: Wanted = ALL) -> list[Entry]:
    return [recorded.entry for recorded in await page(begin, wanted)]


async def record(begin: Begin, *told: Entry) -> None:
    async with begin() as work:
        await work.audit.record(told)
        await work.commit()


async def seal(begin: Begin, *, limit: int = 100) -> list[int]:
    """Seal what there is, as the use case does; return the places."""
    async with begin() as work:
        found = await work.audit.unsealed(limit=limit)
        if found:
            await work.audit.add_seal(sealed(await work.audit.last_seal(), found))
        await work.commit()
    return [recorded.sequence for recorded in found]


class AuditContract(StorageContract):
    async def test_a_change_is_recorded_with_who_made_it(self, begin: Begin) -> None:
        actor = somebody(objects=("pi_7",))
        with acting_as(actor):
            await given(begin, a_merchant(), an_api_key())

        [entry] = await entries(begin)
        assert attrs.evolve(entry, at=NOON) == Entry(
            at=NOON,
            action="POST /v1/things",
            actor=ActorKind.KEY,
            actor_id="key_1",
            merchant_id=MERCHANT,
            objects=tuple(sorted(("pi_7", MERCHANT, an_api_key().id))),
            request_id="req_1",
            address="192.0.2.7",
        )
        assert actor.deeds.recorded == 1

    async def test_an_operator_acts_for_no_merchant(self, begin: Begin) -> None:
        with acting_as(Actor(kind=ActorKind.OPERATOR, id="maria", action="switchyard merchant")):
            await given(begin, a_merchant())

        [entry] = await entries(begin)
        assert (entry.actor, entry.actor_id) == (ActorKind.OPERATOR, "maria")
        assert (entry.merchant_id, entry.request_id, entry.address) == (None, None, None)

    async def test_what_nobody_does_is_not_recorded(self, begin: Begin) -> None:
        await given(begin, a_merchant())
        assert await entries(begin) == []

    async def test_looking_is_not_recorded(self, begin: Begin) -> None:
        await given(begin, a_merchant())
        actor = somebody()
        with acting_as(actor):
            async with begin() as work:
                await work.merchants.get(MERCHANT)
                await work.merchants.lock_keys(MERCHANT)
                await work.commit()
        assert await entries(begin) == []
        assert actor.deeds.recorded == 0

    async def test_what_is_undone_leaves_no_entry(self, begin: Begin) -> None:
        actor = somebody()
        with acting_as(actor):
            async with begin() as work:
                await work.merchants.add(a_merchant())
                await work.merchants.get(MERCHANT)
        assert await entries(begin) == []
        assert actor.deeds.recorded == 0

    async def test_what_is_refused_at_the_commit_leaves_no_entry(self, begin: Begin) -> None:
        await given(begin, a_merchant())
        actor = somebody()
        with acting_as(actor), pytest.raises(AlreadyExists):
            await given(begin, a_merchant())
        assert await entries(begin) == []
        assert actor.deeds.recorded == 0

    async def test_a_unit_of_work_makes_one_entry_however_much_it_writes(
        self, begin: Begin
    ) -> None:
        ids = [f"mer_{number:02}" for number in range(OBJECTS_MAX + 5)]
        with acting_as(somebody()):
            await given(begin, *(a_merchant(id) for id in ids))
            await given(begin, a_merchant("mer_other"))

        found = await entries(begin)
        assert [entry.objects for entry in found] == [("mer_other",), tuple(ids[:OBJECTS_MAX])]

    async def test_more_can_be_said(self, begin: Begin) -> None:
        with acting_as(somebody()):
            async with begin() as work:
                work.audit.note("something else")
                work.audit.note("x" * (DETAIL_MAX + 1))
                await work.merchants.add(a_merchant())
                await work.commit()
        assert [entry.detail for entry in await entries(begin)] == ["x" * DETAIL_MAX]

    @pytest.mark.parametrize(
        "entry",
        [
            an_entry(),
            Entry(at=NOON, action="GET /v1/things", outcome=Outcome.REFUSED, status=401),
            Entry(at=NOON, action="audit", outcome=Outcome.LOST, times=2**31 - 1),
        ],
    )
    async def test_an_entry_comes_back_whole(self, begin: Begin, entry: Entry) -> None:
        await record(begin, entry, entry)
        assert await entries(begin) == [entry, entry]

    async def test_a_page_is_the_newest_that_is_wanted(self, begin: Begin) -> None:
        mine = an_entry(1, action="POST /v1/refunds", objects=("pi_2",))
        others = an_entry(2, merchant_id=OTHER_MERCHANT, actor_id="key_2", objects=())
        nobodys = an_entry(3, merchant_id=None, actor=None, actor_id=None, objects=("pi_2",))
        first = an_entry(0)
        await record(begin, others, first, nobodys, mine)

        async def of(**wanted: Any) -> list[Entry]:  # noqa: ANN401 (of any type)
            return await entries(begin, Wanted(**wanted))

        assert await of() == [nobodys, others, mine, first]
        assert await of(merchant_id=MERCHANT) == [mine, first]
        assert await of(merchant_id="mer_none") == []
        assert await of(actor_id="key_2") == [others]
        assert await of(action="POST /v1/things") == [nobodys, others, first]
        assert await of(object="pi_2") == [nobodys, mine]
        assert await of(object="pi_2", merchant_id=MERCHANT) == [mine]
        assert await of(since=mine.at) == [nobodys, others, mine]
        assert await of(until=mine.at) == [first]
        assert await of(since=mine.at, until=others.at, action=mine.action) == [mine]

    async def test_pages_follow_one_another(self, begin: Begin) -> None:
        told = [an_entry(minute, request_id=f"req_{minute}") for minute in (2, 0, 1, 1, 1)]
        await record(begin, *told)

        found: list[RecordedEntry] = []
        before = None
        while got := await page(begin, before=before, limit=2):
            found += got
            before = Place(got[-1].entry.at, got[-1].sequence)

        assert [it.entry.at for it in found] == [
            NOON + timedelta(minutes=minute) for minute in (2, 1, 1, 1, 0)
        ]
        assert len({it.sequence for it in found}) == 5

    async def test_all_is_sealed_in_order_and_once(self, begin: Begin) -> None:
        await record(begin, *(an_entry(minute) for minute in range(5)))

        batches = [await seal(begin, limit=2) for _ in range(4)]

        first = batches[0][0]
        assert batches == [[first, first + 1], [first + 2, first + 3], [first + 4], []]
        async with begin() as work:
            seals = await work.audit.seals(after=0, limit=10)
            assert [(it.number, it.last, it.count) for it in seals] == [
                (1, first + 1, 2), (2, first + 3, 2), (3, first + 4, 1),
            ]  # fmt: skip
            assert await work.audit.last_seal() == seals[-1]
            assert await work.audit.seals(after=1, limit=1) == [seals[1]]
            covered = await work.audit.between(seals[0].last, seals[1].last, limit=10)
            assert broken(seals[0].hash, seals[1], covered) is None
            assert broken(GENESIS, seals[1], covered) is not None

    async def test_a_seal_that_is_not_committed_seals_nothing(self, begin: Begin) -> None:
        await record(begin, an_entry())
        async with begin() as work:
            found = await work.audit.unsealed(limit=9)
            await work.audit.add_seal(sealed(None, found))

        assert await seal(begin) == [found[0].sequence]

    async def test_a_number_is_given_once(self, begin: Begin) -> None:
        await record(begin, an_entry(), an_entry())
        async with begin() as work:
            first, second = await work.audit.unsealed(limit=9)
            await work.audit.add_seal(sealed(None, [first]))
            await work.commit()

        async def again() -> None:
            async with begin() as work:
                await work.audit.add_seal(sealed(None, [second]))
                await work.commit()

        with pytest.raises(AlreadyExists) as refusal:
            await again()
        assert refusal.value.kind == "audit_seal"

    async def test_sealers_take_turns(self, begin: Begin) -> None:
        await record(begin, *(an_entry(minute) for minute in range(20)))

        batches = await asyncio.gather(*(seal(begin, limit=4) for _ in range(6)))

        places = [place for batch in batches for place in batch]
        assert len(places) == len(set(places)) == 20
        async with begin() as work:
            assert [it.count for it in await work.audit.seals(after=0, limit=10)] == [4] * 5
