"""Decisions about suspense, over storage in PostgreSQL, which lets none be changed."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from tests.contracts.suspense import a_decision, an_item, kept
from tests.contracts.suspense_assigned import AssignmentContract
from tests.contracts.suspense_refusals import RefusalsContract
from tests.contracts.suspense_returned import GivingBackContract
from tests.domain.shared_wallet import new_shared_wallet

if TYPE_CHECKING:
    from adapters.postgres.storage import PostgresStorage
    from tests.domain.shared_wallet import SharedWallet


class Stored:
    @pytest.fixture
    async def wallet(self, storage: PostgresStorage) -> SharedWallet:
        return await new_shared_wallet(begin=storage.begin)


class TestAssignment(Stored, AssignmentContract): ...


class TestGivingBack(Stored, GivingBackContract): ...


class TestRefusals(Stored, RefusalsContract): ...


@pytest.mark.parametrize(
    "statement",
    [
        "update suspense_decision set note = 'another'",
        "delete from suspense_decision",
        "truncate suspense_decision",
        "delete from suspense_item",
    ],
)
async def test_what_was_decided_is_never_changed(
    storage: PostgresStorage, postgres_dsn: str, statement: str
) -> None:
    item = an_item()
    await kept(storage.begin, item)
    async with storage.begin() as work:
        await work.suspense.record(a_decision(item))
        await work.commit()

    with psycopg.connect(postgres_dsn) as connection, pytest.raises(psycopg.IntegrityError):
        connection.execute(statement)
