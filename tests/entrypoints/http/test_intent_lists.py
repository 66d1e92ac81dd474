"""Lists of intents: filters, pages and what is shown beside an intent."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.stars.model import STARS
from tests.builders import USDT
from tests.entrypoints.http.gateway import refusal

if TYPE_CHECKING:
    from tests.entrypoints.http.gateway import Gateway, Json

PATH = "/v1/payment_intents"


async def four(gateway: Gateway) -> list[str]:
    """Create four intents, a minute apart; the first is canceled, the last is in Stars."""
    made = []
    for changes in ({}, {"method": "address"}, {}, {"method": "stars", "asset": STARS}):
        gateway.clock.advance(minutes=1)
        made.append((await gateway.ada.intent(**changes))["id"])
    assert (await gateway.ada.http.post(f"{PATH}/{made[0]}/cancel")).status_code == 200
    return made


def ids(page: Json) -> list[str]:
    return [each["id"] for each in page["data"]]


async def test_filters_hold_together(gateway: Gateway) -> None:
    first, second, third, fourth = await four(gateway)
    ada = gateway.ada
    assert ids(await ada.get(PATH)) == [fourth, third, second, first]
    assert ids(await ada.get(PATH, status="canceled")) == [first]
    assert ids(await ada.get(PATH, status="requires_payment", method="escrow")) == [third]
    assert ids(await ada.get(PATH, asset=USDT.id.upper().replace("EIP", "eip"))) == [
        third, second, first,
    ]  # fmt: skip
    assert ids(await ada.get(PATH, asset=STARS, method="stars")) == [fourth]
    assert ids(await ada.get(PATH, asset=STARS, method="address")) == []
    assert ids(await gateway.bob.get(PATH, status="canceled")) == []


async def test_times_are_outside_of_the_list(gateway: Gateway) -> None:
    _, second, third, _ = await four(gateway)
    shown = await gateway.ada.get(PATH)
    last, *_, begin = [each["created_at"] for each in shown["data"]]
    between = await gateway.ada.get(PATH, created_after=begin, created_before=last)
    assert ids(between) == [third, second]


async def test_a_filter_goes_on_through_all_pages(gateway: Gateway) -> None:
    made = await four(gateway)
    seen: list[str] = []
    response = await gateway.ada.http.get(PATH, params={"asset": USDT.id, "limit": 1})
    for _ in made:
        seen += ids(response.json())
        if "next" in response.links:
            assert "asset=" in response.links["next"]["url"]
            response = await gateway.ada.http.get(response.links["next"]["url"])
        else:
            break
    assert seen == made[2::-1]


async def test_a_quote_and_an_escrow_are_shown_beside_an_intent(gateway: Gateway) -> None:
    held, fresh = await gateway.held(), await gateway.ada.intent()
    page = (await gateway.ada.http.get(f"{PATH}?expand=quote&expand=escrow")).json()
    young, old = page["data"]
    assert young["expanded"]["escrow"] is None
    assert old["expanded"]["escrow"]["payment_intent"] == held["id"]
    assert young["expanded"]["quote"]["id"] == young["quote"] == fresh["quote"]
    one = await gateway.ada.get(f"{PATH}/{held['id']}", expand="quote")
    assert (one["expanded"]["quote"]["id"], one["expanded"]["escrow"]) == (one["quote"], None)
    assert "expanded" not in await gateway.ada.get(f"{PATH}/{held['id']}")


@pytest.mark.parametrize(
    "query",
    [
        "status=paid", "method=cash", "expand=merchant", "created_after=yesterday",
        "created_before=2026-03-01T12:00:00", "status=canceled&status=expired", "asset=",
    ],
)  # fmt: skip
async def test_what_cannot_be_filtered_by_is_refused(memory_gateway: Gateway, query: str) -> None:
    response = await memory_gateway.ada.http.get(f"{PATH}?{query}")
    assert refusal(response)[0] in {400, 422}
