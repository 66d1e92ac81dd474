"""Metadata that is set later: it is merged, it is the merchant's, and it is nothing else."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.shared.metadata import ENTRIES_MAX
from tests.builders import CHAIN, USDT, address_of
from tests.entrypoints.http.gateway import Json, price, refusal, told

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

    from tests.entrypoints.http.gateway import Gateway, Shop

FIRST = {"order": "1042", "tier": "gold", "note": "“ü”"}


@attrs.frozen
class Kind:
    """A kind of object that has metadata: how one is made, and how it is changed."""

    path: str
    body: Json
    changes: str = ""
    """Where one of them is found, if not at the path of all."""
    method: str = "POST"

    async def make(self, shop: Shop, metadata: Json = FIRST) -> Json:
        """Make one; return it as it is shown later."""
        body = {**self.body, "metadata": metadata}
        response = await shop.http.post(self.path, json=body)
        assert response.is_success, response.text
        made: Json = response.json()
        made.pop("secret", None)
        return made

    async def change(
        self, http: AsyncClient, made: Json, metadata: object, **headers: str
    ) -> Response:
        """Ask for a change of one's metadata."""
        asked = {"metadata": metadata}
        return await http.request(self.method, self.at(made), json=asked, headers=headers)

    def at(self, made: Json) -> str:
        """Return where one is found."""
        return f"{self.changes or self.path}/{made['id']}"


KINDS = {
    "intent": Kind(
        "/v1/payment_intents", {"method": "address", "price": price(2500), "asset": USDT.id}
    ),
    "address": Kind("/v1/customer_addresses", {"customer": "user-1042", "chain": CHAIN}),
    "destination": Kind(
        "/v1/payout_destinations",
        {"chain": CHAIN, "address": address_of("new till")},
        changes="/v1/payout_destinations/changes",
    ),
    "endpoint": Kind(
        "/v1/webhook_endpoints", {"url": "https://shop.example/hooks"}, method="PATCH"
    ),
}
WITH_KEY = [name for name, kind in KINDS.items() if kind.method == "POST"]


@pytest.fixture(params=KINDS)
def kind(request: pytest.FixtureRequest) -> Kind:
    return KINDS[request.param]


async def test_it_is_merged_and_nothing_else_is_changed(gateway: Gateway, kind: Kind) -> None:
    made = await kind.make(gateway.ada)
    assert made["metadata"] == FIRST
    events, books = await gateway.ada.events(), (await without_words(gateway))

    changes = {"tier": "silver", "note": None, "order": "", "ticket": "7"}
    changed = told(await kind.change(gateway.ada.http, made, changes), 200)

    assert changed == {**made, "metadata": {"tier": "silver", "ticket": "7"}}
    assert await gateway.ada.get(kind.at(made)) == changed
    again = told(await kind.change(gateway.ada.http, made, {"ticket": None, "none": None}), 200)
    assert again["metadata"] == {"tier": "silver"}
    assert await gateway.ada.events() == events
    assert await without_words(gateway) == books


async def test_there_is_so_much_of_it(memory_gateway: Gateway, kind: Kind) -> None:
    full = {f"{n:02}": "v" * 500 for n in range(ENTRIES_MAX)}
    made = await kind.make(memory_gateway.ada, full)

    refused = await kind.change(memory_gateway.ada.http, made, {"another": "v"})
    assert refusal(refused) == (422, "too-much-metadata")
    assert refused.json()["maximum"] == ENTRIES_MAX
    assert await memory_gateway.ada.get(kind.at(made)) == made
    others = {key.replace("0", "a"): "w" for key in full}
    everything = {**dict.fromkeys(full), **others}
    changed = told(await kind.change(memory_gateway.ada.http, made, everything), 200)
    assert changed["metadata"] == {key: value for key, value in everything.items() if value}


async def test_what_makes_no_sense_is_refused(memory_gateway: Gateway, kind: Kind) -> None:
    made = await kind.make(memory_gateway.ada)
    too_many = {str(n): None for n in range(2 * ENTRIES_MAX + 1)}
    no_changes: list[object] = [too_many, None, [], ""]
    cases: list[tuple[object, str]] = [
        ({"k": 1}, "/metadata/k"),
        ({"k": "v" * 501}, "/metadata/k"),
        ({"k" * 41: None}, "/metadata/" + "k" * 41),
        ({"": "v"}, "/metadata/"),
        ({"k": "\0"}, "/metadata/k"),
        *((wrong, "/metadata") for wrong in no_changes),
    ]
    for metadata, at in cases:
        refused = await kind.change(memory_gateway.ada.http, made, metadata)

        assert refusal(refused) == (422, "invalid-request")
        assert [it["pointer"] for it in refused.json()["errors"]] == [at]
    assert await memory_gateway.ada.get(kind.at(made)) == made


async def test_changes_at_once_all_hold(gateway: Gateway, kind: Kind) -> None:
    made = await kind.make(gateway.ada, {})
    asked = {str(n): "v" for n in range(8)}

    answers = await asyncio.gather(
        *(kind.change(gateway.ada.http, made, {key: value}) for key, value in asked.items())
    )

    assert [it.status_code for it in answers] == [200] * len(asked)
    assert (await gateway.ada.get(kind.at(made)))["metadata"] == asked


async def test_of_another_merchants_nothing_is_changed(
    memory_gateway: Gateway, kind: Kind
) -> None:
    made = await kind.make(memory_gateway.ada)

    refused = await kind.change(memory_gateway.bob.http, made, {"tier": "none"})

    assert refusal(refused) == (404, "not-found")
    assert await memory_gateway.ada.get(kind.at(made)) == made


@pytest.mark.parametrize("name", WITH_KEY)
async def test_sent_again_it_is_told_again_and_not_done_again(
    memory_gateway: Gateway, name: str
) -> None:
    kind, http = KINDS[name], memory_gateway.ada.http
    made = await kind.make(memory_gateway.ada)
    once = {"Idempotency-Key": "change-1"}
    first = told(await kind.change(http, made, {"tier": "silver"}, **once), 200)
    told(await kind.change(http, made, {"tier": "lead"}), 200)

    again = await kind.change(http, made, {"tier": "silver"}, **once)

    assert told(again, 200) == first
    assert again.headers["Idempotent-Replayed"] == "true"
    assert (await memory_gateway.ada.get(kind.at(made)))["metadata"]["tier"] == "lead"
    other = await kind.change(http, made, {"tier": "tin"}, **once)
    assert refusal(other) == (422, "idempotency-key-reused")


async def test_an_intent_has_it_whatever_becomes_of_it(gateway: Gateway) -> None:
    kind, http = KINDS["intent"], gateway.ada.http
    made = await kind.make(gateway.ada)
    told(await kind.change(http, made, {"tier": "silver"}), 200)
    await gateway.pay(made)
    paid = (await gateway.ada.newest_events())[made["id"]]
    assert (paid["status"], paid["metadata"]["tier"]) == ("succeeded", "silver")

    late = told(await kind.change(http, made, {"tier": "lead"}), 200)

    assert late == {**paid, "metadata": {**FIRST, "tier": "lead"}}
    assert list(await gateway.services.books().check()) == []


async def test_a_customers_address_keeps_what_was_said_last(memory_gateway: Gateway) -> None:
    kind = KINDS["address"]
    made = await kind.make(memory_gateway.ada)
    changed = told(await kind.change(memory_gateway.ada.http, made, {"tier": None}), 200)

    assert await kind.make(memory_gateway.ada, {"tier": "platinum"}) == changed


async def test_who_approves_is_shown_it(memory_gateway: Gateway) -> None:
    kind = KINDS["destination"]
    made = await kind.make(memory_gateway.ada, {"ticket": "FIN-7"})
    told(await kind.change(memory_gateway.ada.http, made, {"ticket": "FIN-8"}), 200)

    canceled = told(await memory_gateway.ada.http.post(f"{kind.at(made)}/cancel"), 200)

    assert (canceled["state"], canceled["metadata"]) == ("canceled", {"ticket": "FIN-8"})
    assert (await memory_gateway.ada.newest_events())[made["id"]] == canceled


async def without_words(gateway: Gateway) -> object:
    """Return the books, and intents and addresses but for their metadata."""
    async with gateway.storage.begin() as work:
        owner = gateway.ada.merchant.id
        intents = await work.intents.list(owner=owner, before=None, limit=9)
        given = await work.customers.list(owner=owner, customer=None, before=None, limit=9)
        bare = [attrs.evolve(it, metadata={}) for it in intents]
        bare_addresses = [attrs.evolve(it, metadata={}) for it in given]
        return bare, bare_addresses, await work.ledger.balances(prefix="")
