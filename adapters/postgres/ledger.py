"""The books in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import bindparam, select
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.book_queries import PostgresBookQueries
from adapters.postgres.booking import runs
from adapters.postgres.holds import PostgresHolds
from adapters.postgres.seals import PostgresSeals
from adapters.postgres.statements import compiled
from adapters.postgres.tables.ledger import BALANCE
from adapters.postgres.values import PostgresValues
from domain.shared.money import Money
from ports.clock import Clock
from ports.ids import Ids

if TYPE_CHECKING:
    from domain.ledger.accounts import Account
    from domain.ledger.model import Transaction
    from domain.shared.money import AssetId

_LOCK_BALANCE = compiled(
    select(BALANCE.c.amount)
    .where(BALANCE.c.account == bindparam("account"), BALANCE.c.asset == bindparam("asset"))
    .with_for_update()
)
_LOCK_NEW_BALANCE = compiled(
    insert(BALANCE)
    .values(account=bindparam("account"), asset=bindparam("asset"), amount=0)
    .on_conflict_do_update(
        index_elements=[BALANCE.c.account, BALANCE.c.asset], set_={"amount": BALANCE.c.amount}
    )
    .returning(BALANCE.c.amount)
)


@attrs.frozen
class PostgresLedger(PostgresBookQueries, PostgresHolds, PostgresSeals, PostgresValues):
    """See ``ports.ledger.Ledger``."""

    _clock: Clock = attrs.field(kw_only=True)
    _ids: Ids = attrs.field(kw_only=True)

    async def book(self, *transactions: Transaction) -> None:
        """Add transactions; what cannot be is refused when they are sent."""
        for run in runs(transactions):
            await run.write(self._session, ids=self._ids, at=self._clock.now())

    async def lock_balance(self, account: Account, asset: AssetId) -> Money:
        """Return the balance of a constrained account and lock its row, making it if need be."""
        row = await self._session.row(_LOCK_BALANCE, account=account, asset=asset)
        if row is None:
            [row] = await self._session.rows(_LOCK_NEW_BALANCE, account=account, asset=asset)
        return Money(int(row["amount"]), asset)
