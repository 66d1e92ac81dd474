"""What every store of suspense keeps: items as they change, decisions as they were made."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.chains.model import Finality, ObservationKey
from domain.shared.ids import DecisionId, IntentId, PayoutId, SuspenseId
from domain.suspense.model import Decision, ItemState, SuspenseItem, Verdict, Why
from ports.unit_of_work import AlreadyExists, NotFound
from tests.builders import CHAIN, NOON, address_of, hash_of, usdt
from tests.chain_builders import an_observation
from tests.contracts.storage import StorageContract

if TYPE_CHECKING:
    from ports.unit_of_work import Begin

LATER = NOON + timedelta(minutes=1)
INTENT = IntentId("pi_01")


def an_item(name: str = "gift", **changes: Any) -> SuspenseItem:  # noqa: ANN401 (of any type)
    """Return an item of money that came without a memo."""
    item = SuspenseItem(
        key=ObservationKey(CHAIN, hash_of(name), 3),
        money=usdt(100),
        left=100,
        source=address_of("payer"),
        target=address_of("hot"),
        memo=None,
        why=Why.NO_MEMO,
        paid_to=None,
        counted_by=None,
        paid_at=NOON,
        changed_at=NOON,
    )
    return attrs.evolve(item, **changes)


def a_decision(item: SuspenseItem, id: str = "dec_01", **changes: Any) -> Decision:  # noqa: ANN401 (as above)
    decision = Decision(
        id=DecisionId(id),
        item_id=item.id,
        verdict=Verdict.RETURN,
        money=usdt(100),
        by="Ada",
        note="ticket 7",
        at=NOON,
    )
    return attrs.evolve(decision, **changes)


async def kept(begin: Begin, *items: SuspenseItem) -> None:
    async with begin() as work:
        for item in items:
            await work.suspense.add(item)
        await work.commit()


async def recorded(begin: Begin, *decisions: Decision) -> None:
    async with begin() as work:
        for decision in decisions:
            await work.suspense.record(decision)
        await work.commit()


class SuspenseContract(StorageContract):
    async def test_an_item_comes_back_whole_and_changes_under_a_lock(self, begin: Begin) -> None:
        item = an_item(
            money=usdt(2**250),
            left=2**250,
            memo="Grüße",
            why=Why.LATE,
            paid_to=INTENT,
            counted_by=INTENT,
            part=2,
        )
        await kept(begin, item)
        async with begin() as work:
            assert await work.suspense.get(item.id) == item
            assert await work.suspense.lock(item.id) == item
            promised = item.promise(payout_id=PayoutId("po_01"), at=LATER)
            await work.suspense.save(promised)
            await work.commit()

        async with begin() as work:
            assert await work.suspense.lock_returning(PayoutId("po_01")) == promised
            returned = promised.arrive(at=LATER)
            await work.suspense.save(returned)
            await work.commit()

        async with begin() as work:
            assert await work.suspense.get(item.id) == returned
            assert returned.payout_id == "po_01"

    async def test_an_item_is_kept_once(self, begin: Begin) -> None:
        await kept(begin, an_item())

        with pytest.raises(AlreadyExists):
            await kept(begin, an_item(left=1))
        await kept(begin, an_item(part=2))

    async def test_what_was_never_kept_is_not_found(self, begin: Begin) -> None:
        async with begin() as work:
            for missing in (work.suspense.get, work.suspense.lock):
                with pytest.raises(NotFound):
                    await missing(SuspenseId(f"{CHAIN}/{hash_of('none')}/0"))
            with pytest.raises(NotFound):
                await work.suspense.lock_returning(PayoutId("po_99"))

    async def test_what_an_intent_counts_comes_oldest_first(self, begin: Begin) -> None:
        second, first = an_item("b", counted_by=INTENT, paid_at=LATER), an_item("a")
        first = attrs.evolve(first, counted_by=INTENT)
        ended = an_item("c", counted_by=INTENT, left=0, state=ItemState.CAPTURED)
        await kept(begin, second, first, ended, an_item("d", counted_by=IntentId("pi_02")))

        async with begin() as work:
            assert await work.suspense.lock_counted(by=INTENT) == [first, second]
            await work.suspense.save(second.capture(100, at=LATER))
            await work.commit()
        async with begin() as work:
            assert await work.suspense.lock_counted(by=INTENT) == [first]
            assert await work.suspense.lock_counted(by=IntentId("pi_99")) == []

    async def test_pages_go_on_where_they_ended(self, begin: Begin) -> None:
        items = sorted((an_item(name) for name in "abcd"), key=lambda it: it.id)
        items[3] = attrs.evolve(items[3], paid_at=NOON - timedelta(hours=1))
        items[2] = attrs.evolve(items[2], state=ItemState.ASSIGNED, left=0)
        items[1] = attrs.evolve(items[1], state=ItemState.RETURNING, payout_id=PayoutId("po"))
        await kept(begin, *items)
        oldest, *others = items[3], *items[:3]

        async with begin() as work:
            page = work.suspense.page
            assert await page(ended=False, limit=9) == [oldest, *others[:2]]
            assert await page(ended=True, limit=9) == [oldest, *others]
            assert await page(ended=True, limit=2) == [oldest, others[0]]
            assert await page(ended=True, after=others[0], limit=9) == others[1:]
            assert await page(ended=False, after=others[1], limit=9) == []

    async def test_decisions_stay_in_their_order(self, begin: Begin) -> None:
        item = an_item()
        await kept(begin, item)
        first = a_decision(item, "dec_02", destination="somewhere", payout_id=PayoutId("po_01"))
        second = a_decision(
            item, at=LATER, verdict=Verdict.ASSIGN, intent_id=INTENT, taken_from=IntentId("pi_02")
        )
        await recorded(begin, second, first)

        async with begin() as work:
            assert await work.suspense.decisions(item.id) == [first, second]
            assert await work.suspense.decisions(SuspenseId("none")) == []
        with pytest.raises(AlreadyExists):
            await recorded(begin, first)

    async def test_it_is_known_how_sure_an_observation_is(self, begin: Begin) -> None:
        observation = an_observation()
        async with begin() as work:
            await work.chains.claim(observation)
            await work.commit()

        async with begin() as work:
            assert await work.suspense.finality(observation.key) is Finality.SEEN
            other = attrs.evolve(observation.key, position=9)
            assert await work.suspense.finality(other) is None
