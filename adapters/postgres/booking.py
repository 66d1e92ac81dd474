"""How ledger transactions are written: three insertions, whatever the number of postings."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, TypeAlias

import attrs
from sqlalchemy import and_, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.insertions import Insertion, insertion_of_rows
from adapters.postgres.tables.columns import INSTANT
from adapters.postgres.tables.ledger import BALANCE, LEDGER_TRANSACTION, POSTING
from adapters.postgres.tables.values import NEWEST_RATE
from domain.ledger.accounts import Side, is_constrained, side
from domain.ledger.model import Transaction
from domain.ledger.values import RATE_AGE_MAX

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import datetime

    from sqlalchemy import FromClause
    from sqlalchemy.sql import ClauseElement

    from adapters.postgres.session import Session
    from domain.ledger.accounts import Account
    from domain.shared.money import AssetId
    from ports.ids import Ids

_Key: TypeAlias = "tuple[Account, AssetId]"

_TRANSACTIONS = insertion_of_rows(
    LEDGER_TRANSACTION,
    *("id", "kind", "reference", "effective_at", "booked_at", "reverses", "note"),
)
_POSTED = tuple(
    POSTING.c[name] for name in ("transaction_id", "line", "account", "asset", "amount")
)


def _valued(given: FromClause) -> ClauseElement:
    """Insert postings with their value by the newest rate, unless that is too old."""
    rate = NEWEST_RATE.c
    fresh = and_(
        rate.asset == given.c.asset,
        rate.observed_at > bindparam("rates_after", type_=INSTANT),
    )
    rows = select(
        *(given.c[column.name] for column in _POSTED),
        func.book_value(given.c.amount, rate.per_unit),
        rate.rate_id,
    ).select_from(given.outerjoin(NEWEST_RATE, fresh))
    names = [*(column.name for column in _POSTED), "value", "rate_id"]
    return insert(POSTING).from_select(names, rows, include_defaults=False)


_POSTINGS = Insertion(_POSTED, _valued)


def _added(given: FromClause) -> ClauseElement:
    """Add changes to balance rows."""
    clause = insert(BALANCE).from_select(list(BALANCE.c.keys()), select(*given.c))
    return clause.on_conflict_do_update(
        index_elements=[BALANCE.c.account, BALANCE.c.asset],
        set_={"amount": BALANCE.c.amount + clause.excluded.amount},
    )


_BALANCES = Insertion(tuple(BALANCE.columns), _added, meets_others=True)


@attrs.frozen
class Run:
    """Transactions that may be written with one change to each balance, and these changes."""

    transactions: Sequence[Transaction]
    changes: Mapping[_Key, int]

    async def write(self, session: Session, *, ids: Ids, at: datetime) -> None:
        """Write the transactions out, with new ids, as booked at a time.

        Balances come last, so that their rows are locked for the shortest time, and by everyone
        in the order of account and asset.
        """
        booked_at = at.isoformat()
        heads: list[tuple[object, ...]] = []
        lines: list[tuple[object, ...]] = []
        for it in self.transactions:
            id = ids.new("transaction")
            effective_at = it.effective_at.isoformat()
            heads.append(
                (id, it.kind, it.reference, effective_at, booked_at, it.reverses, it.note)
            )
            for line, posting in enumerate(it.postings):
                money = posting.money
                lines.append((id, line, posting.account, money.asset, money.amount))
        await session.write(*_TRANSACTIONS.of(heads))
        await session.write(*_POSTINGS.of(lines, rates_after=at - RATE_AGE_MAX))
        if self.changes:
            changes = [(*key, change) for key, change in sorted(self.changes.items())]
            await session.write(*_BALANCES.of(changes), *self.changes)


def runs(transactions: Iterable[Transaction]) -> Iterator[Run]:
    """Split transactions into runs that may be written with one change to each balance.

    That is so while no balance is lower in between than it is at the beginning or at the end of
    the run: then an overdraft shows at the end, or there is none.
    """
    run: list[Transaction] = []
    sums: dict[_Key, int] = defaultdict(int)
    lows: dict[_Key, int] = defaultdict(int)
    for transaction in transactions:
        changes = _changes_by(transaction)
        if run and any(
            min(lows[key], sums[key] + change) < min(0, sums[key] + change)
            for key, change in changes.items()
        ):
            yield Run(run, sums)
            run, sums, lows = [], defaultdict(int), defaultdict(int)
        run.append(transaction)
        for key, change in changes.items():
            sums[key] += change
            lows[key] = min(lows[key], sums[key])
    if run:
        yield Run(run, sums)


def _changes_by(transaction: Transaction) -> dict[_Key, int]:
    """Return by how much a transaction changes the balances of constrained accounts."""
    changes: dict[_Key, int] = defaultdict(int)
    for posting in transaction.postings:
        if is_constrained(posting.account):
            natural = 1 if side(posting.account) is Side.DEBIT else -1
            changes[posting.account, posting.money.asset] += natural * posting.money.amount
    return changes
