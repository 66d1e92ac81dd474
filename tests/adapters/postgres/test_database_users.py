"""The users of docs/operations/database.md, made as it says, on a server that makes no others."""

from __future__ import annotations

import re
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from adapters.postgres import migrate
from adapters.postgres.storage import API_ROLE, PoolSettings, PostgresStorage
from adapters.system.clock import SystemClock
from adapters.system.ids import RandomIds
from domain.shared.actors import Actor, ActorKind, acting_as
from tests.builders import MERCHANT, a_merchant, an_event
from tests.contracts.storage import given

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.postgres import PostgresServer

PAGE = Path(__file__).parents[3] / "docs" / "operations" / "database.md"
NAME = "managed"
PASSWORD = "of tests"
OWNER, API = "gateway", "gateway_api"


@pytest.fixture
def managed(postgres_server: PostgresServer) -> Iterator[str]:
    """Yield the URL of an empty database for which an administrator has made the page's users."""
    found = re.search(r"```sql roles\n(.*?)```", PAGE.read_text(), re.DOTALL)
    assert found is not None
    said = found[1].replace("database switchyard", f"database {NAME}").replace("…", PASSWORD)
    postgres_server.create_database(NAME)
    dsn = postgres_server.dsn(database=NAME)
    with psycopg.connect(dsn, autocommit=True) as administrator:
        for statement in re.sub(r"--.*", "", said).split(";"):
            # The role is there where another database of the server has been migrated.
            with suppress(psycopg.errors.DuplicateObject):
                administrator.execute(statement.encode())
    yield dsn
    postgres_server.drop_database(NAME)
    with psycopg.connect(postgres_server.url, autocommit=True) as administrator:
        for user in (API, OWNER):
            administrator.execute(f"drop owned by {user}; drop role {user}".encode())


async def test_the_page_makes_users_that_are_enough(managed: str) -> None:
    owner = make_conninfo(managed, user=OWNER, password=PASSWORD)
    api = make_conninfo(managed, user=API, password=PASSWORD)
    migrate.upgrade(owner)
    workers = PostgresStorage(dsn=owner, clock=SystemClock(), ids=RandomIds())
    confined = PostgresStorage(
        dsn=api, clock=SystemClock(), ids=RandomIds(), settings=PoolSettings(role=API_ROLE)
    )
    await workers.open()
    await confined.open()
    try:
        await given(workers.begin, a_merchant(), a_merchant("mer_02"))
        key = Actor(kind=ActorKind.KEY, id="key_1", action="GET /v1/x", merchant_id=MERCHANT)
        with acting_as(key):
            await given(confined.begin, an_event())
            async with confined.begin() as work:
                assert [it.id for it in await work.merchants.all()] == [MERCHANT]
    finally:
        await workers.close()
        await confined.close()

    with psycopg.connect(api, autocommit=True) as connection:
        assert connection.execute("select count(*) from merchant").fetchone() == (0,)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(f"set role {OWNER}".encode())
    migrate.downgrade(owner, revision="0019")
    with psycopg.connect(owner) as connection:
        assert connection.execute("select count(*) from merchant").fetchone() == (2,)
        assert connection.execute("select count(*) from pg_policy").fetchone() == (0,)


async def test_one_user_for_all_needs_the_grant_alone(managed: str) -> None:
    with psycopg.connect(managed, autocommit=True) as administrator:
        administrator.execute(f"grant {API_ROLE} to {OWNER}".encode())
    owner = make_conninfo(managed, user=OWNER, password=PASSWORD)
    migrate.upgrade(owner)

    confined = PostgresStorage(
        dsn=owner, clock=SystemClock(), ids=RandomIds(), settings=PoolSettings(role=API_ROLE)
    )
    await confined.open()
    try:
        async with confined.begin() as work:
            assert await work.merchants.all() == []
    finally:
        await confined.close()
