"""How every store gives out deliveries that are due, takes down their tries and forgets them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.shared.ids import DeliveryId, EndpointId, EventId
from domain.webhooks.model import DeliveryState, Try
from tests.builders import MERCHANT, NOON, OTHER_MERCHANT, a_delivery, an_endpoint
from tests.contracts.storage import StorageContract, given, given_merchants

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.webhooks.model import Delivery
    from ports.unit_of_work import Begin

SECOND, MINUTE = timedelta(seconds=1), timedelta(minutes=1)
REFUSED = Try(
    at=NOON,
    status=503,
    detail="<h1>ouch “ü”</h1>",
    url="https://shop.example/hooks",
    milliseconds=12,
    headers={"content-type": "text/html"},
    retry_after_seconds=90,
)


def due(number: int, endpoint: str = "we_01", **changes: Any) -> Delivery:  # noqa: ANN401 (any field)
    """Return a delivery that is due from noon on."""
    return a_delivery(
        f"wd_{number:02}",
        endpoint_id=EndpointId(endpoint),
        event_id=EventId(f"evt_{number:02}"),
        sequence=number,
        **{"next_try_at": NOON, **changes},
    )


async def take(
    begin: Begin,
    *,
    at: timedelta = timedelta(),
    limit: int = 10,
    each_max: int = 10,
    under_way: dict[str, int] | None = None,
) -> Sequence[Delivery]:
    async with begin() as work:
        taken = await work.webhooks.take_due(
            at=NOON + at,
            until=NOON + at + MINUTE,
            limit=limit,
            each_max=each_max,
            under_way={EndpointId(id): count for id, count in (under_way or {}).items()},
        )
        await work.commit()
    return taken


def names(deliveries: Sequence[Delivery]) -> list[str]:
    return [it.id for it in deliveries]


class WebhooksDueContract(StorageContract):
    @pytest.fixture(autouse=True)
    async def merchants(self, begin: Begin) -> None:
        await given_merchants(begin)

    async def test_what_is_due_is_taken_in_order_and_once(self, begin: Begin) -> None:
        later = due(4, next_try_at=NOON + SECOND)
        await given(begin, an_endpoint(), due(2), due(1), due(3), later)
        ended = due(5, state=DeliveryState.DELIVERED, next_try_at=None)
        await given(begin, ended)

        taken = await take(begin)

        assert names(taken) == ["wd_01", "wd_02", "wd_03"]
        assert {it.next_try_at for it in taken} == {NOON + MINUTE}
        assert await take(begin) == []
        assert names(await take(begin, at=SECOND)) == ["wd_04"]

    async def test_what_nothing_is_heard_of_comes_due_again(self, begin: Begin) -> None:
        await given(begin, an_endpoint(), due(1))
        await take(begin)

        assert await take(begin, at=MINUTE - SECOND) == []
        assert names(await take(begin, at=MINUTE)) == ["wd_01"]

    async def test_what_was_taken_and_not_committed_is_due_still(self, begin: Begin) -> None:
        await given(begin, an_endpoint(), due(1))
        async with begin() as work:
            await work.webhooks.take_due(
                at=NOON, until=NOON + MINUTE, limit=1, each_max=1, under_way={}
            )

        assert names(await take(begin)) == ["wd_01"]

    async def test_each_endpoint_has_its_share(self, begin: Begin) -> None:
        await given(begin, an_endpoint(), an_endpoint("we_02"), an_endpoint("we_03"))
        await given(begin, *(due(number) for number in range(1, 6)))
        await given(begin, *(due(number, "we_02") for number in range(6, 8)), due(9, "we_03"))

        assert names(await take(begin, limit=3)) == ["wd_01", "wd_06", "wd_09"]
        assert names(await take(begin, each_max=2, under_way={"we_01": 1})) == ["wd_02", "wd_07"]
        assert await take(begin, each_max=2, under_way={"we_01": 2}) == []
        assert names(await take(begin, limit=1, under_way={"we_01": 7})) == ["wd_03"]
        assert await take(begin, limit=0) == []

    async def test_who_has_the_fewest_under_way_comes_first(self, begin: Begin) -> None:
        await given(begin, an_endpoint(), an_endpoint("we_02"))
        await given(begin, due(1), due(2), due(3, "we_02", next_try_at=NOON + SECOND))

        assert names(await take(begin, at=SECOND, limit=1, under_way={"we_01": 1})) == ["wd_03"]

    async def test_who_rests_is_spared_and_who_is_silent_is_probed(self, begin: Begin) -> None:
        await given(begin, an_endpoint(rest_until=NOON + SECOND, silences=1), due(1), due(2))

        assert await take(begin) == []
        assert await take(begin, at=SECOND, under_way={"we_01": 1}) == []
        assert names(await take(begin, at=SECOND)) == ["wd_01"]

    async def test_what_waits_for_who_is_off_comes_to_be_parked(self, begin: Begin) -> None:
        off = an_endpoint(enabled=False, rest_until=NOON + MINUTE, silences=3)
        await given(begin, off, due(1), due(2))

        assert names(await take(begin)) == ["wd_01", "wd_02"]

    async def test_a_try_is_added_to_the_log(self, begin: Begin) -> None:
        await given(begin, an_endpoint(), due(1), due(2))
        one, two = await take(begin)
        once = [one.record(REFUSED), two.record(attrs.evolve(REFUSED, status=200))]
        async with begin() as work:
            assert await work.webhooks.note_tries(once) == []
            await work.commit()
        twice = once[0].record(attrs.evolve(REFUSED, at=NOON + MINUTE))
        async with begin() as work:
            assert await work.webhooks.note_tries([twice]) == []
            await work.commit()

        async with begin() as work:
            assert await work.webhooks.get_delivery(one.id) == twice
            assert await work.webhooks.get_delivery(two.id) == once[1]

    async def test_what_has_changed_meanwhile_is_left_as_it_is(self, begin: Begin) -> None:
        await given(begin, an_endpoint(), due(1), due(2), due(3))
        tried, ended, same = await take(begin)
        async with begin() as work:
            for delivery, change in ((tried, tried.record(REFUSED)), (ended, ended.park())):
                await work.webhooks.lock_delivery(delivery.id)
                await work.webhooks.save_delivery(change)
            await work.commit()

        async with begin() as work:
            noted = [it.record(REFUSED) for it in (tried, ended, same)]
            assert await work.webhooks.note_tries(noted) == [tried.id, ended.id]
            await work.commit()
        async with begin() as work:
            assert await work.webhooks.get_delivery(ended.id) == ended.park()
            assert await work.webhooks.get_delivery(same.id) == noted[2]

    async def test_many_are_added_at_once(self, begin: Begin) -> None:
        many = [due(number) for number in range(1, 21)]
        await given(begin, an_endpoint())
        async with begin() as work:
            await work.webhooks.add_deliveries(many)
            await work.commit()

        async with begin() as work:
            listed = await work.webhooks.deliveries_of(owner=MERCHANT, limit=30)
        assert listed == many[::-1]

    async def test_they_are_listed_by_what_is_asked_for(self, begin: Begin) -> None:
        await given(begin, an_endpoint(), an_endpoint("we_02"))
        await given(begin, due(1), due(2, "we_02"), due(3, state=DeliveryState.PARKED))
        await given(begin, due(4, merchant_id=OTHER_MERCHANT))

        async def found(**wishes: object) -> list[str]:
            async with begin() as work:
                wanted = {"owner": MERCHANT, "limit": 10, **wishes}
                return names(await work.webhooks.deliveries_of(**wanted))  # type: ignore[arg-type] # By name.

        assert await found() == ["wd_03", "wd_02", "wd_01"]
        assert await found(endpoint_id="we_02") == ["wd_02"]
        assert await found(event_id="evt_01") == ["wd_01"]
        assert await found(state=DeliveryState.PARKED) == ["wd_03"]
        assert await found(state=DeliveryState.PARKED, endpoint_id="we_02") == []
        assert await found(before="wd_03", limit=1) == ["wd_02"]

    async def test_what_is_old_and_has_ended_is_pruned(self, begin: Begin) -> None:
        ended: dict[str, Any] = {"state": DeliveryState.DELIVERED, "next_try_at": None}
        await given(begin, an_endpoint(), an_endpoint("we_02"))
        await given(begin, due(1, **ended), due(2, **ended), due(3), due(4, **ended))
        await given(begin, due(5, **ended, created_at=NOON + MINUTE), due(6, "we_02", **ended))

        async def prune(limit: int) -> int:
            async with begin() as work:
                pruned = await work.webhooks.prune_deliveries(
                    created_before=NOON + SECOND, limit=limit
                )
                await work.commit()
            return pruned

        assert [await prune(2), await prune(2), await prune(2)] == [2, 1, 0]
        async with begin() as work:
            left = await work.webhooks.deliveries_of(owner=MERCHANT, limit=10)
            assert names(left) == ["wd_06", "wd_05", "wd_03"]
            assert await work.webhooks.last_told(EndpointId("we_02")) == 6

    async def test_deleted_endpoints_are_not_listed(self, begin: Begin) -> None:
        deleted = an_endpoint("we_02", enabled=False, deleted_at=NOON)
        await given(begin, an_endpoint(), deleted)

        async with begin() as work:
            assert await work.webhooks.endpoints(owner=MERCHANT) == [an_endpoint()]
            both = [EndpointId("we_01"), EndpointId("we_02"), EndpointId("we_03")]
            named = await work.webhooks.endpoints_named(both)
            assert sorted(named, key=lambda it: it.id) == [an_endpoint(), deleted]
            with pytest.raises(LookupError):
                await work.webhooks.get_delivery(DeliveryId("wd_none"))
