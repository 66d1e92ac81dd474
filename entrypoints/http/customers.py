"""Customers' own addresses, which stay, and the deposits that were made to them."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Literal

import attrs

from domain.customers.listing import Place, Wanted
from domain.customers.model import DepositStatus
from domain.customers.service import CustomerService, UnknownChain
from domain.customers.view import view_address, view_deposit
from domain.intents.issuing import ChainOfOtherMode, MethodNotOffered
from domain.merchants.model import Merchant
from domain.merchants.scopes import Scope
from domain.shared.idempotency import KeyInFlight, KeyReused
from domain.shared.ids import CustomerAddressId, DepositId
from domain.shared.metadata import TooMuchMetadata
from domain.shared.money import Assets, ChainId
from entrypoints.http.admission import must_allow
from entrypoints.http.answers import answer, answer_once, answer_page
from entrypoints.http.endpoint import Call, RawJson, get, post
from entrypoints.http.intents import Name
from entrypoints.http.metadata import ChangeMetadata, Metadata
from entrypoints.http.pagination import After, Cursors, Page, Paging
from entrypoints.http.schema import Described, Listing, Text
from entrypoints.http.views import DepositView
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from domain.customers.model import CustomerAddress, Deposit
    from domain.shared.events import Json
    from domain.shared.idempotency import Idempotency

Customer = Annotated[
    str,
    Text(
        min_length=1,
        max_length=200,
        description="What you call the customer; compared letter by letter.",
        example="user-1042",
    ),
]


@attrs.frozen(kw_only=True)
class CreateCustomerAddress:
    """Whose address is wanted, and on which chain."""

    customer: Customer
    chain: Annotated[
        str,
        Text(min_length=3, max_length=64, description="A CAIP-2 id.", example="eip155:1"),
    ]
    metadata: Metadata = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class CustomerAddressView:
    """An address that belongs to one customer of yours, for all payments."""

    id: str
    object: Literal["customer_address"]
    customer: str
    address: str
    chains: Annotated[
        list[str],
        Described(
            description="The chains on which what is paid to it is found: all EVM chains of the "
            "account's mode, or one other."
        ),
    ]
    metadata: dict[str, str]
    created_at: datetime


class BesideDeposit(enum.StrEnum):
    """An object that can be shown with a deposit."""

    CUSTOMER_ADDRESS = "customer_address"


BesideDeposits = Annotated[
    list[BesideDeposit],
    Listing(
        max_items=1,
        description="Objects to be shown beside the deposit, each by a field. For the address the "
        f"key needs `{Scope.CUSTOMERS_READ.value}` too.",
    ),
]


@attrs.frozen(kw_only=True)
class AddressPaging(Paging):
    """The query of the list of addresses; what is left out leaves it open."""

    customer: Customer | None = None


@attrs.frozen(kw_only=True)
class DepositPaging(Paging):
    """The query of the list of deposits; what is left out leaves it open."""

    customer: Customer | None = None
    status: DepositStatus | None = None
    expand: BesideDeposits = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class DepositExpansion:
    """The query of a deposit."""

    expand: BesideDeposits = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class BesideDepositView:
    """What was asked for beside a deposit."""

    customer_address: CustomerAddressView


@attrs.frozen(kw_only=True)
class ExpandedDepositView(DepositView):
    """One transfer to a customer's address, and what was asked for beside it."""

    expanded: BesideDepositView | None = None


@attrs.frozen(kw_only=True)
class CustomerAddresses:
    """Addresses that stay the same for all payments of one customer."""

    service: CustomerService
    cursors: Cursors

    @post(
        "/v1/customer_addresses",
        status=200,
        summary="Give a customer an address",
        scope=Scope.CUSTOMERS_WRITE,
        idempotency="optional",
        problems=(UnknownChain, MethodNotOffered, ChainOfOtherMode, KeyInFlight, KeyReused),
    )
    async def create(
        self, call: Call[Merchant], body: CreateCustomerAddress
    ) -> CustomerAddressView | RawJson:
        """The same customer always gets the same one, with or without an ``Idempotency-Key``.

        All EVM chains share it: asked for on another of them, it is the same address again. Its
        metadata is what was said first, until it is changed by itself.
        """

        async def act(idempotency: Idempotency[CustomerAddress] | None) -> CustomerAddress:
            return await self.service.address(
                merchant=call.principal,
                customer=body.customer,
                chain=ChainId(body.chain),
                metadata=body.metadata,
                idempotency=idempotency,
            )

        return await answer_once(call, act, self._view)

    @get(
        "/v1/customer_addresses",
        summary="List customers' addresses, newest first",
        scope=Scope.CUSTOMERS_READ,
    )
    async def list(
        self, call: Call[Merchant], query: AddressPaging
    ) -> Page[CustomerAddressView] | RawJson:
        """Pages are stable: new addresses do not move the ones that follow a cursor."""
        found = await self.service.page(
            owner=call.principal.id,
            customer=query.customer,
            before=_place(self.cursors, query.cursor),
            limit=query.limit + 1,
        )
        return answer_page(
            call,
            self.cursors.page(found, limit=query.limit, view=self._view, position=_position),
        )

    @post(
        "/v1/customer_addresses/{customer_address}",
        status=200,
        summary="Change the metadata of a customer's address",
        scope=Scope.CUSTOMERS_WRITE,
        idempotency="optional",
        problems=(NotFound, TooMuchMetadata, KeyInFlight, KeyReused),
    )
    async def annotate(
        self, call: Call[Merchant], customer_address: Name, body: ChangeMetadata
    ) -> CustomerAddressView | RawJson:
        """The address stays as it is, and whose it is."""

        async def act(idempotency: Idempotency[CustomerAddress] | None) -> CustomerAddress:
            return await self.service.annotate(
                owner=call.principal.id,
                address_id=CustomerAddressId(customer_address),
                metadata=body.metadata,
                idempotency=idempotency,
            )

        return await answer_once(call, act, self._view)

    @get(
        "/v1/customer_addresses/{customer_address}",
        summary="Show a customer's address",
        scope=Scope.CUSTOMERS_READ,
        problems=(NotFound,),
    )
    async def show(
        self, call: Call[Merchant], customer_address: Name
    ) -> CustomerAddressView | RawJson:
        """With the chains on which it counts now."""
        found = await self.service.get(
            owner=call.principal.id, address_id=CustomerAddressId(customer_address)
        )
        return answer(call, self._view(found))

    def _view(self, address: CustomerAddress) -> dict[str, Json]:
        return view_address(address, self.service.chains_of(address))


@attrs.frozen(kw_only=True)
class Deposits:
    """What was paid to customers' addresses."""

    service: CustomerService
    assets: Assets
    cursors: Cursors

    @get("/v1/deposits", summary="List deposits, newest first", scope=Scope.DEPOSITS_READ)
    async def list(
        self, call: Call[Merchant], query: DepositPaging
    ) -> Page[ExpandedDepositView] | RawJson:
        """Pages are stable: new deposits do not move the ones that follow a cursor."""
        found = await self.service.deposits(
            owner=call.principal.id,
            wanted=Wanted(customer=query.customer, status=query.status),
            before=_place(self.cursors, query.cursor),
            limit=query.limit + 1,
        )
        views = await self._expanded(call, found, query.expand)
        shown = {deposit.id: view for deposit, view in zip(found, views, strict=True)}
        page = self.cursors.page(
            found, limit=query.limit, view=lambda it: shown[it.id], position=_position
        )
        return answer_page(call, page)

    @get(
        "/v1/deposits/{deposit}",
        summary="Show a deposit",
        scope=Scope.DEPOSITS_READ,
        problems=(NotFound,),
    )
    async def show(
        self, call: Call[Merchant], deposit: Name, query: DepositExpansion
    ) -> ExpandedDepositView | RawJson:
        """One transfer, and what has become of it."""
        found = await self.service.deposit(owner=call.principal.id, deposit_id=DepositId(deposit))
        [shown] = await self._expanded(call, [found], query.expand)
        return answer(call, shown)

    async def _expanded(
        self, call: Call[Merchant], deposits: Sequence[Deposit], wanted: Collection[BesideDeposit]
    ) -> Sequence[dict[str, Json]]:
        views = [view_deposit(it, self.assets) for it in deposits]
        if BesideDeposit.CUSTOMER_ADDRESS in wanted:
            must_allow(call.request.scope, Scope.CUSTOMERS_READ)
            paid_to = await self.service.addresses_of(deposits, owner=call.principal.id)
            for view, address in zip(views, paid_to, strict=True):
                beside = view_address(address, self.service.chains_of(address))
                view["expanded"] = {"customer_address": beside}
        return views


def _place(cursors: Cursors, cursor: str | None) -> Place | None:
    if cursor is None:
        return None
    after = cursors.open(cursor)
    return Place(after.created_at, after.id)


def _position(row: CustomerAddress | Deposit) -> After:
    return After(created_at=row.created_at, id=row.id)
