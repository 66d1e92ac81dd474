"""What every store of webhook endpoints and deliveries keeps."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.shared.ids import DeliveryId, EndpointId, EventId
from domain.webhooks.model import Try
from ports.unit_of_work import AlreadyExists, NotFound
from tests.builders import MERCHANT, NOON, OTHER_MERCHANT, a_delivery, an_endpoint, an_event
from tests.contracts.storage import StorageContract, given, given_merchants

if TYPE_CHECKING:
    from domain.webhooks.model import Delivery
    from ports.unit_of_work import Begin


class WebhooksContract(StorageContract):
    async def test_an_endpoint_comes_back_whole_and_can_be_changed(self, begin: Begin) -> None:
        await given_merchants(begin)
        endpoint = an_endpoint(
            types=frozenset({"payout.confirmed", "payment_intent.succeeded"}),
            metadata={"team": "orders", "note": "“ü”"},
        )
        await given(begin, endpoint)
        off = attrs.evolve(endpoint, enabled=False, types=frozenset(), metadata={"team": "x"})
        async with begin() as work:
            assert await work.webhooks.lock_endpoint(endpoint.id) == endpoint
            await work.webhooks.save_endpoint(off)
            await work.commit()

        async with begin() as work:
            assert await work.webhooks.get_endpoint(endpoint.id) == off

    async def test_a_merchants_endpoints_are_listed_oldest_first(self, begin: Begin) -> None:
        await given_merchants(begin)
        mine = [an_endpoint(f"we_0{n}", created_at=NOON + timedelta(days=n)) for n in range(1, 4)]
        theirs = an_endpoint("we_04", merchant_id=OTHER_MERCHANT)
        await given(begin, mine[1], theirs, mine[0], mine[2])

        async with begin() as work:
            assert await work.webhooks.endpoints(owner=MERCHANT) == mine

    async def test_several_endpoints_are_locked_in_the_order_of_their_names(
        self, begin: Begin
    ) -> None:
        await given_merchants(begin)
        third, first, second = (an_endpoint(f"we_0{number}") for number in (3, 1, 2))
        await given(begin, third, first, second)
        named = [EndpointId(f"we_0{number}") for number in (3, 9, 1)]
        async with begin() as work:
            assert await work.webhooks.lock_endpoints(named) == [first, third]
            await work.webhooks.save_endpoint(attrs.evolve(third, enabled=False))
            await work.commit()

        async with begin() as work:
            assert not (await work.webhooks.get_endpoint(third.id)).enabled
            assert await work.webhooks.lock_endpoints([]) == []

    async def test_a_delivery_comes_back_whole_with_all_its_tries(self, begin: Begin) -> None:
        delivery = await given_delivery(begin)
        tries = [
            Try(at=NOON, status=None, detail="no answer: timed out"),
            Try(at=NOON + timedelta(hours=1), status=500, detail="<h1>ouch “ü”</h1>"),
            Try(at=NOON + timedelta(hours=2), status=200, detail=""),
        ]
        for tried in tries:
            async with begin() as work:
                delivery = (await work.webhooks.lock_delivery(delivery.id)).record(tried)
                await work.webhooks.save_delivery(delivery)
                await work.commit()

            async with begin() as work:
                assert await work.webhooks.lock_delivery(delivery.id) == delivery
        assert delivery.tries == tuple(tries)

    async def test_the_deliveries_of_an_event_are_listed(self, begin: Begin) -> None:
        delivery = await given_delivery(begin)
        another = attrs.evolve(delivery, id=DeliveryId("wd_02"), endpoint_id=EndpointId("we_02"))
        await given(begin, an_endpoint("we_02"), another)

        async with begin() as work:
            assert await work.webhooks.deliveries(event_id=delivery.event_id) == [
                delivery,
                another,
            ]

    async def test_the_highest_number_an_endpoint_was_told_is_known(self, begin: Begin) -> None:
        delivery = await given_delivery(begin)
        later = attrs.evolve(
            delivery, id=DeliveryId("wd_02"), event_id=EventId("evt_02"), sequence=7
        )
        await given(begin, an_endpoint("we_02"), later)

        async with begin() as work:
            assert await work.webhooks.last_told(delivery.endpoint_id) == 7
            assert await work.webhooks.last_told(EndpointId("we_02")) == 0

    async def test_an_endpoint_has_one_delivery_of_an_event(self, begin: Begin) -> None:
        delivery = await given_delivery(begin)

        with pytest.raises(AlreadyExists):
            await given(begin, attrs.evolve(delivery, id=DeliveryId("wd_02")))

    async def test_what_is_added_twice_is_refused(self, begin: Begin) -> None:
        delivery = await given_delivery(begin)

        with pytest.raises(AlreadyExists):
            await given(begin, an_endpoint())
        with pytest.raises(AlreadyExists):
            await given(begin, delivery)

    async def test_what_is_unknown_is_not_found(self, begin: Begin) -> None:
        async with begin() as work:
            with pytest.raises(NotFound):
                await work.webhooks.get_endpoint(EndpointId("we_01"))
            with pytest.raises(NotFound):
                await work.webhooks.lock_delivery(DeliveryId("wd_01"))


async def given_delivery(begin: Begin) -> Delivery:
    """Store an event, an endpoint and a delivery of the one to the other; return the last."""
    await given_merchants(begin)
    await given(begin, an_event(), an_endpoint())
    delivery = a_delivery(event_id=await the_event(begin))
    await given(begin, delivery)
    return delivery


async def the_event(begin: Begin) -> EventId:
    async with begin() as work:
        [recorded] = await work.events.after(owner=MERCHANT, sequence=0, limit=2)
        return recorded.id
