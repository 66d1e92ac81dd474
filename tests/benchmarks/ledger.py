"""Transactions of three postings, booked and sealed, beside the same rows by hand-written SQL."""

from __future__ import annotations

import asyncio
import itertools
import secrets
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs
from psycopg import AsyncRawCursor
from psycopg_pool import AsyncConnectionPool

from domain.ledger.accounts import PLATFORM_FEES, Account, available, suspense
from domain.ledger.model import Transaction, credit, debit
from domain.ledger.sealing import Sealing
from domain.shared.ids import MerchantId
from domain.shared.money import AssetId, Money
from tests.benchmarks.processes import cpu_seconds
from tests.benchmarks.report import Figure, expect
from tests.benchmarks.world import operating, run

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from domain.ledger.accounts import Account
    from ports.unit_of_work import Begin
    from tests.benchmarks.world import Bench, World

CONNECTIONS = 16
ACCOUNTS = 10_000
BATCH = 100
GROSS, NET, FEE = 10_000, 9_750, 250
_BARE = """
with booked as (
    insert into ledger_transaction (id, kind, reference, effective_at, booked_at)
    values ($1, 'capture', $1, now(), now())
), kept as (
    insert into balance values ($3, $5, 9750)
    on conflict (account, asset) do update set amount = balance.amount + 9750
)
insert into posting (transaction_id, line, account, asset, amount)
values ($1, 0, $2, $5, 10000), ($1, 1, $3, $5, -9750), ($1, 2, $4, $5, -250)
"""


@attrs.frozen(kw_only=True)
class Traffic:
    """Who the money of a measurement goes to."""

    merchants: int
    fee_accounts: int
    batch: int = 1

    def parties(self, number: int) -> tuple[Account, Account]:
        """Return the accounts of a merchant and of the fee."""
        merchant = available(MerchantId(f"mer_{number % self.merchants}"))
        if self.fee_accounts == 1:
            return merchant, PLATFORM_FEES
        return merchant, suspense(f"fee_{number % self.fee_accounts}")


@attrs.frozen
class Booked:
    """How many transactions were booked, how fast, and at what cost in CPU seconds."""

    transactions: int
    seconds: float
    cpu_seconds: float

    @property
    def per_second(self) -> float:
        """Transactions per second."""
        return self.transactions / self.seconds

    def and_also(self, other: Booked) -> Booked:
        """Return both measurements as one."""
        return Booked(
            self.transactions + other.transactions,
            self.seconds + other.seconds,
            self.cpu_seconds + other.cpu_seconds,
        )


SPREAD = Traffic(merchants=ACCOUNTS, fee_accounts=ACCOUNTS)
HOT_FEE = Traffic(merchants=ACCOUNTS, fee_accounts=1)
HOT_MERCHANT = Traffic(merchants=1, fee_accounts=1)


def measure(bench: Bench) -> Iterator[Figure]:
    """Book one transaction a commit and a hundred, with and without an account that all meet."""
    seconds = bench.seconds
    with bench.world() as world:
        bare = run(_bare(world, SPREAD, seconds))
        spread, hot_fee = run(_beside(world, SPREAD, HOT_FEE, seconds))
        hot_merchant = run(_booked(world, HOT_MERCHANT, seconds))
        batches = attrs.evolve(SPREAD, batch=BATCH), attrs.evolve(HOT_FEE, batch=BATCH)
        batch, hot_batch = run(_beside(world, *batches, seconds))
        sealed = run(_sealed(world, seconds))
    for name, booked, reference, against in (
        ("one a commit, spread", spread, bare, "the same rows by one hand-written statement"),
        ("one a commit, one fee account", hot_fee, spread, "spread over fee accounts"),
        ("one a commit, one merchant", hot_merchant, hot_fee, "spread over merchants"),
        (f"{BATCH} a commit, spread", batch, spread, "one a commit"),
        (f"{BATCH} a commit, one fee account", hot_batch, batch, "spread over fee accounts"),
    ):
        yield Figure(
            name=f"ledger/{name}",
            value=booked.per_second,
            unit="transactions/s",
            reference=reference.per_second,
            against=against,
            cpu_seconds=booked.cpu_seconds,
        )
    yield Figure(
        name="ledger/sealed",
        value=sealed.per_second,
        unit="transactions/s",
        reference=hot_batch.per_second,
        against=f"{BATCH} a commit, one fee account",
        cpu_seconds=sealed.cpu_seconds,
    )


async def _beside(
    world: World, one: Traffic, other: Traffic, seconds: float
) -> tuple[Booked, Booked]:
    """Measure one, the other twice, and the one again: tables grow while they are measured."""
    first, *others, last = [
        await _booked(world, traffic, seconds / 2) for traffic in (one, other, other, one)
    ]
    return first.and_also(last), others[0].and_also(others[1])


async def _booked(world: World, traffic: Traffic, seconds: float) -> Booked:
    """Book by units of work of the product's, then check all the books."""
    run_id = secrets.token_hex(6)
    asset = AssetId(world.demo.asset)
    async with operating(world) as services:
        begin: Begin = services.books.begin

        async def book(first: int) -> None:
            async with begin() as work:
                numbers = range(first, first + traffic.batch)
                await work.ledger.book(
                    *(_capture(f"{run_id}_{each}", traffic, each, asset) for each in numbers)
                )
                await work.commit()

        booked = await _meter(world, book, batch=traffic.batch, seconds=seconds)
        expect("findings in the books", expected=[], found=[*await services.books.check()])
    return booked


async def _sealed(world: World, seconds: float) -> Booked:
    """Seal what was booked, by one sealer, for a time or until all is sealed."""
    postmaster = world.postmaster()
    async with operating(world) as services:
        sealing = Sealing(services.books.begin)
        cpu = time.process_time() + cpu_seconds(postmaster)
        began = time.perf_counter()
        done = last = await sealing.seal()
        while last and time.perf_counter() - began < seconds:
            last = await sealing.seal()
            done += last
        took = time.perf_counter() - began
        spent = time.process_time() + cpu_seconds(postmaster) - cpu
    expect("seals", expected=done, found=world.count("select count(*) from ledger_seal"))
    return Booked(done, took, spent)


async def _bare(world: World, traffic: Traffic, seconds: float) -> Booked:
    run_id = secrets.token_hex(6)
    async with AsyncConnectionPool(
        world.dsn,
        min_size=CONNECTIONS,
        max_size=CONNECTIONS,
        kwargs={"autocommit": True, "cursor_factory": AsyncRawCursor},
        open=False,
    ) as pool:

        async def book(number: int) -> None:
            merchant, fee = traffic.parties(number)
            parameters = [
                f"bare_{run_id}_{number}", suspense("evm"), merchant, fee, world.demo.asset,
            ]  # fmt: skip
            async with pool.connection() as connection:
                await connection.execute(_BARE.encode(), parameters)

        return await _meter(world, book, batch=1, seconds=seconds)


async def _meter(
    world: World, book: Callable[[int], Awaitable[None]], *, batch: int, seconds: float
) -> Booked:
    """Book over all connections until the time is over; every booking must be there then."""
    numbers = itertools.count(step=batch)
    before = world.count("select count(*) from ledger_transaction")
    postmaster = world.postmaster()
    cpu = time.process_time() + cpu_seconds(postmaster)
    began = time.perf_counter()
    done = 0

    async def book_on() -> None:
        nonlocal done
        while time.perf_counter() - began < seconds:
            await book(next(numbers))
            done += batch

    async with asyncio.TaskGroup() as tasks:
        for _ in range(CONNECTIONS):
            tasks.create_task(book_on())
    took = time.perf_counter() - began
    spent = time.process_time() + cpu_seconds(postmaster) - cpu
    found = world.count("select count(*) from ledger_transaction") - before
    expect("booked transactions", expected=done, found=found)
    return Booked(done, took, spent)


def _capture(reference: str, traffic: Traffic, number: int, asset: AssetId) -> Transaction:
    merchant, fee = traffic.parties(number)
    return Transaction(
        kind="capture",
        reference=reference,
        postings=(
            debit(suspense("evm"), Money(GROSS, asset)),
            credit(merchant, Money(NET, asset)),
            credit(fee, Money(FEE, asset)),
        ),
        effective_at=datetime.now(UTC),
    )
