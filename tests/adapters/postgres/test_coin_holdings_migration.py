"""What was left of gas at deposit addresses is told when the schema learns to ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import psycopg
import pytest

from adapters.postgres import documents, migrate
from domain.chains.instructions import FundGas, Instruction, SendMoney, SweepDeposit
from domain.chains.model import Fact, WalletCharged
from tests.builders import CHAIN, COIN, NOON, OTHER_CHAIN, USDT, address_of, coins, hash_of, usdt

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.postgres import PostgresServer

ONE, TWO = address_of("pi_01"), address_of("pi_02")
DEPOSITS, GAS = f"custody:{CHAIN}:deposits", f"custody:{CHAIN}:gas"
SUBMISSIONS: list[tuple[str, str, Instruction, int]] = [
    ("funded", "confirmed", FundGas(coins(500), ONE), 3),
    ("funded again", "confirmed", FundGas(coins(700), ONE), 3),
    ("not funded", "reverted", FundGas(coins(900), ONE), 3),
    ("on its way", "broadcast", FundGas(coins(900), ONE), 0),
    ("moved", "confirmed", SweepDeposit(usdt(5), ONE, 1), 40),
    ("reverted", "reverted", SweepDeposit(usdt(5), ONE, 1), 50),
    ("own coins", "confirmed", SweepDeposit(coins(90), TWO, 2), 60),
    ("payout", "confirmed", SendMoney(coins(90), ONE), 70),
]
"""Names, states, instructions, and what the network has taken for each."""
CHARGED = [
    ("rent", WalletCharged(coins(8), ONE), "final"),
    ("left over", WalletCharged(coins(-1), ONE), "final"),
    ("not yet", WalletCharged(coins(16), ONE), "seen"),
    ("hot wallet", WalletCharged(coins(32)), "final"),
]
BEFORE = {
    (CHAIN, ONE, USDT.id): 5,
    (CHAIN, TWO, COIN.id): 100,
    (OTHER_CHAIN, ONE, COIN.id): 9,
}
AFTER = BEFORE | {
    (CHAIN, ONE, COIN.id): 500 + 700 - 40 - 50 - 8 + 1,
    (CHAIN, TWO, COIN.id): 100 - 60,
}


@pytest.fixture
def before(postgres_server: PostgresServer) -> Iterator[str]:
    """A database of the schema before."""
    postgres_server.create_database("coin_holdings")
    dsn = postgres_server.dsn(database="coin_holdings")
    migrate.upgrade(dsn, revision="0022")
    with psycopg.connect(dsn) as connection:
        _fill(connection)
    yield dsn
    postgres_server.drop_database("coin_holdings")


def _fill(connection: psycopg.Connection) -> None:
    connection.execute("set session_replication_role = replica")  # No sums of what is booked.
    for id, state, instruction, cost in SUBMISSIONS:
        connection.execute(
            "insert into submission (id, chain, instruction, purpose, created_at, state)"
            " values (%s, %s, %s, %s, %s, %s)",
            (id, CHAIN, documents.write(instruction, Instruction), id, NOON, state),
        )
        if not cost:
            continue
        connection.execute(
            "insert into ledger_transaction (id, kind, reference, effective_at, booked_at)"
            " values (%(id)s, 'network_fee', %(id)s, %(at)s, %(at)s)",
            {"id": id, "at": NOON},
        )
        of_deposit = isinstance(instruction, SweepDeposit)
        fee = (("network_fees", cost), (DEPOSITS if of_deposit else GAS, -cost))
        for line, (account, amount) in enumerate(fee):
            connection.execute(
                "insert into posting (transaction_id, line, account, asset, amount)"
                " values (%s, %s, %s, %s, %s)",
                (id, line, account, COIN.id, amount),
            )
    for number, (name, fact, finality) in enumerate(CHARGED):
        connection.execute(
            """
            insert into observation (
                chain, transaction, position, block_number, block_hash, block_parent,
                block_time, fact, finality
            ) values (%s, %s, 0, %s, '0xb', '0xa', %s, %s, %s)
            """,
            (CHAIN, hash_of(name), number, NOON, documents.write(fact, Fact), finality),
        )
    for place, amount in BEFORE.items():
        connection.execute(
            "insert into deposit_holding (chain, address, asset, amount) values (%s, %s, %s, %s)",
            (*place, amount),
        )


def held(dsn: str) -> dict[tuple[str, str, str], int]:
    with psycopg.connect(dsn) as connection:
        rows = connection.execute("select chain, address, asset, amount from deposit_holding")
        return {(chain, address, asset): int(amount) for chain, address, asset, amount in rows}


def test_gas_of_ours_is_held_and_what_it_was_spent_on_is_not(before: str) -> None:
    migrate.upgrade(before)
    assert held(before) == AFTER

    migrate.downgrade(before, revision="0022")
    assert {place: amount for place, amount in held(before).items() if amount} == BEFORE
