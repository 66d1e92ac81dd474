"""Lists of payouts: filters, pages, and the settlement beside each."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.merchants.scopes import Scope
from tests.builders import CHAIN, COIN, USDT
from tests.entrypoints.http.gateway import MAINNET, client_of, refusal, told

if TYPE_CHECKING:
    from tests.entrypoints.http.gateway import Gateway, Json

PATH = "/v1/payouts"


async def earned(gateway: Gateway) -> None:
    """Let Ada earn 25 USD that lie in the hot wallet, and have them settled."""
    intent = await gateway.held()
    path = f"/v1/payment_intents/{intent['id']}/escrow/release"
    told(await gateway.ada.http.post(path), 202)
    await gateway.send()
    gateway.clock.advance(minutes=1)
    await gateway.services.settlements().run()


async def three(gateway: Gateway) -> list[str]:
    """Let there be three payouts, minutes apart; all but the last have arrived."""
    for _ in range(3):
        await gateway.send()
        await earned(gateway)
    return ids(await gateway.ada.get(PATH))[::-1]


def ids(page: Json) -> list[str]:
    return [each["id"] for each in page["data"]]


async def test_who_was_never_paid_has_no_payouts(memory_gateway: Gateway) -> None:
    page = await memory_gateway.ada.get(PATH)
    assert page == {"data": [], "has_more": False, "next_cursor": None}


async def test_filters_hold_together(gateway: Gateway) -> None:
    first, second, third = await three(gateway)
    ada, bob = gateway.ada, gateway.bob
    everything = [third, second, first]
    settlement = (await ada.get(f"{PATH}/{second}"))["settlement"]
    assert ids(await ada.get(PATH)) == everything
    assert ids(await ada.get(PATH, state="confirmed")) == [second, first]
    assert ids(await ada.get(PATH, state="approved", asset=USDT.id)) == [third]
    assert ids(await ada.get(PATH, asset=COIN.id)) == []
    assert ids(await ada.get(PATH, chain=CHAIN)) == everything
    assert ids(await ada.get(PATH, chain=CHAIN, asset=USDT.id, state="refused")) == []
    assert ids(await ada.get(PATH, chain=MAINNET)) == []
    assert ids(await ada.get(PATH, chain=MAINNET, asset=USDT.id)) == []
    assert ids(await ada.get(PATH, chain="eip155:3")) == []
    assert ids(await ada.get(PATH, settlement=settlement)) == [second]
    assert ids(await ada.get(PATH, settlement=settlement, chain=MAINNET)) == []
    assert ids(await ada.get(PATH, settlement="set_none")) == []
    for query in ({}, {"state": "confirmed"}, {"chain": CHAIN}, {"settlement": settlement}):
        assert ids(await bob.get(PATH, **query)) == []


async def test_times_are_outside_of_the_list(gateway: Gateway) -> None:
    _, second, _ = await three(gateway)
    last, _, first = [each["created_at"] for each in (await gateway.ada.get(PATH))["data"]]
    between = await gateway.ada.get(PATH, created_after=first, created_before=last)
    assert ids(between) == [second]


@pytest.mark.parametrize("query", [{}, {"chain": CHAIN}, {"state": "confirmed"}])
async def test_pages_lead_to_the_end_with_their_filter(
    memory_gateway: Gateway, query: Json
) -> None:
    await three(memory_gateway)
    http = memory_gateway.ada.http
    wanted = ids(await memory_gateway.ada.get(PATH, **query))
    response = await http.get(PATH, params={"limit": 1, **query})
    seen = ids(told(response, 200))
    for _ in wanted[1:]:
        response = await http.get(response.links["next"]["url"])
        seen += ids(told(response, 200))
    assert seen == wanted
    assert "next" not in response.links


async def test_a_cursor_of_another_list_leads_nowhere(memory_gateway: Gateway) -> None:
    await three(memory_gateway)
    for _ in range(2):
        await memory_gateway.ada.intent()
    page = await memory_gateway.ada.get("/v1/payment_intents", limit=1)
    refused = await memory_gateway.ada.http.get(PATH, params={"cursor": page["next_cursor"]})
    assert refusal(refused) == (400, "invalid-cursor")


async def test_a_payout_is_listed_as_it_is_shown(memory_gateway: Gateway) -> None:
    gateway = memory_gateway
    for payout in await three(gateway):
        shown = await gateway.ada.get(f"{PATH}/{payout}")
        listed = await gateway.ada.get(PATH, settlement=shown["settlement"])
        assert listed["data"] == [shown]
        assert "expanded" not in shown


async def test_what_cannot_be_filtered_by_is_refused(memory_gateway: Gateway) -> None:
    for query in (
        "state=paid", "expand=payout", "created_after=yesterday", "asset=", "asset=nonsense",
        "chain=x", "settlement=..", "state=approved&state=refused", "status=approved", "limit=0",
    ):  # fmt: skip
        response = await memory_gateway.ada.http.get(f"{PATH}?{query}")
        assert refusal(response)[0] in {400, 422}, query


async def test_the_scope_is_that_of_one_payout(memory_gateway: Gateway) -> None:
    gateway = memory_gateway
    for scope, status in ((Scope.PAYOUTS_READ, 200), (Scope.BALANCES_READ, 403)):
        issued = await gateway.services.merchants().create_key(
            merchant_id=gateway.ada.merchant.id, scopes=[scope]
        )
        headers = {"Authorization": f"Bearer {issued.text}"}
        async with client_of(gateway.app, gateway.document, headers=headers) as http:
            assert (await http.get(PATH)).status_code == status
