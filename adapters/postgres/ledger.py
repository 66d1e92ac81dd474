"""The books in PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import insert

from adapters.postgres.booking import BALANCES, POSTINGS, TRANSACTIONS, Booking, mergeable
from adapters.postgres.session import Session
from adapters.postgres.statements import compiled, insertion, select_by_id, update_by_id
from adapters.postgres.tables.columns import NAME
from adapters.postgres.tables.ledger import BALANCE, HOLD, LEDGER_TRANSACTION, POSTING
from domain.ledger.holds import Hold, HoldState
from domain.ledger.model import Balance, BookedTransaction, Posting, Transaction, balance
from domain.shared.money import Money
from ports.clock import Clock
from ports.ids import Ids
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from adapters.postgres.session import Row
    from domain.ledger.accounts import Account
    from domain.shared.ids import HoldId
    from domain.shared.money import AssetId

_THIS_BALANCE = (
    BALANCE.c.account == bindparam("account"),
    BALANCE.c.asset == bindparam("asset"),
)
_LOCK_BALANCE = compiled(select(BALANCE.c.amount).where(*_THIS_BALANCE).with_for_update())
_LOCK_NEW_BALANCE = compiled(
    insert(BALANCE)
    .values(account=bindparam("account"), asset=bindparam("asset"), amount=0)
    .on_conflict_do_update(
        index_elements=[BALANCE.c.account, BALANCE.c.asset], set_={"amount": BALANCE.c.amount}
    )
    .returning(BALANCE.c.amount)
)
_PREFIX = bindparam("prefix", type_=NAME)
_BALANCES = compiled(
    select(POSTING.c.account, POSTING.c.asset, func.sum(POSTING.c.amount).label("amount"))
    .where(
        POSTING.c.account >= _PREFIX,
        # In the order of bytes, all that begins with the prefix comes before this.
        POSTING.c.account < _PREFIX + literal("\U0010ffff"),
    )
    .group_by(POSTING.c.account, POSTING.c.asset)
    .order_by(POSTING.c.account, POSTING.c.asset)
)
_KEPT = compiled(
    select(BALANCE)
    .where(BALANCE.c.account >= _PREFIX, BALANCE.c.account < _PREFIX + literal("\U0010ffff"))
    .order_by(BALANCE.c.account, BALANCE.c.asset)
)
_OF_REFERENCE = compiled(
    select(LEDGER_TRANSACTION, POSTING.c.account, POSTING.c.asset, POSTING.c.amount)
    .join(POSTING)
    .where(LEDGER_TRANSACTION.c.reference == bindparam("reference"))
    .order_by(LEDGER_TRANSACTION.c.position, POSTING.c.id)
)
_UNBALANCED = compiled(
    select(POSTING.c.transaction_id)
    .group_by(POSTING.c.transaction_id, POSTING.c.asset)
    .having(func.sum(POSTING.c.amount) != 0)
    .distinct()
)
_ADD_HOLD = insertion(HOLD)
_SAVE_HOLD = update_by_id(
    HOLD, fixed=["reference", "source", "aside", "amount", "asset", "expires_at"]
)
_LOCK_HOLD = select_by_id(HOLD, lock=True)


@attrs.frozen
class PostgresLedger:
    """See ``ports.ledger.Ledger``."""

    _session: Session
    _clock: Clock = attrs.field(kw_only=True)
    _ids: Ids = attrs.field(kw_only=True)

    async def book(self, *transactions: Transaction) -> None:
        """Add transactions; what overdraws an account is refused when they are sent."""
        for group in mergeable(transactions):
            booking = Booking.of(group, ids=self._ids, at=self._clock.now())
            await self._session.write(TRANSACTIONS, booking.transactions)
            await self._session.write(POSTINGS, booking.postings)
            if booking.touched:
                await self._session.write(BALANCES, booking.balances, *booking.touched)

    async def lock_balance(self, account: Account, asset: AssetId) -> Money:
        """Return the balance of a constrained account and lock its row, making it if need be."""
        row = await self._session.row(_LOCK_BALANCE, account=account, asset=asset)
        if row is None:
            [row] = await self._session.rows(_LOCK_NEW_BALANCE, account=account, asset=asset)
        return Money(int(row["amount"]), asset)

    async def balances(self, *, prefix: str) -> Sequence[Balance]:
        """Return the balances of all accounts whose name begins so, summed from the postings."""
        rows = await self._session.rows(_BALANCES, prefix=prefix)
        return [balance(row["account"], _money(row)) for row in rows]

    async def kept_balances(self, *, prefix: str = "") -> Sequence[Balance]:
        """Return the balance rows of constrained accounts whose name begins so."""
        rows = await self._session.rows(_KEPT, prefix=prefix)
        return [Balance(row["account"], _money(row)) for row in rows]

    async def transactions(self, *, reference: str) -> Sequence[BookedTransaction]:
        """Return what was booked for an object, oldest first."""
        rows: dict[str, list[Row]] = {}
        for row in await self._session.rows(_OF_REFERENCE, reference=reference):
            rows.setdefault(row["id"], []).append(row)
        return [_booked(lines) for lines in rows.values()]

    async def unbalanced(self) -> Sequence[str]:
        """Return the ids of transactions whose postings do not sum to zero: there are none."""
        return [row["transaction_id"] for row in await self._session.rows(_UNBALANCED)]

    async def add_hold(self, hold: Hold) -> None:
        """Store a new hold."""
        await self._session.write(_ADD_HOLD, _hold_row(hold), hold.id)

    async def save_hold(self, hold: Hold) -> None:
        """Store a hold as it is now."""
        await self._session.write(_SAVE_HOLD, _hold_row(hold), hold.id)

    async def lock_hold(self, hold_id: HoldId) -> Hold:
        """Return a hold and lock its row, or raise NotFound."""
        row = await self._session.row(_LOCK_HOLD, id=hold_id)
        if row is None:
            raise NotFound("hold", hold_id)
        return Hold(
            id=row["id"],
            reference=row["reference"],
            source=row["source"],
            aside=row["aside"],
            money=_money(row),
            expires_at=row["expires_at"],
            state=HoldState(row["state"]),
        )


def _money(row: Row) -> Money:
    return Money(int(row["amount"]), row["asset"])


def _booked(lines: list[Row]) -> BookedTransaction:
    first = lines[0]
    return BookedTransaction(
        id=first["id"],
        booked_at=first["booked_at"],
        transaction=Transaction(
            kind=first["kind"],
            reference=first["reference"],
            postings=tuple(Posting(line["account"], _money(line)) for line in lines),
            effective_at=first["effective_at"],
            reverses=first["reverses"],
        ),
    )


def _hold_row(hold: Hold) -> Row:
    return {
        "id": hold.id,
        "reference": hold.reference,
        "source": hold.source,
        "aside": hold.aside,
        "amount": hold.money.amount,
        "asset": hold.money.asset,
        "expires_at": hold.expires_at,
        "state": hold.state,
    }
