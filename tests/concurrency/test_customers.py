"""One customer, and everybody who asks for his address at once."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import psycopg
import pytest

from domain.ledger.accounts import available
from tests.builders import CHAIN, usdt
from tests.concurrency.gateway import at_once
from tests.domain.scene import DUE, NET

if TYPE_CHECKING:
    from domain.customers.model import CustomerAddress
    from tests.concurrency.gateway import Gateways

SEEDS = range(6)
REQUESTS = 6


@pytest.mark.parametrize("seed", SEEDS)
async def test_all_are_given_the_same(gateways: Gateways, postgres_dsn: str, seed: int) -> None:
    gateways.reseed(seed)

    async def ask(number: int) -> CustomerAddress:
        return await gateways.process(number).customers.address(
            merchant=gateways.merchant, customer=f"user-{number % 2}", chain=CHAIN
        )

    given = await asyncio.gather(*(ask(number) for number in range(REQUESTS)))
    intents = await asyncio.gather(*(gateways.world.intent() for _ in range(3)))

    assert len({(it.customer, it.id, it.address) for it in given}) == 2
    indices = {it.index for it in given} | {getattr(it.pay_to, "index", None) for it in intents}
    assert len(indices) == 2 + len(intents)
    with psycopg.connect(postgres_dsn) as connection:
        assert connection.execute("select count(*) from customer_address").fetchone() == (2,)


@pytest.mark.parametrize("seed", SEEDS)
async def test_two_watchers_credit_a_deposit_once(gateways: Gateways, seed: int) -> None:
    gateways.reseed(seed)
    world, chain = gateways.world, gateways.around.chain
    address = await world.services.customers.address(
        merchant=gateways.merchant, customer="user", chain=CHAIN
    )
    gone, _ = (chain.fund(address.address, usdt(DUE)) for _ in range(2))
    chain.mine()
    await at_once((it.watcher.watch(chain=CHAIN) for it in gateways.processes), seed=seed)
    chain.reorg(depth=1, drop=[gone])
    chain.mine()
    for round_ in range(3):
        await at_once((it.watcher.watch(chain=CHAIN) for it in gateways.processes), seed=round_)
        chain.mine()
        chain.finalize()
    await world.watch()

    assert await _available(gateways) == NET
    told = [it.event.type for it in await world.feed()]
    assert told.count("deposit.succeeded") == 1
    await gateways.must_be_right()


async def _available(gateways: Gateways) -> int:
    balances = await gateways.process(0).books.merchant_balances(owner=gateways.merchant.id)
    account = available(gateways.merchant.id)
    return sum(it.money.amount for it in balances if it.account == account)
