"""Use cases of customers: give each an address that stays, and show what was paid to it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import TYPE_CHECKING

import attrs

from domain.chains.places import Places
from domain.customers.model import CustomerAddress
from domain.customers.reach import reach_of
from domain.intents.issuing import ChainOfOtherMode, MethodNotOffered
from domain.intents.model import Method
from domain.shared.ids import CustomerAddressId
from domain.shared.metadata import merged
from domain.shared.money import ChainId
from ports.clock import Clock
from ports.deposit_addresses import DepositAddresses
from ports.ids import Ids
from ports.unit_of_work import AlreadyExists, Begin

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.customers.listing import Place, Wanted
    from domain.customers.model import Deposit
    from domain.merchants.model import Merchant
    from domain.shared.idempotency import Idempotency
    from domain.shared.ids import DepositId, MerchantId


@attrs.frozen
class UnknownChain(LookupError):
    """This gateway is not on the chain."""

    chain: str


@attrs.frozen
class CustomerService:
    """What merchants do with their customers' addresses."""

    begin: Begin
    clock: Clock
    ids: Ids
    addresses: Mapping[ChainId, DepositAddresses]
    places: Mapping[ChainId, Places]

    async def address(
        self,
        *,
        merchant: Merchant,
        customer: str,
        chain: ChainId,
        metadata: Mapping[str, str] | None = None,
        idempotency: Idempotency[CustomerAddress] | None = None,
    ) -> CustomerAddress:
        """Return a customer's address on a chain: at first a new one, then always that one.

        What was said of it at first stays until it is changed by itself (``annotate``): other
        ``metadata`` changes nothing here.

        Raises:
            UnknownChain, MethodNotOffered, ChainOfOtherMode: nobody can have one there.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        places = self._must_be_offered(merchant, chain)
        reach = reach_of(chain, places.mode)

        async def find_or_make() -> CustomerAddress:
            async with self.begin() as work:
                if idempotency:
                    await idempotency.claim(work, owner=merchant.id)
                found = await work.customers.find(
                    owner=merchant.id, customer=customer, reach=reach
                )
                if found is None:
                    index = await work.intents.next_deposit_index()
                    found = CustomerAddress(
                        id=CustomerAddressId(self.ids.new("customer_address")),
                        merchant_id=merchant.id,
                        customer=customer,
                        reach=reach,
                        address=self.addresses[chain].derive(index),
                        index=index,
                        created_at=self.clock.now(),
                        metadata=metadata or {},
                    )
                    await work.customers.add(found)
                if idempotency:
                    await idempotency.keep(work, found, owner=merchant.id)
                await work.commit()
            return found

        with suppress(AlreadyExists):
            return await find_or_make()
        # Another request has just given the same customer an address.
        return await find_or_make()

    async def annotate(
        self,
        *,
        owner: MerchantId,
        address_id: CustomerAddressId,
        metadata: Mapping[str, str | None],
        idempotency: Idempotency[CustomerAddress] | None = None,
    ) -> CustomerAddress:
        """Change an address's metadata.

        Raises:
            NotFound: the merchant has none of that name.
            TooMuchMetadata: more would be left than there may be.
            KeyInFlight, KeyReused, RequestReplayed: see ``domain.shared.idempotency``.
        """
        async with self.begin() as work:
            if idempotency:
                await idempotency.claim(work, owner=owner)
            address = await work.customers.lock(address_id, owner=owner)
            annotated = attrs.evolve(address, metadata=merged(address.metadata, metadata))
            await work.customers.save(annotated)
            if idempotency:
                await idempotency.keep(work, annotated, owner=owner)
            await work.commit()
        return annotated

    async def addresses_of(
        self, deposits: Sequence[Deposit], *, owner: MerchantId
    ) -> Sequence[CustomerAddress]:
        """Return the address that each of a merchant's deposits was made to."""
        ids = [it.address_id for it in deposits]
        async with self.begin() as work:
            found = {it.id: it for it in await work.customers.named(ids, owner=owner)}
        return [found[it.address_id] for it in deposits]

    async def get(self, *, owner: MerchantId, address_id: CustomerAddressId) -> CustomerAddress:
        """Return a customer's address.

        Raises:
            NotFound: the merchant has none of that name.
        """
        async with self.begin() as work:
            return await work.customers.get(address_id, owner=owner)

    async def page(
        self,
        *,
        owner: MerchantId,
        customer: str | None = None,
        before: Place | None = None,
        limit: int,
    ) -> Sequence[CustomerAddress]:
        """Return a merchant's customers' addresses, newest first, from just before a place."""
        async with self.begin() as work:
            return await work.customers.list(
                owner=owner, customer=customer, before=before, limit=limit
            )

    async def deposit(self, *, owner: MerchantId, deposit_id: DepositId) -> Deposit:
        """Return a deposit.

        Raises:
            NotFound: the merchant has none of that name.
        """
        async with self.begin() as work:
            return await work.customers.get_deposit(deposit_id, owner=owner)

    async def deposits(
        self, *, owner: MerchantId, wanted: Wanted, before: Place | None = None, limit: int
    ) -> Sequence[Deposit]:
        """Return a merchant's deposits, newest first, from just before a place."""
        async with self.begin() as work:
            return await work.customers.list_deposits(
                owner=owner, wanted=wanted, before=before, limit=limit
            )

    def chains_of(self, address: CustomerAddress) -> Sequence[ChainId]:
        """Return the chains on which money at an address counts, as the gateway is set up now."""
        return sorted(
            chain
            for chain, places in self.places.items()
            if reach_of(chain, places.mode) == address.reach and Method.ADDRESS in places.methods
        )

    def _must_be_offered(self, merchant: Merchant, chain: ChainId) -> Places:
        places = self.places.get(chain)
        if places is None:
            raise UnknownChain(chain)
        if merchant.mode is not places.mode:
            raise ChainOfOtherMode(chain, merchant.mode)
        if Method.ADDRESS not in places.methods:
            raise MethodNotOffered(Method.ADDRESS, chain)
        return places
