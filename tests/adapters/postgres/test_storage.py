"""What only a real server does: real waiting, real failures."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
import psycopg
import pytest

from adapters.postgres.storage import PoolSettings
from domain.ledger.accounts import available, reserved
from domain.ledger.model import InsufficientFunds
from domain.shared.idempotency import KEY_LIFE, Answer, KeyInFlight
from domain.shared.ids import IntentId
from ports.unit_of_work import AlreadyExists, StorageUnavailable
from tests.builders import (
    MERCHANT,
    NOON,
    USDT,
    a_hold,
    a_merchant,
    an_event,
    an_intent,
    earned,
    paid_to,
    usdt,
)
from tests.contracts.storage import given, given_merchants
from tests.support.postgres import end_sessions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Awaitable, Callable

    from adapters.postgres.storage import PostgresStorage
    from ports.unit_of_work import Begin, UnitOfWork

ANSWER = Answer(fingerprint=b"f", body=b"{}")
PATIENCE_SECONDS = 10


@pytest.fixture
async def impatient(storage: PostgresStorage) -> AsyncIterator[PostgresStorage]:
    """A second storage on the same database that waits for nothing long."""
    settings = PoolSettings(
        connections_min=1,
        connections_max=1,
        wait_seconds=0.2,
        lock_timeout_ms=50,
        statement_timeout_ms=200,
    )
    impatient = attrs.evolve(storage, settings=settings)
    await impatient.open()
    yield impatient
    await impatient.close()


async def test_who_locks_an_intent_second_sees_what_the_first_has_made_of_it(
    begin: Begin,
) -> None:
    await given_merchants(begin)
    await given(begin, an_intent())
    intent_id = IntentId("pi_01")
    async with begin() as first:
        intent = await first.intents.lock(intent_id, owner=None)

        async def second() -> int:
            async with begin() as work:
                return (await work.intents.lock(intent_id, owner=MERCHANT)).received

        waiting = asyncio.create_task(second())
        done, _ = await asyncio.wait([waiting], timeout=0.1)
        assert not done
        await first.intents.save(attrs.evolve(intent, received=7))
        await first.commit()
    assert await asyncio.wait_for(waiting, PATIENCE_SECONDS) == 7


async def test_of_many_overdrawers_as_many_win_as_there_is_money_for(begin: Begin) -> None:
    await given(begin, earned(30))

    results = await asyncio.gather(
        *(given(begin, paid_to(reserved(MERCHANT), 7)) for _ in range(12)),
        return_exceptions=True,
    )

    assert results.count(None) == 4
    refused = [it for it in results if it is not None]
    assert all(isinstance(it, InsufficientFunds) for it in refused)
    async with begin() as work:
        assert await work.ledger.kept_balances() == await work.ledger.balances(prefix="merchant:")


async def test_sixteen_at_once_number_events_without_gaps(begin: Begin) -> None:
    async def tell(name: int) -> None:
        for turn in range(8):
            await given(begin, an_event(f"{name}/{turn}"))

    await asyncio.gather(*(tell(name) for name in range(16)))

    async with begin() as work:
        recorded = await work.events.after(owner=MERCHANT, sequence=0, limit=999)
        assert [it.sequence for it in recorded] == [*range(1, 129)]
        assert len({it.id for it in recorded}) == 128


async def test_events_hold_their_merchants_counter_only_for_the_commit(begin: Begin) -> None:
    async with asyncio.timeout(PATIENCE_SECONDS), begin() as slow:
        await slow.events.record(an_event("slow"))
        await slow.merchants.add(a_merchant())
        await slow.merchants.get(MERCHANT)
        await given(begin, an_event("quick"))
        await slow.commit()

    async with begin() as work:
        recorded = await work.events.after(owner=MERCHANT, sequence=0, limit=9)
        assert [it.event.object_id for it in recorded] == ["quick", "slow"]


async def test_of_duplicates_in_flight_one_is_carried_out(begin: Begin) -> None:
    async def request() -> str:
        async with begin() as work:
            answer = await work.idempotency.claim(owner=MERCHANT, key="k-1", life=KEY_LIFE)
            if answer is not None:
                return "replayed"
            await work.events.record(an_event())
            await asyncio.sleep(0.01)
            await work.idempotency.keep(owner=MERCHANT, key="k-1", answer=ANSWER)
            await work.commit()
            return "carried out"

    results = await asyncio.gather(*(request() for _ in range(12)), return_exceptions=True)

    assert results.count("carried out") == 1
    others = [it for it in results if it != "carried out"]
    assert all(it == "replayed" or isinstance(it, KeyInFlight) for it in others)
    assert await request() == "replayed"


async def test_each_of_many_jobs_is_claimed_by_one_of_many_runners(begin: Begin) -> None:
    async with begin() as work:
        for n in range(60):
            await work.jobs.enqueue(f"job {n}", run_at=NOON)
        await work.commit()

    async def run() -> list[str]:
        taken: list[str] = []
        for _ in range(30):
            async with begin() as work:
                jobs = await work.jobs.claim(at=NOON, limit=3, lease=timedelta(minutes=1))
                await work.commit()
            taken += [job.name for job in jobs]
        return taken

    taken = await asyncio.gather(*(run() for _ in range(6)))
    assert sorted(name for names in taken for name in names) == sorted(
        f"job {n}" for n in range(60)
    )


async def test_jobs_that_another_has_locked_are_passed_over(begin: Begin) -> None:
    async with begin() as work:
        for n in range(4):
            await work.jobs.enqueue(f"job {n}", run_at=NOON + timedelta(seconds=n))
        await work.commit()

    minute = timedelta(minutes=1)
    async with asyncio.timeout(PATIENCE_SECONDS), begin() as one, begin() as other:
        at = NOON + minute
        first = await one.jobs.claim(at=at, limit=2, lease=minute)
        rest = await other.jobs.claim(at=at, limit=9, lease=minute)
    assert [job.name for job in first] == ["job 0", "job 1"]
    assert [job.name for job in rest] == ["job 2", "job 3"]


@pytest.mark.parametrize(
    ("write", "kind", "id"),
    [
        (lambda work: work.merchants.add(a_merchant()), "merchant", "mer_01"),
        (lambda work: work.intents.add(an_intent()), "intent", "pi_01"),
        (lambda work: work.ledger.add_hold(a_hold()), "hold", "hold_01"),
    ],
)
async def test_what_exists_already_is_named(
    begin: Begin, write: Callable[[UnitOfWork], Awaitable[None]], kind: str, id: str
) -> None:
    await given_merchants(begin)
    await given(begin, an_intent(), a_hold())

    async def write_again() -> None:
        async with begin() as work:
            await work.events.record(an_event())
            await write(work)
            await work.commit()

    with pytest.raises(AlreadyExists) as refusal:
        await write_again()
    assert (refusal.value.kind, refusal.value.id) == (kind, id)
    assert isinstance(refusal.value.__cause__, psycopg.errors.UniqueViolation)


async def test_an_overdraft_among_other_writes_undoes_them_all(begin: Begin) -> None:
    with pytest.raises(InsufficientFunds) as refusal:
        await given(begin, a_merchant(), an_event(), paid_to(reserved(MERCHANT), 5))

    assert (refusal.value.account, refusal.value.asset) == (available(MERCHANT), USDT.id)
    async with begin() as work:
        assert await work.merchants.all() == []
        assert await work.events.after(owner=MERCHANT, sequence=0, limit=9) == []


async def test_a_lost_connection_is_storage_unavailable_and_the_next_one_works(
    begin: Begin, postgres_dsn: str
) -> None:
    async with begin() as work:
        await work.merchants.add(a_merchant())
        assert len(await work.merchants.all()) == 1
        await end_sessions(postgres_dsn)
        with pytest.raises(StorageUnavailable):
            await work.commit()

    for _ in range(20):
        try:
            await given(begin, a_merchant())
        except StorageUnavailable:
            continue
        break
    async with begin() as work:
        assert await work.merchants.all() == [a_merchant()]


async def test_a_lock_that_does_not_come_free_is_storage_unavailable(
    begin: Begin, impatient: PostgresStorage
) -> None:
    await given(begin, earned(5))
    async with begin() as holder:
        await holder.ledger.lock_balance(available(MERCHANT), USDT.id)
        with pytest.raises(StorageUnavailable):
            await given(impatient.begin, earned(1))

    await given(impatient.begin, earned(1))
    async with begin() as work:
        assert (await work.ledger.balances(prefix="merchant:"))[0].money == usdt(6)


async def test_a_pool_without_a_free_connection_is_storage_unavailable(
    impatient: PostgresStorage,
) -> None:
    async with impatient.begin() as work:
        await work.merchants.all()
        with pytest.raises(StorageUnavailable):
            await given(impatient.begin, a_merchant())


async def test_a_server_that_is_not_there_is_storage_unavailable(
    storage: PostgresStorage,
) -> None:
    nowhere = attrs.evolve(
        storage,
        dsn="postgresql:///nothing?host=%2Fnowhere",
        settings=PoolSettings(connections_min=1, wait_seconds=0.2),
    )
    try:
        with pytest.raises(StorageUnavailable):
            await nowhere.open()
    finally:
        await nowhere.close()


async def test_sessions_are_set_up_as_the_settings_say(
    impatient: PostgresStorage,
) -> None:
    async with impatient._pool.connection() as connection:
        cursor = await connection.execute(
            """
            select current_setting('TimeZone') as zone,
                current_setting('synchronous_commit') as durable,
                current_setting('statement_timeout') as statement,
                current_setting('lock_timeout') as lock,
                current_setting('idle_in_transaction_session_timeout') as idle,
                current_setting('default_transaction_isolation') as isolation
            """
        )
        assert await cursor.fetchone() == {
            "zone": "UTC",
            "durable": "on",
            "statement": "200ms",
            "lock": "50ms",
            "idle": "30s",
            "isolation": "read committed",
        }


async def test_a_long_unit_of_work_is_sent_in_parts(begin: Begin) -> None:
    async with begin() as work:
        for n in range(40):
            await work.merchants.add(a_merchant(f"mer_{n:02d}"))
        await work.merchants.save(a_merchant("mer_07", name="Renamed"))
        await work.merchants.save(a_merchant("mer_07", name="Renamed again"))
        await work.commit()

    async with begin() as work:
        merchants = await work.merchants.all()
    assert len(merchants) == 40
    assert merchants[7].name == "Renamed again"


async def test_an_error_that_was_caught_is_raised_again_by_the_commit(begin: Begin) -> None:
    async with begin() as work:
        await work.merchants.add(a_merchant())
        await work.ledger.book(paid_to(reserved(MERCHANT), 5))
        with pytest.raises(InsufficientFunds):
            await work.merchants.all()
        with pytest.raises(InsufficientFunds):
            await work.commit()


async def test_one_connection_is_enough(storage: PostgresStorage) -> None:
    narrow = attrs.evolve(storage, settings=PoolSettings(connections_max=1))
    await narrow.open()
    await asyncio.gather(*(given(narrow.begin, an_event(str(n))) for n in range(4)))
    async with narrow.begin() as work:
        assert len(await work.events.after(owner=MERCHANT, sequence=0, limit=9)) == 4
    await narrow.close()


async def test_a_deposit_index_is_drawn_again_only_if_it_was_certainly_not_used(
    begin: Begin, postgres_dsn: str
) -> None:
    async with begin() as undone:
        assert await undone.intents.next_deposit_index() == 0
    await given(begin, a_merchant())
    with pytest.raises(AlreadyExists):
        await _draw_and_add(begin, index=0)

    async with begin() as lost:
        assert await lost.intents.next_deposit_index() == 0
        await lost.merchants.add(a_merchant("mer_02"))
        await lost.merchants.all()
        await end_sessions(postgres_dsn)
        with pytest.raises(StorageUnavailable):
            await lost.commit()

    async with begin() as committed:
        assert await committed.intents.next_deposit_index() == 1
        await committed.commit()
    async with begin() as after:
        assert await after.intents.next_deposit_index() == 2


async def _draw_and_add(begin: Begin, *, index: int) -> None:
    """Draw a deposit index in a unit of work that the commit refuses."""
    async with begin() as work:
        assert await work.intents.next_deposit_index() == index
        await work.merchants.add(a_merchant())
        await work.commit()
