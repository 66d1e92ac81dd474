"""What is shown beside objects: as it is shown by itself, and asked for once for a whole page."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.merchants.scopes import Scope
from entrypoints.http.app import create_app
from tests.builders import CHAIN, usdt
from tests.entrypoints.http.gateway import client_of, refusal, told

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from httpx2 import AsyncClient

    from ports.unit_of_work import Begin, UnitOfWork
    from tests.entrypoints.http.gateway import Gateway, Json

PAYOUTS, SETTLEMENTS = "/v1/payouts", "/v1/settlements"
INTENTS, DEPOSITS = "/v1/payment_intents", "/v1/deposits"
DELIVERIES = "/v1/webhook_deliveries"


@attrs.frozen
class Watched:
    """A part of a unit of work, or a verb of it, that notes what is asked of the storage."""

    part: Any
    name: str
    asked: list[str]

    def __getattr__(self, name: str) -> Watched:
        return Watched(getattr(self.part, name), f"{self.name}.{name}", self.asked)

    async def __call__(self, *places: Any, **named: Any) -> Any:  # noqa: ANN401 (any verb's)
        self.asked.append(self.name)
        return await self.part(*places, **named)


def watched(begin: Begin, asked: list[str]) -> Begin:
    @contextlib.asynccontextmanager
    async def watching() -> AsyncIterator[UnitOfWork]:
        async with begin() as work:
            yield Watched(work, "work", asked)  # type: ignore[misc] # It behaves like one.

    return watching


def client_seen(gateway: Gateway, asked: list[str]) -> AsyncClient:
    """Return a client of Ada's, each question of whom to the storage is noted."""
    api, begin = gateway.api, watched(gateway.api_storage.begin, asked)
    app = create_app(
        attrs.evolve(
            api,
            intents=attrs.evolve(api.intents, begin=begin),
            explaining=attrs.evolve(api.explaining, begin=begin),
            settlements=attrs.evolve(api.settlements, begin=begin),
            customers=attrs.evolve(api.customers, begin=begin),
            webhooks=attrs.evolve(api.webhooks, begin=begin),
        )
    )
    headers = {"Authorization": f"Bearer {gateway.ada.key}"}
    return client_of(app, gateway.document, headers=headers)


async def three_of_each(gateway: Gateway) -> None:
    """Let Ada have three escrows, payouts, deposits and deliveries at least."""
    ada = gateway.ada
    url = {"url": "https://ada.example/hooks"}
    told(await ada.http.post("/v1/webhook_endpoints", json=url), 201)
    for number in range(3):
        intent = await gateway.held()
        path = f"{INTENTS}/{intent['id']}/escrow/release"
        told(await ada.http.post(path), 202)
        await gateway.send()
        await gateway.services.settlements().run()
        await gateway.send()
        customer = {"customer": f"user-{number}", "chain": CHAIN}
        address = told(await ada.http.post("/v1/customer_addresses", json=customer), 200)
        gateway.chain.fund(address["address"], usdt(5))
        await gateway.watch()
        gateway.clock.advance(minutes=1)
    await gateway.services.webhooks().hand_over()


@pytest.mark.parametrize(
    ("path", "query"),
    [
        (SETTLEMENTS, "expand=payout"),
        (PAYOUTS, "expand=settlement"),
        (INTENTS, "expand=quote&expand=escrow"),
        (DEPOSITS, "expand=customer_address"),
        (DELIVERIES, "expand=event&expand=endpoint"),
    ],
)
async def test_it_is_asked_for_once_for_a_whole_page(
    memory_gateway: Gateway, path: str, query: str
) -> None:
    gateway, asked = memory_gateway, list[str]()
    await three_of_each(gateway)
    async with client_seen(gateway, asked) as http:
        page = told(await http.get(f"{path}?{query}"), 200)
        assert len(page["data"]) >= 3
        assert all(None not in each["expanded"].values() for each in page["data"])
        with_objects = [*asked]
        asked.clear()
        plain = told(await http.get(path), 200)
        assert [without(each) for each in page["data"]] == plain["data"]
        assert len(with_objects) == len(asked) + query.count("expand")
        assert len({*with_objects}) == len(with_objects)


async def test_a_settlement_is_shown_beside_its_payouts(gateway: Gateway) -> None:
    await three_of_each(gateway)
    settlements = (await gateway.ada.get(SETTLEMENTS))["data"]
    page = (await gateway.ada.get(PAYOUTS, expand="settlement"))["data"]
    assert [each["expanded"]["settlement"] for each in page] == settlements
    for each in page:
        path = f"{PAYOUTS}/{each['id']}"
        assert await gateway.ada.get(path, expand="settlement") == each
        assert await gateway.ada.get(path) == without(each)


async def test_an_address_is_shown_beside_its_deposits(gateway: Gateway) -> None:
    await three_of_each(gateway)
    addresses = (await gateway.ada.get("/v1/customer_addresses"))["data"]
    page = (await gateway.ada.get(DEPOSITS, expand="customer_address"))["data"]
    assert [each["expanded"]["customer_address"] for each in page] == addresses
    for each in page:
        path = f"{DEPOSITS}/{each['id']}"
        assert await gateway.ada.get(path, expand="customer_address") == each
        assert await gateway.ada.get(path) == without(each)


async def test_who_may_not_see_addresses_sees_none_beside_deposits(
    memory_gateway: Gateway,
) -> None:
    gateway = memory_gateway
    await three_of_each(gateway)
    [deposit, *_] = (await gateway.ada.get(DEPOSITS))["data"]
    issued = await gateway.services.merchants().create_key(
        merchant_id=gateway.ada.merchant.id, scopes=[Scope.DEPOSITS_READ]
    )
    headers = {"Authorization": f"Bearer {issued.text}"}
    async with client_of(gateway.app, gateway.document, headers=headers) as http:
        for path in (DEPOSITS, f"{DEPOSITS}/{deposit['id']}"):
            assert (await http.get(path)).status_code == 200
            response = await http.get(path, params={"expand": "customer_address"})
            assert refusal(response) == (403, "insufficient-scope")
            assert response.json()["scope"] == Scope.CUSTOMERS_READ


async def test_events_and_endpoints_are_shown_beside_deliveries(gateway: Gateway) -> None:
    await three_of_each(gateway)
    [endpoint] = (await gateway.ada.get("/v1/webhook_endpoints"))["data"]
    events = {each["id"]: each for each in await gateway.ada.events()}
    page = told(await gateway.ada.http.get(f"{DELIVERIES}?expand=event&expand=endpoint"), 200)
    assert page["data"]
    for each in page["data"]:
        beside = each["expanded"]
        assert beside == {"event": events[each["event"]], "endpoint": endpoint}
        one = await gateway.ada.get(f"{DELIVERIES}/{each['id']}", expand="event")
        assert one["expanded"] == {"event": beside["event"], "endpoint": None}
    assert "expanded" not in await gateway.ada.get(f"{DELIVERIES}/{each['id']}")

    path = f"/v1/webhook_endpoints/{endpoint['id']}"
    assert (await gateway.ada.http.delete(path)).status_code == 204
    [gone, *_] = (await gateway.ada.get(DELIVERIES, expand="endpoint"))["data"]
    assert gone["expanded"] == {"event": None, "endpoint": None}


def without(shown: Json) -> Json:
    return {name: each for name, each in shown.items() if name != "expanded"}
