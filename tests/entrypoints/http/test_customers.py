"""Customers' addresses and deposits over HTTP."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from domain.shared.money import Money
from tests.builders import CHAIN, USDT
from tests.entrypoints.http.gateway import MAINNET, refusal, told

if TYPE_CHECKING:
    from tests.entrypoints.http.gateway import Gateway, Json, Shop

ADDRESSES, DEPOSITS = "/v1/customer_addresses", "/v1/deposits"
AMOUNT = 25 * 10**18


async def address_of(shop: Shop, customer: str = "user-1", **changes: object) -> Json:
    """Have a customer given an address."""
    body = {"customer": customer, "chain": CHAIN, **changes}
    return told(await shop.http.post(ADDRESSES, json=body), 200)


async def paid(gateway: Gateway, address: Json, *amounts: int) -> None:
    """Pay an address for good, one block after the other."""
    for amount in amounts:
        gateway.chain.fund(address["address"], Money(amount, USDT.id))
        await gateway.watch()
        gateway.clock.advance(seconds=1)


async def test_the_same_customer_gets_the_same_address(gateway: Gateway) -> None:
    first = await address_of(gateway.ada, metadata={"tier": "gold"})
    assert (first["object"], first["customer"]) == ("customer_address", "user-1")
    assert first["metadata"] == {"tier": "gold"}
    assert first["chains"] == sorted([CHAIN, MAINNET])

    assert await address_of(gateway.ada) == first
    assert await address_of(gateway.ada, chain=MAINNET) == first
    assert await gateway.ada.get(f"{ADDRESSES}/{first['id']}") == first
    others = [await address_of(gateway.ada, "user-2"), await address_of(gateway.bob)]
    assert len({it["address"] for it in (first, *others)}) == 3


async def test_all_who_ask_at_once_are_told_the_same(gateway: Gateway) -> None:
    given = await asyncio.gather(*(address_of(gateway.ada) for _ in range(4)))
    assert given == [given[0]] * 4


async def test_a_key_brings_the_same_answer(gateway: Gateway) -> None:
    headers = {"Idempotency-Key": "user-1"}
    body = {"customer": "user-1", "chain": CHAIN}
    first = await gateway.ada.http.post(ADDRESSES, json=body, headers=headers)
    again = await gateway.ada.http.post(ADDRESSES, json=body, headers=headers)
    assert told(first, 200) == told(again, 200)
    other = await gateway.ada.http.post(
        ADDRESSES, json={**body, "customer": "user-2"}, headers=headers
    )
    assert refusal(other) == (422, "idempotency-key-reused")


@pytest.mark.parametrize(
    ("changes", "answer"),
    [
        ({"chain": "eip155:77"}, (422, "unknown-chain")),
        ({"chain": "nonsense"}, (422, "unknown-chain")),
        ({"chain": "a"}, (422, "invalid-request")),
        ({"customer": ""}, (422, "invalid-request")),
        ({"customer": "c" * 201}, (422, "invalid-request")),
        ({"customer": "\0"}, (422, "invalid-request")),
        ({"customer": 7}, (422, "invalid-request")),
        ({"metadata": {"k": 1}}, (422, "invalid-request")),
        ({"address": "0x1"}, (422, "invalid-request")),
    ],
)
async def test_what_makes_no_sense_is_refused(
    memory_gateway: Gateway, changes: Json, answer: tuple[int, str]
) -> None:
    body = {"customer": "user-1", "chain": CHAIN, **changes}
    before = await memory_gateway.everything()
    assert refusal(await memory_gateway.ada.http.post(ADDRESSES, json=body)) == answer
    assert await memory_gateway.everything() == before


async def test_addresses_are_listed_newest_first(gateway: Gateway) -> None:
    given = []
    for customer in ("a", "b", "c"):
        gateway.clock.advance(seconds=1)
        given.append(await address_of(gateway.ada, customer))
    await address_of(gateway.bob, "a")

    first = await gateway.ada.get(ADDRESSES, limit=2)
    rest = await gateway.ada.get(ADDRESSES, limit=2, cursor=first["next_cursor"])
    assert [*first["data"], *rest["data"]] == given[::-1]
    assert not rest["has_more"]
    assert (await gateway.ada.get(ADDRESSES, customer="b"))["data"] == [given[1]]
    response = await gateway.ada.http.get(DEPOSITS, params={"cursor": first["next_cursor"]})
    assert refusal(response) == (400, "invalid-cursor")


async def test_a_deposit_is_told_as_it_is_shown(gateway: Gateway) -> None:
    address = await address_of(gateway.ada)
    transaction = gateway.chain.fund(address["address"], Money(AMOUNT, USDT.id))
    gateway.chain.mine()
    await gateway.services.watcher().watch(chain=CHAIN)
    [pending] = (await gateway.ada.get(DEPOSITS))["data"]
    assert (pending["status"], pending["transaction"]) == ("pending", transaction)
    assert (pending["fee"], pending["net"]) == (None, None)

    await gateway.watch()
    shown = await gateway.ada.get(f"{DEPOSITS}/{pending['id']}")
    assert (shown["id"], shown["status"]) == (pending["id"], "succeeded")
    assert (shown["customer"], shown["customer_address"]) == ("user-1", address["id"])
    assert (shown["amount"]["amount"], shown["fee"]["amount"]) == (str(AMOUNT), str(AMOUNT // 100))
    assert int(shown["net"]["amount"]) == await gateway.ada.available() == AMOUNT * 99 // 100
    events = [it for it in await gateway.ada.events() if it["data"]["id"] == shown["id"]]
    assert [it["type"] for it in events] == ["deposit.received", "deposit.succeeded"]
    assert [it["data"] for it in events] == [pending, shown]
    assert await gateway.bob.events() == []


async def test_deposits_are_listed_as_wanted(gateway: Gateway) -> None:
    one, two = await address_of(gateway.ada, "one"), await address_of(gateway.ada, "two")
    await paid(gateway, one, 1, 2)
    await paid(gateway, two, 3)
    gateway.chain.fund(one["address"], Money(4, USDT.id))
    gateway.chain.mine()
    await gateway.services.watcher().watch(chain=CHAIN)

    async def amounts(**query: object) -> list[int]:
        found = (await gateway.ada.get(DEPOSITS, **query))["data"]
        return [int(it["amount"]["amount"]) for it in found]

    assert await amounts() == [4, 3, 2, 1]
    assert await amounts(customer="one") == [4, 2, 1]
    assert await amounts(status="succeeded") == [3, 2, 1]
    assert await amounts(customer="one", status="pending") == [4]
    assert await amounts(customer="nobody") == []
    page = await gateway.ada.get(DEPOSITS, customer="one", limit=2)
    assert await amounts(customer="one", cursor=page["next_cursor"]) == [1]
    assert (await gateway.bob.get(DEPOSITS))["data"] == []


async def test_another_s_are_like_what_does_not_exist(gateway: Gateway) -> None:
    address = await address_of(gateway.ada)
    await paid(gateway, address, 5)
    [deposit] = (await gateway.ada.get(DEPOSITS))["data"]
    for path in (f"{ADDRESSES}/{address['id']}", f"{DEPOSITS}/{deposit['id']}"):
        assert refusal(await gateway.bob.http.get(path)) == (404, "not-found")
        assert refusal(await gateway.ada.http.get(f"{path}x")) == (404, "not-found")
