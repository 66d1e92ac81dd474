"""What lay in suspense before its pieces were kept is found when the schema learns of them."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import attrs
import psycopg
import pytest

from adapters.memory.clock import FakeClock
from adapters.postgres import migrate
from adapters.postgres.storage import PostgresStorage
from adapters.system.ids import RandomIds
from domain.ledger.model import Transaction, credit, debit
from domain.merchants.model import PaymentPolicy, Verdict
from domain.suspense.model import Why
from tests.builders import CONTRACT, usdt
from tests.concurrency.gateway import open_gateways
from tests.domain import shared_wallet
from tests.domain.inbox import items, must_add_up
from tests.domain.scene import DUE, HOT, PAYER, PLACES
from tests.domain.services import Surroundings
from tests.domain.shared_wallet import COIN, OTHER, memo_of, new_shared_wallet, till
from tests.domain.sweeping import swept
from tests.domain.world import terms_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.chains.places import Places
    from domain.suspense.model import SuspenseItem
    from tests.support.postgres import PostgresServer

TO_REVIEW = PaymentPolicy(overpaid=Verdict.REVIEW, late=Verdict.REVIEW)


@pytest.fixture
async def dsn(postgres_server: PostgresServer) -> AsyncIterator[str]:
    postgres_server.create_database("suspense")
    dsn = postgres_server.dsn(database="suspense")
    migrate.upgrade(dsn)
    yield dsn
    postgres_server.drop_database("suspense")


@asynccontextmanager
async def opened(dsn: str, around: Surroundings | None = None) -> AsyncIterator[PostgresStorage]:
    clock, ids = (around.clock, around.ids) if around else (FakeClock(), RandomIds())
    storage = PostgresStorage(dsn=dsn, clock=clock, ids=ids)
    await storage.open()
    try:
        yield storage
    finally:
        await storage.close()


async def forgotten_and_found(dsn: str, places: Places) -> list[SuspenseItem]:
    """Return what the schema finds that has forgotten its newer tables, and what is in them."""
    migrate.downgrade(dsn, revision="0008")
    with psycopg.connect(dsn) as connection:
        assert connection.execute("select to_regclass('suspense_item')").fetchone() == (None,)
    migrate.upgrade(dsn)
    async with opened(dsn) as storage:
        await must_add_up(storage.begin, places)
        async with storage.begin() as work:
            return [*await work.suspense.page(ended=True, limit=100)]


async def test_what_came_to_a_shared_wallet_is_found_piece_by_piece(dsn: str) -> None:
    async with opened(dsn) as storage:
        wallet = await new_shared_wallet(begin=storage.begin)
        merchant = await wallet.merchant_paid_at(till("Grace"), payments=TO_REVIEW)
        exact, short, over, wrong, late = [
            await wallet.intent(merchant=merchant) for _ in range(5)
        ]
        wallet.pay(exact, memo=memo_of(exact).lower())
        wallet.pay(short, DUE // 5)
        wallet.pay(short, DUE // 5)
        for amount in (DUE // 5, DUE, DUE // 2):
            wallet.pay(over, amount)
            await wallet.settle_down()
        wallet.pay(wrong, 70, asset=OTHER.id)
        wallet.gift(5)
        wallet.gift(5, memo="thanks!")
        wallet.gift(6, asset=COIN.id)
        await wallet.settle_down()
        wallet.around.clock.advance(hours=2)
        await wallet.settle_down()
        await wallet.services.intents.expire_due(chain=wallet.chain.chain)
        wallet.pay(late)
        await wallet.settle_down()
        await must_add_up(wallet.begin, shared_wallet.PLACES)
        before = await items(wallet.services)
        assert {it.why for it in before} == {*Why} - {Why.IN_CONTRACT, Why.BELOW_MINIMUM}

    assert await forgotten_and_found(dsn, shared_wallet.PLACES) == before


async def test_what_others_account_for_is_no_piece_of_it(dsn: str) -> None:
    around = Surroundings()
    async with opened(dsn, around) as storage:
        world = (await open_gateways([storage], around)).world
        world.pay(await world.intent(), DUE // 5)
        paid = await world.intent()
        world.pay(paid)
        foreign = await world.escrow_intent()
        terms = attrs.evolve(terms_for(foreign), reference="pi_of_somebody_else")
        world.chain.pay_escrow(terms, payer=PAYER)
        await world.released()
        for target in (HOT, CONTRACT, HOT):
            world.chain.transfer(usdt(DUE), source=PAYER, target=target)
        await world.settle_down()
        await swept(world)
        before = await items(world.services)
        assert sorted(it.why for it in before) == [
            Why.IN_CONTRACT,
            Why.NO_MEMO,
            Why.NO_MEMO,
            Why.UNDERPAID,
        ]
        async with storage.begin() as work:  # The contract gives it back, and nobody else can.
            terms_end = terms.money
            leave = Transaction(
                "test",
                "foreign",
                (debit(PLACES.suspense, terms_end), credit(PLACES.escrow, terms_end)),
                around.clock.now(),
            )
            await work.ledger.book(leave)
            await work.commit()

    assert await forgotten_and_found(dsn, PLACES) == before
