"""Whoever meets whom, in whatever order: nobody waits for one who waits for him."""

from __future__ import annotations

import asyncio
import random
from typing import TYPE_CHECKING

import psycopg
import pytest

from domain.ledger.accounts import available
from domain.ledger.accounts import escrow as held_by
from domain.ledger.model import InsufficientFunds, Transaction, credit, debit
from domain.shared.ids import EscrowId, MerchantId
from tests.builders import CUSTODY, MERCHANT, NOON, USDT, an_event, earned, usdt
from tests.concurrency.gateway import at_once

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from adapters.postgres.storage import PostgresStorage
    from domain.ledger.accounts import Account

    Storages = tuple[PostgresStorage, PostgresStorage]

MOMENT_SECONDS = 0.2
"""Enough for the other one to get to where it waits."""
BOOKINGS = 150
"""What each of the sixteen tasks books."""
LOCKS_FIRST = 0.3
"""How often the lowest of the balances is locked before, as for a settlement."""


@pytest.fixture
async def no_deadlock(postgres_dsn: str, storages: Storages) -> AsyncIterator[None]:
    """Ask the server, once all sessions have told it what they met."""
    before = await _deadlocks(postgres_dsn)
    yield
    for storage in storages:
        await storage.close()
    assert await _deadlocks(postgres_dsn) == before


async def _deadlocks(dsn: str) -> int:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        cursor = await connection.execute(
            "select deadlocks from pg_stat_database where datname = current_database()"
        )
        row = await cursor.fetchone()
        assert row is not None
        return int(row[0])


@pytest.mark.usefixtures("no_deadlock")
async def test_a_booking_with_its_event_meets_one_under_the_balances_lock(
    storages: Storages,
) -> None:
    """The first has nothing locked before its commit; the second has the balance, at once."""
    locked = asyncio.Event()

    async def under_lock(storage: PostgresStorage) -> None:
        async with storage.begin() as work:
            await work.ledger.lock_balance(available(MERCHANT), USDT.id)
            locked.set()
            await asyncio.sleep(MOMENT_SECONDS)
            await work.ledger.book(earned(1))
            await work.events.record(an_event())
            await work.commit()

    async def without(storage: PostgresStorage) -> None:
        await locked.wait()
        async with storage.begin() as work:
            await work.ledger.book(earned(1))
            await work.events.record(an_event())
            await work.commit()

    await at_once([under_lock(storages[0]), without(storages[1])], seed=0)
    async with storages[0].begin() as work:
        assert await work.ledger.lock_balance(available(MERCHANT), USDT.id) == usdt(2)


@pytest.mark.usefixtures("no_deadlock")
async def test_a_request_with_its_event_meets_a_promised_job_that_waits_for_its_event(
    storages: Storages,
) -> None:
    """Both promise the job of one key; one has promised it long before its commit."""
    promised = asyncio.Event()

    async def early(storage: PostgresStorage) -> None:
        async with storage.begin() as work:
            await work.jobs.enqueue("send_transactions", dedupe_key="now")
            await work.merchants.all()  # The job is sent, and holds its key from here on.
            promised.set()
            await asyncio.sleep(MOMENT_SECONDS)
            await work.events.record(an_event())
            await work.commit()

    async def late(storage: PostgresStorage) -> None:
        await promised.wait()
        async with storage.begin() as work:
            await work.jobs.enqueue("send_transactions", dedupe_key="now")
            await work.events.record(an_event())
            await work.commit()

    await at_once([early(storages[0]), late(storages[1])], seed=0)


@pytest.mark.usefixtures("no_deadlock")
async def test_bookings_of_any_accounts_in_any_order_never_wait_for_each_other_in_a_circle(
    storages: Storages,
) -> None:
    purses = [
        *(available(MerchantId(f"mer_{number}")) for number in range(5)),
        *(held_by(EscrowId(f"0x{number}")) for number in range(5)),
    ]
    async with storages[0].begin() as work:
        await work.ledger.book(*(_moved(CUSTODY, purse, 500) for purse in purses))
        await work.commit()

    async def book(number: int) -> int:
        chance, refused = random.Random(number), 0  # noqa: S311 (no secret)
        for _ in range(BOOKINGS):
            source, *targets = chance.sample(purses, k=chance.randint(2, 6))
            amounts = [chance.randint(1, 50) for _ in targets]
            spread = _spread(source, list(zip(targets, amounts, strict=True)))
            try:
                async with storages[number % 2].begin() as work:
                    if chance.random() < LOCKS_FIRST:
                        await work.ledger.lock_balance(min(source, *targets), USDT.id)
                    await work.ledger.book(spread)
                    await work.events.record(an_event(merchant_id=MerchantId(f"mer_{number % 3}")))
                    await work.commit()
            except InsufficientFunds:
                refused += 1
        return refused

    refused = await asyncio.gather(*(book(number) for number in range(16)))

    assert 0 < sum(refused) < 16 * BOOKINGS
    async with storages[0].begin() as work:
        kept = await work.ledger.kept_balances()
        assert sum(it.money.amount for it in kept) == 500 * len(purses)
        assert min(it.money.amount for it in kept) >= 0
        assert kept == [it for it in await work.ledger.balances(prefix="") if it.account in purses]


def _spread(source: Account, targets: Sequence[tuple[Account, int]]) -> Transaction:
    """Return a booking of one purse's money to others, named in any order."""
    total = sum(amount for _, amount in targets)
    return Transaction(
        kind="spread",
        reference="by hand",
        postings=(
            *(credit(account, usdt(amount)) for account, amount in targets),
            debit(source, usdt(total)),
        ),
        effective_at=NOON,
    )


def _moved(source: Account, target: Account, amount: int) -> Transaction:
    return Transaction(
        kind="transfer",
        reference="by hand",
        postings=(debit(source, usdt(amount)), credit(target, usdt(amount))),
        effective_at=NOON,
    )
