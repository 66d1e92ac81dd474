"""The storage as the API's process has it: told whose rows it may show, and shown no others."""

from __future__ import annotations

import asyncio
import contextlib
from typing import TYPE_CHECKING

import attrs
import psycopg
import pytest

from adapters.postgres.storage import API_ROLE, PoolSettings
from domain.intents.model import DepositAddress
from domain.shared.actors import Actor, ActorKind, acting_as
from domain.shared.ids import IntentId
from domain.shared.visibility import EVERYBODY, NOBODY, seeing_all, shown
from ports.unit_of_work import AlreadyExists, NotFound, StorageUnavailable
from tests.builders import (
    CHAIN,
    MERCHANT,
    OTHER_MERCHANT,
    a_merchant,
    a_quote,
    address_of,
    an_event,
    an_intent,
)
from tests.contracts.events import EventLogContract
from tests.contracts.idempotency import IdempotencyKeysContract
from tests.contracts.key_usage import KeyUsageContract
from tests.contracts.merchants import MerchantsContract
from tests.contracts.storage import given
from tests.contracts.unit_of_work import UnitOfWorkContract
from tests.support.postgres import end_sessions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from adapters.postgres.storage import PostgresStorage
    from domain.shared.ids import MerchantId
    from ports.unit_of_work import Begin, UnitOfWork

OWNED = {MERCHANT: IntentId("pi_ones"), OTHER_MERCHANT: IntentId("pi_others")}
OPERATOR = Actor(kind=ActorKind.OPERATOR, id="olga", action="GET /v1/ops/queues")


def key_of(merchant: MerchantId) -> Actor:
    return Actor(kind=ActorKind.KEY, id="key_1", action="GET /v1/x", merchant_id=merchant)


@pytest.fixture
async def confined(storage: PostgresStorage) -> AsyncIterator[PostgresStorage]:
    """Yield a pool of one connection, which serves everybody; each merchant has an intent."""
    for index, (merchant, intent) in enumerate(OWNED.items()):
        quote = a_quote(f"qt_{intent}", merchant_id=merchant)
        made = an_intent(
            intent,
            merchant_id=merchant,
            quote_id=quote.id,
            pay_to=DepositAddress(CHAIN, address_of(intent), index),
        )
        await given(storage.begin, a_merchant(merchant), quote, made)
    confined = attrs.evolve(storage, settings=PoolSettings(connections_max=1, role=API_ROLE))
    await confined.open()
    yield confined
    await confined.close()


async def seen(begin: Begin) -> set[MerchantId]:
    """Return whose intents a query shows that names no owner, as no query of the API's should."""
    found = set()
    async with begin() as work:
        for merchant, intent in OWNED.items():
            with contextlib.suppress(NotFound):
                found.add((await work.intents.get(intent, owner=None)).merchant_id)
                assert merchant in found
    return found


async def test_each_sees_his_own_operators_all_and_nobody_nothing(
    confined: PostgresStorage,
) -> None:
    assert await seen(confined.begin) == set()
    for merchant in (MERCHANT, OTHER_MERCHANT, MERCHANT):
        with acting_as(key_of(merchant)):
            assert shown() == merchant
            assert await seen(confined.begin) == {merchant}
    with acting_as(OPERATOR):
        assert shown() == EVERYBODY
        assert await seen(confined.begin) == set(OWNED)
    with acting_as(key_of(MERCHANT)), seeing_all():
        assert await seen(confined.begin) == set(OWNED)
    assert shown() == NOBODY
    assert await seen(confined.begin) == set()


async def test_whoever_runs_as_the_owner_sees_all(
    storage: PostgresStorage, confined: PostgresStorage
) -> None:
    assert await seen(storage.begin) == set(OWNED)
    with acting_as(key_of(MERCHANT)):
        assert await seen(storage.begin) == set(OWNED)
    assert confined.settings.role == API_ROLE


async def test_many_at_once_on_one_connection_see_their_own(confined: PostgresStorage) -> None:
    async def look(merchant: MerchantId) -> None:
        with acting_as(key_of(merchant)):
            for _ in range(20):
                assert await seen(confined.begin) == {merchant}
                await given(confined.begin, an_event(merchant_id=merchant))

    await asyncio.gather(*(look(merchant) for merchant in [*OWNED] * 4))

    for merchant in OWNED:
        with acting_as(key_of(merchant)):
            async with confined.begin() as work:
                assert await work.events.last(owner=merchant) == 80


async def test_another_merchants_rows_are_not_changed(confined: PostgresStorage) -> None:
    with acting_as(key_of(MERCHANT)):
        with pytest.raises(NotFound):
            async with confined.begin() as work:
                await work.intents.lock(OWNED[OTHER_MERCHANT], owner=None)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await given(confined.begin, an_event(merchant_id=OTHER_MERCHANT))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            await given(confined.begin, a_quote("qt_x", merchant_id=OTHER_MERCHANT))
        assert await seen(confined.begin) == {MERCHANT}


async def test_what_a_rollback_takes_back_is_told_again(confined: PostgresStorage) -> None:
    for merchant, other in ((MERCHANT, OTHER_MERCHANT), (OTHER_MERCHANT, MERCHANT)):
        with acting_as(key_of(other)):
            assert await seen(confined.begin) == {other}
        with acting_as(key_of(merchant)):
            async with confined.begin() as work:
                # A lock begins a transaction, in which the word is given; it is not committed.
                await work.intents.lock(OWNED[merchant], owner=merchant)
            assert await seen(confined.begin) == {merchant}


async def test_what_a_refused_commit_takes_back_is_told_again(confined: PostgresStorage) -> None:
    with acting_as(key_of(OTHER_MERCHANT)):
        assert await seen(confined.begin) == {OTHER_MERCHANT}
    with acting_as(key_of(MERCHANT)):
        with pytest.raises(AlreadyExists):
            await given(confined.begin, an_event(), a_quote(f"qt_{OWNED[MERCHANT]}"))
        assert await seen(confined.begin) == {MERCHANT}


async def test_a_new_connection_is_told_anew(confined: PostgresStorage, postgres_dsn: str) -> None:
    with acting_as(key_of(MERCHANT)):
        assert await seen(confined.begin) == {MERCHANT}
        await end_sessions(postgres_dsn)
        for _ in range(20):
            try:
                found = await seen(confined.begin)
            except StorageUnavailable:
                continue  # The connection that was ended is thrown away.
            break
        assert found == {MERCHANT}


TESTER = "switchyard_tester"
"""A role under the API's policies that may write what suites write, and the API need not."""


@pytest.fixture(scope="module")
def tester(postgres_database: str) -> Iterator[str]:
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(f"create role {TESTER} in role {API_ROLE}".encode())
        connection.execute(f"grant all on all tables in schema public to {TESTER}".encode())
    yield TESTER
    with psycopg.connect(postgres_database, autocommit=True) as connection:
        connection.execute(f"drop owned by {TESTER}".encode())
        connection.execute(f"drop role {TESTER}".encode())


class Confined:
    """The suites of what the API's process writes, for an operator: they have many merchants."""

    @pytest.fixture
    async def begin(self, storage: PostgresStorage, tester: str) -> AsyncIterator[Begin]:
        settings = PoolSettings(connections_min=1, connections_max=4, role=tester)
        confined = attrs.evolve(storage, settings=settings)

        @contextlib.asynccontextmanager
        async def begin() -> AsyncIterator[UnitOfWork]:
            with acting_as(OPERATOR):
                async with confined.begin() as work:
                    yield work

        await confined.open()
        yield begin
        await confined.close()


class TestUnitOfWork(Confined, UnitOfWorkContract): ...


class TestMerchants(Confined, MerchantsContract): ...


class TestKeyUsage(Confined, KeyUsageContract): ...


class TestEventLog(Confined, EventLogContract): ...


class TestIdempotencyKeys(Confined, IdempotencyKeysContract): ...
