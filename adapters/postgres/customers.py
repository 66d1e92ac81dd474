"""Customers' own addresses and the deposits to them, in PostgreSQL."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

import attrs
from sqlalchemy import ARRAY, any_, bindparam, select, tuple_

from adapters.postgres.customer_rows import (
    address_of,
    deposit_of,
    row_of_address,
    row_of_deposit,
)
from adapters.postgres.session import Session
from adapters.postgres.statements import (
    compiled,
    insertion,
    select_by_id,
    select_named,
    update_by_id,
)
from adapters.postgres.tables.columns import INSTANT, NAME
from adapters.postgres.tables.customers import CUSTOMER_ADDRESS, DEPOSIT
from domain.customers.listing import Place
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    from sqlalchemy import Table

    from adapters.postgres.statements import Statement
    from domain.chains.model import ObservationKey
    from domain.customers.listing import Wanted
    from domain.customers.model import CustomerAddress, Deposit
    from domain.customers.reach import Reach
    from domain.shared.ids import CustomerAddressId, DepositId, MerchantId
    from domain.shared.money import ChainId, Money

_A, _D = CUSTOMER_ADDRESS.c, DEPOSIT.c
_END: Final = Place(datetime(9999, 12, 30, tzinfo=UTC), "")
"""A place after everything, with a day's room for time zones."""

_ADD = insertion(CUSTOMER_ADDRESS)
_SAVE = update_by_id(
    CUSTOMER_ADDRESS,
    fixed=["merchant_id", "customer", "reach", "address", "index", "created_at"],
)
_GET = select_by_id(CUSTOMER_ADDRESS)
_LOCK = select_by_id(CUSTOMER_ADDRESS, lock=True)
_NAMED = select_named(CUSTOMER_ADDRESS)
_FIND = compiled(
    select(CUSTOMER_ADDRESS).where(
        _A.merchant_id == bindparam("owner"),
        _A.customer == bindparam("customer"),
        _A.reach == bindparam("reach"),
    )
)
_AT = compiled(
    select(CUSTOMER_ADDRESS).where(
        _A.address == any_(bindparam("addresses", type_=ARRAY(NAME))),
        _A.reach == bindparam("reach"),
    )
)
_ISSUED = compiled(select(_A.address).where(_A.reach == bindparam("reach")))
_IN_TURN = compiled(
    select(CUSTOMER_ADDRESS)
    .where(_A.reach == bindparam("reach"), _A.index > bindparam("after"))
    .order_by(_A.index)
    .limit(bindparam("limit"))
)
_ADD_DEPOSIT = insertion(DEPOSIT)
_SAVE_DEPOSIT = update_by_id(
    DEPOSIT,
    fixed=[
        "merchant_id", "address_id", "customer", "chain", "transaction", "address", "amount",
        "asset", "fees", "created_at",
    ],
)  # fmt: skip
_LOCK_DEPOSIT = compiled(
    select(DEPOSIT)
    .where(
        _D.chain == bindparam("chain"),
        _D.transaction == bindparam("transaction"),
        _D.position == bindparam("position"),
        _D.address_id == bindparam("address_id"),
        _D.status != "retracted",
    )
    .with_for_update()
)
_LOCK_RETRACTED = compiled(
    select(DEPOSIT)
    .where(
        _D.chain == bindparam("chain"),
        _D.transaction == bindparam("transaction"),
        _D.address_id == bindparam("address_id"),
        _D.amount == bindparam("amount"),
        _D.asset == bindparam("asset"),
        _D.status == "retracted",
    )
    .order_by(_D.created_at, _D.id)
    .limit(1)
    .with_for_update()
)
_GET_DEPOSIT = select_by_id(DEPOSIT)


def _page(table: Table, *filters: str) -> Statement:
    """Compile a page of a merchant's rows, newest first; each filter names a column."""
    columns = table.c
    last = tuple_(bindparam("last_at", type_=INSTANT), bindparam("last_id", type_=NAME))
    clause = (
        select(table)
        .where(
            columns.merchant_id == bindparam("owner"),
            tuple_(columns.created_at, columns.id) < last,
            *(columns[name] == bindparam(name) for name in filters),
        )
        .order_by(columns.created_at.desc(), columns.id.desc())
        .limit(bindparam("limit"))
    )
    return compiled(clause)


_ADDRESSES: Final[Mapping[tuple[str, ...], Statement]] = {
    filters: _page(CUSTOMER_ADDRESS, *filters) for filters in ((), ("customer",))
}
_DEPOSITS: Final[Mapping[tuple[str, ...], Statement]] = {
    filters: _page(DEPOSIT, *filters)
    for filters in ((), ("customer",), ("status",), ("customer", "status"))
}


@attrs.frozen
class PostgresCustomers:
    """See ``ports.customers.Customers``."""

    _session: Session

    async def add(self, address: CustomerAddress) -> None:
        """Store a new address; the database refuses a customer's second one of its reach."""
        await self._session.write(_ADD, row_of_address(address), address.id)

    async def find(
        self, *, owner: MerchantId, customer: str, reach: Reach
    ) -> CustomerAddress | None:
        """Return a customer's address of a reach, or None."""
        row = await self._session.row(_FIND, owner=owner, customer=customer, reach=reach)
        return address_of(row) if row else None

    async def get(self, address_id: CustomerAddressId, *, owner: MerchantId) -> CustomerAddress:
        """Return an address, or raise NotFound."""
        return await self._one(_GET, address_id, owner=owner)

    async def named(
        self, ids: Sequence[CustomerAddressId], *, owner: MerchantId
    ) -> Sequence[CustomerAddress]:
        """Return a merchant's addresses of these names, in any order; no others."""
        rows = await self._session.rows(_NAMED, ids=[*ids], owner=owner)
        return [address_of(row) for row in rows]

    async def lock(self, address_id: CustomerAddressId, *, owner: MerchantId) -> CustomerAddress:
        """Return an address and lock its row, or raise NotFound."""
        return await self._one(_LOCK, address_id, owner=owner)

    async def save(self, address: CustomerAddress) -> None:
        """Store an address's metadata."""
        await self._session.write(_SAVE, row_of_address(address), address.id)

    async def list(
        self, *, owner: MerchantId, customer: str | None, before: Place | None, limit: int
    ) -> Sequence[CustomerAddress]:
        """Return a merchant's addresses, of one customer or of all, newest first."""
        given = _given(customer=customer)
        rows = await self._session.rows(
            _ADDRESSES[*given], **given, **_asked(owner, before, limit)
        )
        return [address_of(row) for row in rows]

    async def at(self, addresses: Sequence[str], *, reach: Reach) -> Mapping[str, CustomerAddress]:
        """Return which of some addresses are customers' and count there, each by its text."""
        rows = await self._session.rows(_AT, addresses=[*addresses], reach=reach)
        return {row["address"]: address_of(row) for row in rows}

    async def issued(self, *, reach: Reach) -> Sequence[str]:
        """Return every address ever given to a customer that counts there."""
        return [row["address"] for row in await self._session.rows(_ISSUED, reach=reach)]

    async def in_turn(self, *, reach: Reach, after: int, limit: int) -> Sequence[CustomerAddress]:
        """Return addresses that count there, by their indices, from just after one."""
        rows = await self._session.rows(_IN_TURN, reach=reach, after=after, limit=limit)
        return [address_of(row) for row in rows]

    async def add_deposit(self, deposit: Deposit) -> None:
        """Store a new deposit; the database refuses a second one of its transfer."""
        await self._session.write(_ADD_DEPOSIT, row_of_deposit(deposit), deposit.id)

    async def save_deposit(self, deposit: Deposit) -> None:
        """Store a deposit as it is now."""
        await self._session.write(_SAVE_DEPOSIT, row_of_deposit(deposit), deposit.id)

    async def lock_deposit(self, key: ObservationKey, *, to: CustomerAddressId) -> Deposit | None:
        """Return the deposit that a transfer is and lock its row, or None."""
        row = await self._session.row(_LOCK_DEPOSIT, **attrs.asdict(key), address_id=to)
        return deposit_of(row) if row else None

    async def lock_retracted(
        self, chain: ChainId, transaction: str, *, to: CustomerAddressId, money: Money
    ) -> Deposit | None:
        """Return a retracted deposit of a transaction's and lock its row, or None."""
        row = await self._session.row(
            _LOCK_RETRACTED,
            chain=chain,
            transaction=transaction,
            address_id=to,
            amount=money.amount,
            asset=money.asset,
        )
        return deposit_of(row) if row else None

    async def get_deposit(self, deposit_id: DepositId, *, owner: MerchantId) -> Deposit:
        """Return a deposit, or raise NotFound."""
        row = await self._session.row(_GET_DEPOSIT, id=deposit_id)
        if row is None or row["merchant_id"] != owner:
            raise NotFound("deposit", deposit_id)
        return deposit_of(row)

    async def list_deposits(
        self, *, owner: MerchantId, wanted: Wanted, before: Place | None, limit: int
    ) -> Sequence[Deposit]:
        """Return a merchant's deposits, newest first, from just before a place."""
        given = _given(customer=wanted.customer, status=wanted.status)
        rows = await self._session.rows(_DEPOSITS[*given], **given, **_asked(owner, before, limit))
        return [deposit_of(row) for row in rows]

    async def _one(
        self, statement: Statement, address_id: CustomerAddressId, *, owner: MerchantId
    ) -> CustomerAddress:
        row = await self._session.row(statement, id=address_id)
        if row is None or row["merchant_id"] != owner:
            raise NotFound("customer_address", address_id)
        return address_of(row)


def _given(**filters: str | None) -> dict[str, str]:
    return {name: value for name, value in filters.items() if value is not None}


def _asked(owner: MerchantId, before: Place | None, limit: int) -> dict[str, Any]:
    last = before or _END
    return {"owner": owner, "last_at": last.created_at, "last_id": last.id, "limit": limit}
