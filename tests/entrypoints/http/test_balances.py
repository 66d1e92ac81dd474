"""Balances, settlements and payouts: how earned money reaches the merchant."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from tests.builders import CHAIN, USDT, address_of
from tests.entrypoints.http.gateway import HOT_WALLET, refusal, told

if TYPE_CHECKING:
    from tests.entrypoints.http.gateway import Gateway, Json

NET = 25 * 10**18 * 99 // 100
"""What of 25 USD is left to the merchant."""


async def earned(gateway: Gateway) -> None:
    """Let Ada earn 25 USD that lie in the hot wallet."""
    intent = await gateway.held()
    path = f"/v1/payment_intents/{intent['id']}/escrow/release"
    told(await gateway.ada.http.post(path), 202)
    await gateway.send()


async def balances(gateway: Gateway) -> dict[str, str]:
    [row] = (await gateway.ada.get("/v1/balances"))["data"]
    assert {money["asset"] for money in row.values()} == {USDT.id}
    return {name: money["amount"] for name, money in row.items()}


async def settlement(gateway: Gateway) -> Json:
    [found] = (await gateway.ada.get("/v1/settlements"))["data"]
    shown: Json = found
    return shown


async def test_who_has_earned_nothing_has_no_balance(gateway: Gateway) -> None:
    assert await gateway.ada.get("/v1/balances") == {"object": "balances", "data": []}
    nothing = {"data": [], "has_more": False, "next_cursor": None}
    assert await gateway.ada.get("/v1/settlements") == nothing


async def test_earned_money_is_shown_to_its_owner_alone(gateway: Gateway) -> None:
    await earned(gateway)
    assert await balances(gateway) == {"pending": "0", "available": str(NET), "reserved": "0"}
    assert (await gateway.bob.get("/v1/balances"))["data"] == []


async def test_a_settlement_is_paid_out(gateway: Gateway) -> None:
    await earned(gateway)
    await gateway.services.settlements().run()
    approved = await settlement(gateway)
    assert (approved["state"], approved["amount"]["amount"]) == ("approved", str(NET))
    assert await balances(gateway) == {"pending": "0", "available": "0", "reserved": str(NET)}
    payout = await gateway.ada.get(f"/v1/payouts/{approved['payout']}")
    assert (payout["state"], payout["transaction"]) == ("approved", None)
    assert payout["settlement"] == approved["id"]
    await gateway.send()
    paid = await gateway.ada.get(f"/v1/payouts/{approved['payout']}")
    assert paid["state"] == "confirmed"
    assert paid["transaction"].startswith("0x")
    assert await settlement(gateway) == {**approved, "state": "paid_out"}
    assert await balances(gateway) == {"pending": "0", "available": "0", "reserved": "0"}
    destination = address_of("Ada's bicycles")
    assert paid["destination"] == destination
    assert gateway.chain.state.balance(destination, USDT.id) == NET
    assert gateway.chain.state.balance(HOT_WALLET, USDT.id) == 0


async def test_payouts_are_shown_beside_their_settlements(gateway: Gateway) -> None:
    await earned(gateway)
    await gateway.services.settlements().run()
    await gateway.send()
    gateway.clock.advance(minutes=1)
    await earned(gateway)
    await gateway.services.settlements().run()
    data = (await gateway.ada.get("/v1/settlements", expand="payout"))["data"]
    assert [each["expanded"]["payout"]["state"] for each in data] == ["approved", "confirmed"]
    for each in data:
        payout = await gateway.ada.get(f"/v1/payouts/{each['payout']}")
        assert each["expanded"] == {"payout": payout}
    plain = (await gateway.ada.get("/v1/settlements"))["data"]
    assert [
        {**it, "expanded": beside["expanded"]} for it, beside in zip(plain, data, strict=True)
    ] == data
    assert not any("expanded" in each for each in plain)
    assert refusal(await gateway.ada.http.get("/v1/settlements?expand=merchant"))[0] == 422


async def test_a_settlement_that_waits_for_a_person_has_no_payout_yet(gateway: Gateway) -> None:
    await earned(gateway)
    await gateway.services.settlements().run()
    async with gateway.storage.begin() as work:
        [made] = await work.settlements.list(owner=gateway.ada.merchant.id, limit=2)
        await work.settlements.lock(made.id)
        await work.settlements.save(attrs.evolve(made, payout_id=None))
        await work.commit()
    [shown] = (await gateway.ada.get("/v1/settlements", expand="payout"))["data"]
    assert (shown["payout"], shown["expanded"]) == (None, {"payout": None})


async def test_money_at_deposit_addresses_waits_for_the_sweep(gateway: Gateway) -> None:
    await gateway.pay(await gateway.ada.intent(method="address"))
    assert await gateway.services.settlements().run() == []
    assert (await gateway.ada.get("/v1/settlements"))["data"] == []
    assert (await balances(gateway))["available"] == str(NET)


async def test_settlements_come_newest_first(gateway: Gateway) -> None:
    for _ in range(2):
        await earned(gateway)
        await gateway.services.settlements().run()
        await gateway.send()
        gateway.clock.advance(minutes=1)
    page = await gateway.ada.get("/v1/settlements", limit=1)
    [first] = page["data"]
    assert page["has_more"]
    after = await gateway.ada.get("/v1/settlements", cursor=page["next_cursor"])
    [second] = after["data"]
    assert (after["has_more"], after["next_cursor"]) == (False, None)
    assert first["created_at"] > second["created_at"]
    assert (await gateway.bob.get("/v1/settlements"))["data"] == []


async def test_a_settlement_is_shown_to_its_owner_alone(gateway: Gateway) -> None:
    await earned(gateway)
    await gateway.services.settlements().run()
    found = await settlement(gateway)
    path = f"/v1/settlements/{found['id']}"
    assert await gateway.ada.get(path) == found
    payout = await gateway.ada.get(f"/v1/payouts/{found['payout']}")
    assert await gateway.ada.get(path, expand="payout") == {
        **found,
        "expanded": {"payout": payout},
    }
    assert refusal(await gateway.bob.http.get(path)) == (404, "not-found")
    assert refusal(await gateway.ada.http.get("/v1/settlements/set_1")) == (404, "not-found")


async def test_the_books_agree_with_themselves_and_the_chain(gateway: Gateway) -> None:
    await earned(gateway)
    await gateway.pay(await gateway.ada.intent(method="address"))
    await gateway.services.settlements().run()
    await gateway.send()
    assert list(await gateway.services.books().check()) == []
    compared = await gateway.services.books().compare(chain=CHAIN)
    assert [each for each in compared if not each.agree] == []


async def test_a_payout_of_somebody_else_is_not_found(gateway: Gateway) -> None:
    await earned(gateway)
    await gateway.services.settlements().run()
    payout = (await settlement(gateway))["payout"]
    foreign = await gateway.bob.http.get(f"/v1/payouts/{payout}")
    missing = await gateway.bob.http.get("/v1/payouts/po_missing")
    assert refusal(foreign) == (404, "not-found")
    assert foreign.json() | {"instance": ""} == missing.json() | {"instance": ""}
