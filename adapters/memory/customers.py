"""Customers' own addresses and the deposits to them, in memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.rows import add, find, save
from adapters.memory.turn import Turn
from domain.customers.listing import Place
from domain.customers.model import DepositStatus
from ports.unit_of_work import AlreadyExists, NotFound

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from domain.chains.model import ObservationKey
    from domain.customers.listing import Wanted
    from domain.customers.model import CustomerAddress, Deposit
    from domain.customers.reach import Reach
    from domain.shared.ids import CustomerAddressId, DepositId, MerchantId
    from domain.shared.money import ChainId, Money

ADDRESS, DEPOSIT = "customer_address", "deposit"


@attrs.frozen
class InMemoryCustomers:
    """Addresses that stay, and what was paid to them."""

    _turn: Turn

    async def add(self, address: CustomerAddress) -> None:
        """Store a new address: its customer's only one of a reach, and nobody else's."""
        rows = (await self._turn.tables()).customer_addresses
        of = (address.merchant_id, address.customer, address.reach)
        taken = rows.where(address=address.address) or any(
            it.index == address.index for it in rows
        )
        if rows.where(of=of) or taken:
            self._turn.refuse(AlreadyExists(ADDRESS, address.address))
        add(self._turn, ADDRESS, rows, address.id, address)

    async def find(
        self, *, owner: MerchantId, customer: str, reach: Reach
    ) -> CustomerAddress | None:
        """Return a customer's address of a reach, or None."""
        rows = (await self._turn.tables()).customer_addresses
        return next(iter(rows.where(of=(owner, customer, reach))), None)

    async def get(self, address_id: CustomerAddressId, *, owner: MerchantId) -> CustomerAddress:
        """Return an address."""
        found = find(ADDRESS, (await self._turn.tables()).customer_addresses, address_id)
        if found.merchant_id != owner:
            raise NotFound(ADDRESS, address_id)
        return found

    async def named(
        self, ids: Sequence[CustomerAddressId], *, owner: MerchantId
    ) -> Sequence[CustomerAddress]:
        """Return a merchant's addresses of these names, in any order; no others."""
        rows = (await self._turn.tables()).customer_addresses
        found = (rows.get(id) for id in dict.fromkeys(ids))
        return [it for it in found if it is not None and it.merchant_id == owner]

    async def lock(self, address_id: CustomerAddressId, *, owner: MerchantId) -> CustomerAddress:
        """Return an address and keep others from changing it."""
        found = await self.get(address_id, owner=owner)
        self._turn.lock(ADDRESS, address_id)
        return found

    async def save(self, address: CustomerAddress) -> None:
        """Store the metadata of an address that was locked in this unit of work."""
        rows = (await self._turn.tables()).customer_addresses
        stored = find(ADDRESS, rows, address.id)
        changed = attrs.evolve(stored, metadata=address.metadata)
        save(self._turn, ADDRESS, rows, address.id, changed)

    async def list(
        self, *, owner: MerchantId, customer: str | None, before: Place | None, limit: int
    ) -> Sequence[CustomerAddress]:
        """Return a merchant's addresses, of one customer or of all, newest first."""
        mine = (await self._turn.tables()).customer_addresses.where(owner=owner)
        found = [it for it in mine if customer in {None, it.customer}]
        older = [it for it in found if before is None or _place(it) < before]
        return sorted(older, key=_place, reverse=True)[:limit]

    async def at(self, addresses: Sequence[str], *, reach: Reach) -> Mapping[str, CustomerAddress]:
        """Return which of some addresses are customers' and count there, each by its text."""
        rows = (await self._turn.tables()).customer_addresses
        found = [it for address in addresses for it in rows.where(address=address)]
        return {it.address: it for it in found if it.reach == reach}

    async def issued(self, *, reach: Reach) -> Sequence[str]:
        """Return every address ever given to a customer that counts there."""
        rows = (await self._turn.tables()).customer_addresses
        return [it.address for it in rows.where(reach=reach)]

    async def in_turn(self, *, reach: Reach, after: int, limit: int) -> Sequence[CustomerAddress]:
        """Return addresses that count there, by their indices, from just after one."""
        found = (await self._turn.tables()).customer_addresses.where(reach=reach)
        return sorted((it for it in found if it.index > after), key=lambda it: it.index)[:limit]

    async def add_deposit(self, deposit: Deposit) -> None:
        """Store a new deposit: the only one of its transfer to its address."""
        rows = (await self._turn.tables()).deposits
        stands = deposit.status is not DepositStatus.RETRACTED
        if stands and rows.where(standing=(deposit.key, deposit.address_id)):
            self._turn.refuse(AlreadyExists(DEPOSIT, deposit.id))
        add(self._turn, DEPOSIT, rows, deposit.id, deposit)

    async def save_deposit(self, deposit: Deposit) -> None:
        """Store a deposit as it is now; only one that was locked in this unit of work."""
        save(self._turn, DEPOSIT, (await self._turn.tables()).deposits, deposit.id, deposit)

    async def lock_deposit(self, key: ObservationKey, *, to: CustomerAddressId) -> Deposit | None:
        """Return the deposit that a transfer is and keep others from changing it, or None."""
        for deposit in (await self._turn.tables()).deposits.where(standing=(key, to)):
            self._turn.lock(DEPOSIT, deposit.id)
            return deposit
        return None

    async def lock_retracted(
        self, chain: ChainId, transaction: str, *, to: CustomerAddressId, money: Money
    ) -> Deposit | None:
        """Return a retracted deposit of a transaction's, and keep others from changing it."""
        gone = (await self._turn.tables()).deposits.where(gone=to)
        for deposit in sorted(gone, key=_place):
            of = (deposit.key.chain, deposit.key.transaction)
            if (*of, deposit.money) == (chain, transaction, money):
                self._turn.lock(DEPOSIT, deposit.id)
                return deposit
        return None

    async def get_deposit(self, deposit_id: DepositId, *, owner: MerchantId) -> Deposit:
        """Return a deposit."""
        found = find(DEPOSIT, (await self._turn.tables()).deposits, deposit_id)
        if found.merchant_id != owner:
            raise NotFound(DEPOSIT, deposit_id)
        return found

    async def list_deposits(
        self, *, owner: MerchantId, wanted: Wanted, before: Place | None, limit: int
    ) -> Sequence[Deposit]:
        """Return a merchant's deposits, newest first, from just before a place."""
        mine = (await self._turn.tables()).deposits.where(owner=owner)
        found = [it for it in mine if wanted.includes(it)]
        older = [it for it in found if before is None or _place(it) < before]
        return sorted(older, key=_place, reverse=True)[:limit]


def _place(row: CustomerAddress | Deposit) -> Place:
    return Place(row.created_at, row.id)
