"""What the books in PostgreSQL are asked for: balances and transactions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
from sqlalchemy import bindparam, exists, func, literal, or_, select

from adapters.postgres.booked_rows import BOOKED, booked, money_of
from adapters.postgres.on_session import OnSession
from adapters.postgres.statements import compiled
from adapters.postgres.tables.columns import INSTANT, NAME
from adapters.postgres.tables.ledger import BALANCE, LEDGER_TRANSACTION, POSTING
from domain.ledger.model import Balance, balance
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import ColumnElement

    from adapters.postgres.session import Row
    from domain.ledger.accounts import Account
    from domain.ledger.model import BookedTransaction
    from domain.shared.ids import TransactionId
    from domain.shared.money import AssetId

_T, _P = LEDGER_TRANSACTION.c, POSTING.c


def begins(account: ColumnElement[str]) -> ColumnElement[bool]:
    """Say that a name begins with the parameter ``prefix``.

    In the order of bytes, all that begins with it comes before it and the last character there is.
    """
    prefix = bindparam("prefix", type_=NAME)
    return (account >= prefix) & (account < prefix + literal("\U0010ffff"))


_sums = (
    select(_P.account, _P.asset, func.sum(_P.amount).label("amount"))
    .where(begins(_P.account))
    .group_by(_P.account, _P.asset)
    .order_by(_P.account, _P.asset)
)
_BALANCES = compiled(_sums)


def _by(name: str) -> ColumnElement[bool]:
    """Say that a time of the transaction is the parameter named or before; none is for ever."""
    time = bindparam(f"{name}_by", type_=INSTANT)
    return or_(time.is_(None), _T[f"{name}_at"] <= time)


_BALANCES_THEN = compiled(
    _sums.join(LEDGER_TRANSACTION, _T.id == _P.transaction_id).where(
        _by("booked"), _by("effective")
    )
)
_KEPT = compiled(
    select(BALANCE).where(begins(BALANCE.c.account)).order_by(BALANCE.c.account, BALANCE.c.asset)
)
_in_order = BOOKED.order_by(_T.position, _P.line)
_GET = compiled(_in_order.where(_T.id == bindparam("id")))
_OF_REFERENCE = compiled(_in_order.where(_T.reference == bindparam("reference")))
_one_posting = POSTING.alias()
_taking_effect = (
    select(_T.id)
    .where(
        exists().where(
            _one_posting.c.transaction_id == _T.id,
            _one_posting.c.account == bindparam("account"),
            _one_posting.c.asset == bindparam("asset"),
        ),
        _T.effective_at > bindparam("after", type_=INSTANT),
        _T.effective_at <= bindparam("until", type_=INSTANT),
    )
    .order_by(_T.effective_at, _T.position)
    .limit(bindparam("limit"))
    .subquery()
)
_TAKING_EFFECT = compiled(
    BOOKED.where(_T.id.in_(select(_taking_effect.c.id))).order_by(
        _T.effective_at, _T.position, _P.line
    )
)
_UNBALANCED = compiled(
    select(_P.transaction_id)
    .group_by(_P.transaction_id, _P.asset)
    .having(func.sum(_P.amount) != 0)
    .distinct()
)


@attrs.frozen
class PostgresBookQueries(OnSession):
    """The part of ``ports.ledger.Ledger`` that reads balances and transactions."""

    async def balances(
        self,
        *,
        prefix: str,
        booked_by: datetime | None = None,
        effective_by: datetime | None = None,
    ) -> Sequence[Balance]:
        """Return the balances of all accounts whose name begins so, summed from the postings."""
        if booked_by is None and effective_by is None:
            rows = await self._session.rows(_BALANCES, prefix=prefix)
        else:
            rows = await self._session.rows(
                _BALANCES_THEN, prefix=prefix, booked_by=booked_by, effective_by=effective_by
            )
        return [balance(row["account"], money_of(row)) for row in rows]

    async def kept_balances(self, *, prefix: str = "") -> Sequence[Balance]:
        """Return the balance rows of constrained accounts whose name begins so."""
        rows = await self._session.rows(_KEPT, prefix=prefix)
        return [Balance(row["account"], money_of(row)) for row in rows]

    async def get(self, transaction_id: TransactionId) -> BookedTransaction:
        """Return a transaction, or raise NotFound."""
        found = booked(await self._session.rows(_GET, id=transaction_id))
        if not found:
            raise NotFound("transaction", transaction_id)
        return found[0]

    async def transactions(self, *, reference: str) -> Sequence[BookedTransaction]:
        """Return what was booked for an object, oldest first."""
        return booked(await self._session.rows(_OF_REFERENCE, reference=reference))

    async def taking_effect(
        self,
        account: Account,
        asset: AssetId,
        *,
        after: datetime | None,
        until: datetime | None,
        limit: int,
    ) -> Sequence[BookedTransaction]:
        """Return transactions with a posting to an account in an asset, by time of effect."""
        parameters: Row = {"account": account, "asset": asset, "limit": limit}
        rows = await self._session.rows(
            _TAKING_EFFECT,
            after=after or "-infinity",
            until=until or "infinity",
            **parameters,
        )
        return booked(rows)

    async def unbalanced(self) -> Sequence[str]:
        """Return the ids of transactions whose postings do not sum to zero: there are none."""
        return [row["transaction_id"] for row in await self._session.rows(_UNBALANCED)]
