"""Webhook endpoints and deliveries behind the API."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.webhooks.dispatching import Dispatch
from domain.webhooks.in_turn import InTurn
from tests.entrypoints.http.gateway import refusal, told

if TYPE_CHECKING:
    from tests.entrypoints.http.gateway import Gateway, Json, Shop

PATH = "/v1/webhook_endpoints"
DELIVERIES = "/v1/webhook_deliveries"
URL = "https://shop.example/hooks"


async def an_endpoint(shop: Shop, **wishes: object) -> Json:
    return told(await shop.http.post(PATH, json={"url": URL, **wishes}), 201)


async def deliver(gateway: Gateway) -> None:
    webhooks = gateway.services.webhooks()
    await webhooks.hand_over()
    await Dispatch(
        webhooks.begin, webhooks.clock, webhooks.ids, webhooks.publisher, InTurn()
    ).run()


async def a_delivery(gateway: Gateway) -> Json:
    """Return a delivery that was refused once."""
    await an_endpoint(gateway.ada)
    await gateway.ada.intent()
    gateway.services.adapters.publisher().refuse_next(503, retry_after_seconds=600)
    await deliver(gateway)
    [delivery] = told(await gateway.ada.http.get(DELIVERIES), 200)["data"]
    found: Json = delivery
    return found


class TestEndpoints:
    async def test_the_secret_is_shown_once(self, gateway: Gateway) -> None:
        made = await an_endpoint(gateway.ada, types=["payout.*"], description="Orders")

        assert made["secret"].startswith("whsec_")
        assert (made["types"], made["description"], made["enabled"]) == (
            ["payout.*"],
            "Orders",
            True,
        )
        shown = told(await gateway.ada.http.get(f"{PATH}/{made['id']}"), 200)
        assert shown == {key: value for key, value in made.items() if key != "secret"}
        [listed] = told(await gateway.ada.http.get(PATH), 200)["data"]
        assert listed == shown

    async def test_one_key_makes_one_endpoint(self, gateway: Gateway) -> None:
        headers = {"Idempotency-Key": "make-one"}
        first = await gateway.ada.http.post(PATH, json={"url": URL}, headers=headers)
        again = await gateway.ada.http.post(PATH, json={"url": URL}, headers=headers)

        assert told(again, 201) == told(first, 201)
        assert again.headers["Idempotent-Replayed"] == "true"
        assert len(told(await gateway.ada.http.get(PATH), 200)["data"]) == 1

    async def test_there_are_so_many_and_they_come_in_pages(self, gateway: Gateway) -> None:
        made = [(await an_endpoint(gateway.ada))["id"] for _ in range(20)]
        refused = await gateway.ada.http.post(PATH, json={"url": URL})
        assert refusal(refused) == (409, "too-many-endpoints")

        page = told(await gateway.ada.http.get(f"{PATH}?limit=15"), 200)
        rest = await gateway.ada.http.get(f"{PATH}?limit=15&cursor={page['next_cursor']}")
        listed = [it["id"] for it in (*page["data"], *told(rest, 200)["data"])]
        assert listed == made[::-1]

    @pytest.mark.parametrize(
        "url",
        [
            "ftp://shop.example/",
            "https:///hooks",
            "https://user:word@shop.example/",
            "https://shop.example/#part",
            "https://shop.example:99999/",
            "https://shop.example/with space",
            "https://shöp.example/",
        ],
    )
    async def test_what_cannot_be_called_is_refused(self, gateway: Gateway, url: str) -> None:
        refused = await gateway.ada.http.post(PATH, json={"url": url})

        assert refusal(refused) == (422, "url-malformed")

    async def test_it_can_be_changed_and_switched_off_and_on(self, gateway: Gateway) -> None:
        path = f"{PATH}/{(await an_endpoint(gateway.ada))['id']}"
        wishes = {"types": ["payout.confirmed"], "hex_signature": True, "enabled": False}
        changed = told(await gateway.ada.http.patch(path, json=wishes), 200)

        assert changed["url"] == URL
        assert {key: changed[key] for key in wishes} == wishes
        assert changed["disabled_reason"] == "by_hand"
        refused = await gateway.ada.http.post(f"{path}/test")
        assert refusal(refused) == (409, "endpoint-disabled")
        again = told(await gateway.ada.http.patch(path, json={"enabled": True}), 200)
        assert (again["enabled"], again["disabled_reason"]) == (True, None)

    async def test_it_can_be_deleted(self, gateway: Gateway) -> None:
        path = f"{PATH}/{(await an_endpoint(gateway.ada))['id']}"
        assert (await gateway.ada.http.delete(path)).status_code == 204

        assert told(await gateway.ada.http.get(PATH), 200)["data"] == []
        for response in (
            await gateway.ada.http.get(path),
            await gateway.ada.http.patch(path, json={"enabled": True}),
            await gateway.ada.http.delete(path),
        ):
            assert refusal(response) == (404, "not-found")

    async def test_others_endpoints_are_nowhere(self, gateway: Gateway) -> None:
        path = f"{PATH}/{(await an_endpoint(gateway.ada))['id']}"
        http = gateway.bob.http
        for response in (
            await http.get(path),
            await http.patch(path, json={}),
            await http.delete(path),
            await http.post(f"{path}/rotate_secret"),
            await http.post(f"{path}/test"),
        ):
            assert refusal(response) == (404, "not-found")
        assert told(await http.get(PATH), 200)["data"] == []

    async def test_a_secret_follows_another(self, gateway: Gateway) -> None:
        made = await an_endpoint(gateway.ada)
        path = f"{PATH}/{made['id']}/rotate_secret"
        rotated = told(await gateway.ada.http.post(path, json={"overlap_seconds": 60}), 200)
        assert rotated["secret"] != made["secret"]
        assert rotated["former_secret_until"] is not None

        refused = await gateway.ada.http.post(path)
        assert refusal(refused) == (409, "secret-still-rotating")
        leaked = told(await gateway.ada.http.post(path, json={"overlap_seconds": 0}), 200)
        assert leaked["former_secret_until"] is None

    async def test_while_they_overlap_both_sign(self, gateway: Gateway) -> None:
        made = await an_endpoint(gateway.ada)
        rotated = told(await gateway.ada.http.post(f"{PATH}/{made['id']}/rotate_secret"), 200)
        await gateway.ada.intent()
        await deliver(gateway)

        [post] = gateway.services.adapters.publisher().posts
        assert (post.secret, post.former_secret) == (rotated["secret"], made["secret"])

    async def test_a_ping_goes_to_one_alone(self, gateway: Gateway) -> None:
        one = await an_endpoint(gateway.ada, types=["payout.*"])
        await an_endpoint(gateway.ada)
        told(await gateway.ada.http.post(f"{PATH}/{one['id']}/test"), 202)
        await deliver(gateway)

        [delivery] = told(await gateway.ada.http.get(DELIVERIES), 200)["data"]
        assert (delivery["endpoint"], delivery["state"]) == (one["id"], "delivered")
        [event] = told(await gateway.ada.http.get("/v1/events"), 200)["data"]
        assert (event["type"], event["id"]) == ("webhook_endpoint.ping", delivery["event"])


class TestDeliveries:
    async def test_the_log_tells_what_was_sent_and_answered(self, gateway: Gateway) -> None:
        delivery = await a_delivery(gateway)
        assert (delivery["state"], delivery["attempts"], delivery["last_status"]) == (
            "pending",
            1,
            503,
        )

        shown = told(await gateway.ada.http.get(f"{DELIVERIES}/{delivery['id']}"), 200)
        [tried] = shown["tries"]
        assert tried["response"]["status"] == 503
        assert tried["request"]["headers"]["webhook-id"] == shown["event"]
        assert shown["body"]["type"] == "payment_intent.created"
        assert not tried["accepted"]

    async def test_it_is_found_by_endpoint_event_and_state(self, gateway: Gateway) -> None:
        delivery = await a_delivery(gateway)
        for query, count in (
            (f"endpoint={delivery['endpoint']}", 1),
            (f"event={delivery['event']}&state=pending", 1),
            ("state=delivered", 0),
            ("endpoint=we_none", 0),
        ):
            found = told(await gateway.ada.http.get(f"{DELIVERIES}?{query}"), 200)["data"]
            assert len(found) == count, query
        unknown = await gateway.ada.http.get(f"{DELIVERIES}?state=lost")
        assert refusal(unknown)[0] == 422

    async def test_it_can_be_sent_again(self, gateway: Gateway) -> None:
        delivery = await a_delivery(gateway)
        gateway.clock.advance(seconds=700)
        path = f"{DELIVERIES}/{delivery['id']}"
        again = told(await gateway.ada.http.post(f"{path}/redeliver"), 202)
        assert again["state"] == "pending"
        await deliver(gateway)

        shown = told(await gateway.ada.http.get(path), 200)
        assert [it["accepted"] for it in shown["tries"]] == [False, True]

    async def test_they_come_in_pages(self, gateway: Gateway) -> None:
        await an_endpoint(gateway.ada)
        for _ in range(3):
            await gateway.ada.intent()
        await deliver(gateway)

        page = told(await gateway.ada.http.get(f"{DELIVERIES}?limit=2"), 200)
        rest = await gateway.ada.http.get(f"{DELIVERIES}?limit=2&cursor={page['next_cursor']}")
        sequences = [it["sequence"] for it in (*page["data"], *told(rest, 200)["data"])]
        assert sequences == [3, 2, 1]

    async def test_others_deliveries_are_nowhere(self, gateway: Gateway) -> None:
        path = f"{DELIVERIES}/{(await a_delivery(gateway))['id']}"

        for response in (
            await gateway.bob.http.get(path),
            await gateway.bob.http.post(f"{path}/redeliver"),
        ):
            assert refusal(response) == (404, "not-found")
        assert told(await gateway.bob.http.get(DELIVERIES), 200)["data"] == []
