"""Customers' own addresses, and the deposits that were made to them, stored."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from domain.chains.model import ObservationKey
    from domain.customers.listing import Place, Wanted
    from domain.customers.model import CustomerAddress, Deposit
    from domain.customers.reach import Reach
    from domain.shared.ids import CustomerAddressId, DepositId, MerchantId
    from domain.shared.money import ChainId, Money


class Customers(Protocol):
    """Addresses that stay, one for each customer and reach, and what was paid to them."""

    async def add(self, address: CustomerAddress) -> None:
        """Store a new address.

        Raises:
            AlreadyExists: the customer has one of this reach, or it is somebody else's. This may
                be raised as late as at the commit.
        """
        ...

    async def find(
        self, *, owner: MerchantId, customer: str, reach: Reach
    ) -> CustomerAddress | None:
        """Return a customer's address of a reach, or None."""
        ...

    async def get(self, address_id: CustomerAddressId, *, owner: MerchantId) -> CustomerAddress:
        """Return an address.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
        """
        ...

    async def named(
        self, ids: Sequence[CustomerAddressId], *, owner: MerchantId
    ) -> Sequence[CustomerAddress]:
        """Return a merchant's addresses of these names, in any order; no others."""
        ...

    async def lock(self, address_id: CustomerAddressId, *, owner: MerchantId) -> CustomerAddress:
        """Return an address and keep others from changing it.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
        """
        ...

    async def save(self, address: CustomerAddress) -> None:
        """Store the metadata of an address that was locked in this unit of work.

        Nothing else of it is ever another: what was given to a customer stays his.
        """
        ...

    async def list(
        self, *, owner: MerchantId, customer: str | None, before: Place | None, limit: int
    ) -> Sequence[CustomerAddress]:
        """Return a merchant's addresses, of one customer or of all, newest first."""
        ...

    async def at(self, addresses: Sequence[str], *, reach: Reach) -> Mapping[str, CustomerAddress]:
        """Return which of some addresses are customers' and count there, each by its text."""
        ...

    async def issued(self, *, reach: Reach) -> Sequence[str]:
        """Return every address ever given to a customer that counts there."""
        ...

    async def in_turn(self, *, reach: Reach, after: int, limit: int) -> Sequence[CustomerAddress]:
        """Return addresses that count there, in the order of their indices, from just after one.

        -1 is before the first.
        """
        ...

    async def add_deposit(self, deposit: Deposit) -> None:
        """Store a new deposit.

        Raises:
            AlreadyExists: the same transfer to the same address is one that stands already.
        """
        ...

    async def save_deposit(self, deposit: Deposit) -> None:
        """Store a deposit as it is now; only one that was locked in this unit of work."""
        ...

    async def lock_deposit(self, key: ObservationKey, *, to: CustomerAddressId) -> Deposit | None:
        """Return the deposit that a transfer is and keep others from changing it, or None.

        One that was retracted is none.
        """
        ...

    async def lock_retracted(
        self, chain: ChainId, transaction: str, *, to: CustomerAddressId, money: Money
    ) -> Deposit | None:
        """Return a retracted deposit of a transaction's, and keep others from changing it.

        Of several with the same money it is the oldest; None where there is none.
        """
        ...

    async def get_deposit(self, deposit_id: DepositId, *, owner: MerchantId) -> Deposit:
        """Return a deposit.

        Raises:
            NotFound: there is none, or it belongs to another merchant.
        """
        ...

    async def list_deposits(
        self, *, owner: MerchantId, wanted: Wanted, before: Place | None, limit: int
    ) -> Sequence[Deposit]:
        """Return a merchant's deposits, newest first, from just before a place."""
        ...
