"""What was in flight before numbers came back is known to have been numbered without gaps."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from adapters.postgres import documents, migrate
from domain.chains.instructions import Instruction, SendMoney, SweepDeposit
from tests.builders import CHAIN, NOON, address_of, usdt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.postgres import PostgresServer

TON = "ton:-3"
PAYOUT = SendMoney(usdt(1), address_of("merchant"))
SWEEP = SweepDeposit(usdt(1), address_of("pi_01"), 1)
ROWS: list[tuple[str, str, str, Instruction, bool]] = [
    ("sweep", TON, "broadcast", SWEEP, True),
    ("payout", TON, "broadcast", PAYOUT, False),
    ("queued", TON, "queued", SWEEP, False),
    ("elsewhere", CHAIN, "unknown", PAYOUT, True),
    ("done", TON, "confirmed", SWEEP, False),
]
"""Names, chains, states, instructions, and whether they are known to have no gaps after that."""


@pytest.fixture
def before(postgres_server: PostgresServer) -> Iterator[str]:
    """A database of the schema before."""
    postgres_server.create_database("sending")
    dsn = postgres_server.dsn(database="sending")
    migrate.upgrade(dsn, revision="0007")
    yield dsn
    postgres_server.drop_database("sending")


def test_sweeps_in_flight_are_numbered_without_gaps(before: str) -> None:
    with psycopg.connect(before) as connection:
        for id, chain, state, instruction, _ in ROWS:
            connection.execute(
                "insert into submission (id, chain, instruction, purpose, created_at, state)"
                " values (%s, %s, %s, %s, %s, %s)",
                (id, chain, documents.write(instruction, Instruction), id, NOON, state),
            )

    migrate.upgrade(before)

    with psycopg.connect(before) as connection:
        found = connection.execute("select id, gapless from submission").fetchall()
    assert dict(found) == {id: gapless for id, *_, gapless in ROWS}
