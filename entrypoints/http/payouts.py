"""Payouts: the transfers by which settlements reach the merchant."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import attrs

from domain.merchants.model import Merchant
from domain.merchants.scopes import Scope
from domain.settlements.listing import Place, Wanted
from domain.settlements.payouts import PayoutState
from domain.settlements.service import SettlementService
from domain.settlements.view import view_payout, view_settlement
from domain.shared.ids import PayoutId, SettlementId
from domain.shared.money import Assets, MalformedAssetId, asset_id, chain_of
from entrypoints.http.answers import answer, answer_page
from entrypoints.http.endpoint import Call, RawJson, get
from entrypoints.http.intents import Name
from entrypoints.http.pagination import After, Cursors, Page, Paging
from entrypoints.http.schema import Described, Listing, Text
from entrypoints.http.views import PayoutView, SettlementView
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from domain.settlements.payouts import Payout
    from domain.shared.events import Json
    from domain.shared.money import AssetId


class BesidePayout(enum.StrEnum):
    """An object that can be shown with a payout."""

    SETTLEMENT = "settlement"


Expand = Annotated[
    list[BesidePayout],
    Listing(max_items=1, description="Objects to be shown beside the payout, each by a field."),
]


@attrs.frozen(kw_only=True)
class PayoutExpansion:
    """The query of a payout."""

    expand: Expand = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class PayoutPaging(Paging):
    """The query of the list of payouts; what is left out leaves it open."""

    state: PayoutState | None = None
    asset: (
        Annotated[
            str,
            Text(
                min_length=3,
                max_length=200,
                description="What they are in.",
                example="eip155:1/slip44:60",
            ),
        ]
        | None
    ) = None
    chain: (
        Annotated[
            str,
            Text(
                min_length=3,
                max_length=64,
                description="Where they are sent, as a CAIP-2 id.",
                example="eip155:1",
            ),
        ]
        | None
    ) = None
    settlement: (
        Annotated[
            str, Text(pattern="^[A-Za-z0-9_]{1,64}$", description="The settlement that they pay.")
        ]
        | None
    ) = None
    created_after: Annotated[datetime, Described(description="Made later than this.")] | None = (
        None
    )
    created_before: (
        Annotated[datetime, Described(description="Made earlier than this.")] | None
    ) = None
    expand: Expand = attrs.field(factory=list)

    def wanted(self, assets: Assets) -> Wanted:
        """Return what all payouts of the list have in common.

        Raises:
            MalformedAssetId: the asset cannot be one.
        """
        return Wanted(
            state=self.state,
            assets=self._assets(assets),
            settlement=None if self.settlement is None else SettlementId(self.settlement),
            created_after=self.created_after,
            created_before=self.created_before,
        )

    def _assets(self, assets: Assets) -> Collection[AssetId] | None:
        """Return the assets that are wanted, of those that the gateway has; None for all."""
        if self.asset is None and self.chain is None:
            return None
        found = [*assets.by_id] if self.asset is None else [asset_id(self.asset)]
        return [it for it in found if self.chain in {None, chain_of(it)}]


@attrs.frozen(kw_only=True)
class BesidePayoutView:
    """What was asked for beside a payout."""

    settlement: SettlementView | None


@attrs.frozen(kw_only=True)
class ExpandedPayoutView(PayoutView):
    """Money on its way to the merchant, and what was asked for beside it."""

    expanded: BesidePayoutView | None = None


@attrs.frozen(kw_only=True)
class Payouts:
    """How the merchant was paid."""

    service: SettlementService
    assets: Assets
    cursors: Cursors

    @get(
        "/v1/payouts",
        summary="List payouts, newest first",
        scope=Scope.PAYOUTS_READ,
        problems=(MalformedAssetId,),
    )
    async def list(
        self, call: Call[Merchant], query: PayoutPaging
    ) -> Page[ExpandedPayoutView] | RawJson:
        """Pages are stable: new payouts do not move the ones that follow a cursor.

        Filters hold together. A cursor is good for the filters it was given out with.
        """
        found = await self.service.payouts(
            owner=call.principal.id,
            before=None if query.cursor is None else self._place(query.cursor),
            limit=query.limit + 1,
            wanted=query.wanted(self.assets),
        )
        views = await self._expanded(call, found, query.expand)
        shown = {payout.id: view for payout, view in zip(found, views, strict=True)}
        page = self.cursors.page(
            found,
            limit=query.limit,
            view=lambda payout: shown[payout.id],
            position=lambda payout: After(created_at=payout.created_at, id=payout.id),
        )
        return answer_page(call, page)

    @get(
        "/v1/payouts/{payout}",
        summary="Show a payout",
        scope=Scope.PAYOUTS_READ,
        problems=(NotFound,),
    )
    async def show(
        self, call: Call[Merchant], payout: Name, query: PayoutExpansion
    ) -> ExpandedPayoutView | RawJson:
        """With the hash of its transaction, once it is signed."""
        found = await self.service.payout(owner=call.principal.id, payout_id=PayoutId(payout))
        [shown] = await self._expanded(call, [found], query.expand)
        return answer(call, shown)

    def _place(self, cursor: str) -> Place:
        after = self.cursors.open(cursor)
        return Place(after.created_at, PayoutId(after.id))

    async def _expanded(
        self, call: Call[Merchant], payouts: Sequence[Payout], wanted: Collection[BesidePayout]
    ) -> Sequence[dict[str, Json]]:
        views = [view_payout(it, self.assets) for it in payouts]
        if BesidePayout.SETTLEMENT in wanted:
            paid = await self.service.settlements_of(payouts, owner=call.principal.id)
            for view, settlement in zip(views, paid, strict=True):
                beside = None if settlement is None else view_settlement(settlement, self.assets)
                view["expanded"] = {"settlement": beside}
        return views
