"""What deposit addresses held before there were sweeps is found when the schema learns of them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest
from psycopg.types.json import Jsonb

from adapters.postgres import documents, migrate
from domain.chains.model import EscrowPaid, Fact, Transfer
from domain.shared.ids import EscrowId
from tests.builders import CHAIN, NOON, OTHER_CHAIN, USDT, address_of, hash_of, usdt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.postgres import PostgresServer

BIG = 2**250


@pytest.fixture
def before(postgres_server: PostgresServer) -> Iterator[str]:
    """A database of the schema before."""
    postgres_server.create_database("sweeps")
    dsn = postgres_server.dsn(database="sweeps")
    migrate.upgrade(dsn, revision="0004")
    yield dsn
    postgres_server.drop_database("sweeps")


def paid(to: str, amount: int) -> Transfer:
    return Transfer(usdt(amount), address_of("payer"), address_of(to))


def test_final_payments_to_deposit_addresses_are_what_they_hold(before: str) -> None:
    observed = [
        (CHAIN, paid("pi_01", BIG), "final"),
        (CHAIN, paid("pi_01", 7), "final"),
        (CHAIN, paid("pi_01", 1), "seen"),
        (CHAIN, paid("pi_01", 2), "retracted"),
        (CHAIN, paid("hot", 3), "final"),
        (OTHER_CHAIN, paid("pi_01", 4), "final"),
        (
            CHAIN,
            EscrowPaid(EscrowId(hash_of("x")), "pi_01", address_of("payer"), usdt(5)),
            "final",
        ),
    ]
    with psycopg.connect(before) as connection:
        connection.execute("set session_replication_role = replica")  # No quote, no merchant.
        connection.execute(
            """
            insert into payment_intent (
                id, merchant_id, price_amount, price_asset, due_amount, due_asset, quote_id,
                method, pay_to, fees, policy, created_at, expires_at, attempt, status, exception,
                received, final, captured, metadata
            ) values (
                'pi_01', 'mer_01', 1, 'iso4217:USD', 1, %s, 'qt_01', 'address', %s, '{}', '{}',
                %s, %s, '{}', 'succeeded', 'none', 1, 1, 1, '{}'
            )
            """,
            (
                USDT.id,
                Jsonb({"chain": CHAIN, "address": address_of("pi_01"), "index": 1}),
                NOON,
                NOON,
            ),
        )
        for number, (chain, fact, finality) in enumerate(observed):
            connection.execute(
                """
                insert into observation (
                    chain, transaction, position, block_number, block_hash, block_parent,
                    block_time, fact, finality
                ) values (%s, %s, 0, %s, '0xb', '0xa', %s, %s, %s)
                """,
                (
                    chain,
                    hash_of(str(number)),
                    number,
                    NOON,
                    documents.write(fact, Fact),
                    finality,
                ),
            )

    migrate.upgrade(before)

    with psycopg.connect(before) as connection:
        held = connection.execute("select chain, address, asset, amount from deposit_holding")
        assert held.fetchall() == [(CHAIN, address_of("pi_01"), USDT.id, BIG + 7)]
