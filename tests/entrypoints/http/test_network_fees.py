"""What a chain's network takes now, as merchants see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.builders import CHAIN, COIN, USD
from tests.entrypoints.http.gateway import refusal

if TYPE_CHECKING:
    from adapters.memory.network_fees import InMemoryFeeMarket
    from tests.entrypoints.http.gateway import Gateway, Json

PATH = "/v1/network_fees"


def market(gateway: Gateway) -> InMemoryFeeMarket:
    found: InMemoryFeeMarket = gateway.services.adapters.fee_markets()[CHAIN]
    return found


async def test_each_kind_of_transaction_has_a_price_by_how_soon_it_is_to_be_there(
    gateway: Gateway,
) -> None:
    shown = await gateway.ada.get(PATH, chain=CHAIN)

    assert {name: shown[name] for name in ("object", "chain", "congestion_percent")} == {
        "object": "network_fees",
        "chain": CHAIN,
        "congestion_percent": 50,
    }
    assert [offer["name"] for offer in shown["offers"]] == ["slow", "normal", "fast"]
    slow, _, fast = shown["offers"]
    assert [cost["kind"] for cost in slow["costs"]] == ["transfer", "payout", "sweep"]
    assert slow["wait_seconds"] > fast["wait_seconds"]
    transfer = slow["costs"][0]
    assert (transfer["cost"]["asset"], transfer["cost"]["amount"]) == (COIN.id, "21000")
    assert fast["costs"][0]["cost"]["amount"] == "84000"


async def test_a_price_is_worth_something_where_a_rate_can_be_trusted(gateway: Gateway) -> None:
    def values(shown: Json) -> list[Json | None]:
        return [cost["value"] for offer in shown["offers"] for cost in offer["costs"]]

    worth = values(await gateway.ada.get(PATH, chain=CHAIN))

    assert all(value is None or value["asset"] == USD.id for value in worth)


async def test_a_target_is_one_more_offer(gateway: Gateway) -> None:
    shown = await gateway.ada.get(PATH, chain=CHAIN, within_seconds=30)

    target = shown["offers"][-1]
    assert (target["name"], target["wait_seconds"]) == ("target", 24)


async def test_what_is_not_known_is_null(gateway: Gateway) -> None:
    market(gateway).congestion_percent = None

    assert (await gateway.ada.get(PATH, chain=CHAIN))["congestion_percent"] is None


async def test_a_chain_without_a_market_is_not_found(gateway: Gateway) -> None:
    answer = await gateway.ada.http.get(PATH, params={"chain": "ton:-239"})

    assert refusal(answer) == (404, "no-fee-market")


async def test_a_chain_that_does_not_answer_is_unavailable(gateway: Gateway) -> None:
    market(gateway).fail_next()

    answer = await gateway.ada.http.get(PATH, params={"chain": CHAIN})

    assert refusal(answer) == (503, "chain-unavailable")
