"""How ledger transactions are written: three insertions, whatever the number of postings."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Self, TypeAlias

import attrs
from sqlalchemy import Column, Integer, select
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.documents import write_json
from adapters.postgres.statements import compiled, given_rows, written
from adapters.postgres.tables.ledger import BALANCE, LEDGER_TRANSACTION, POSTING
from domain.ledger.accounts import Side, is_constrained, side

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sqlalchemy import Table

    from adapters.postgres.statements import Statement
    from domain.ledger.accounts import Account
    from domain.ledger.model import Transaction
    from domain.shared.money import AssetId
    from ports.ids import Ids

_PLACE = Column("place", Integer)
_Key: TypeAlias = "tuple[Account, AssetId]"


def _append(table: Table) -> Statement:
    """Compile the insertion of given rows in the order of their places."""
    columns = written(table)
    given = given_rows(table.name, _PLACE, *(table.c[name] for name in columns))
    rows = select(*(given.c[name] for name in columns)).order_by(given.c.place)
    return compiled(insert(table).from_select(columns, rows))


TRANSACTIONS = _append(LEDGER_TRANSACTION)
POSTINGS = _append(POSTING)

_changes = given_rows("balance", *BALANCE.columns)
_upsert = insert(BALANCE).from_select(
    ["account", "asset", "amount"],
    select(*_changes.c).order_by(_changes.c.account, _changes.c.asset),
)
BALANCES = compiled(
    _upsert.on_conflict_do_update(
        index_elements=[BALANCE.c.account, BALANCE.c.asset],
        set_={"amount": BALANCE.c.amount + _upsert.excluded.amount},
    ),
    meets_others=True,
)
"""Adds changes to balance rows, which it locks in the order of account and asset."""


@attrs.frozen
class Booking:
    """The parameters of the three insertions, and the balance rows they touch."""

    transactions: dict[str, str]
    postings: dict[str, str]
    balances: dict[str, str]
    touched: tuple[_Key, ...]

    @classmethod
    def of(cls, transactions: Iterable[Transaction], *, ids: Ids, at: datetime) -> Self:
        """Write transactions out, with new ids, as booked at a time."""
        heads: list[dict[str, object]] = []
        lines: list[dict[str, object]] = []
        changes: dict[_Key, int] = defaultdict(int)
        for transaction in transactions:
            id = ids.new("transaction")
            heads.append(
                {
                    "place": len(heads),
                    "id": id,
                    "kind": transaction.kind,
                    "reference": transaction.reference,
                    "effective_at": transaction.effective_at.isoformat(),
                    "booked_at": at.isoformat(),
                    "reverses": transaction.reverses,
                }
            )
            for posting in transaction.postings:
                account, money = posting.account, posting.money
                lines.append(
                    {
                        "place": len(lines),
                        "transaction_id": id,
                        "account": account,
                        "asset": money.asset,
                        "amount": money.amount,
                    }
                )
            for key, change in _changes_by(transaction).items():
                changes[key] += change
        rows = [
            {"account": account, "asset": asset, "amount": amount}
            for (account, asset), amount in changes.items()
        ]
        return cls(
            {LEDGER_TRANSACTION.name: write_json(heads)},
            {POSTING.name: write_json(lines)},
            {BALANCE.name: write_json(rows)},
            tuple(changes),
        )


def mergeable(transactions: Iterable[Transaction]) -> Iterator[list[Transaction]]:
    """Split transactions into runs that may be written with one change to each balance.

    That is so while no balance is lower in between than it is at the beginning or at the end of
    the run: then an overdraft shows at the end, or there is none.
    """
    run: list[Transaction] = []
    sums: dict[_Key, int] = defaultdict(int)
    lows: dict[_Key, int] = defaultdict(int)
    for transaction in transactions:
        changes = _changes_by(transaction)
        if any(
            min(lows[key], sums[key] + change) < min(0, sums[key] + change)
            for key, change in changes.items()
        ):
            yield run
            run = []
            sums.clear()
            lows.clear()
        run.append(transaction)
        for key, change in changes.items():
            sums[key] += change
            lows[key] = min(lows[key], sums[key])
    if run:
        yield run


def _changes_by(transaction: Transaction) -> dict[_Key, int]:
    """Return by how much a transaction changes the balances of constrained accounts."""
    changes: dict[_Key, int] = defaultdict(int)
    for posting in transaction.postings:
        if is_constrained(posting.account):
            natural = 1 if side(posting.account) is Side.DEBIT else -1
            changes[posting.account, posting.money.asset] += natural * posting.money.amount
    return changes
