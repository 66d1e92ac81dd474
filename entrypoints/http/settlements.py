"""Settlements: what a merchant has earned of an asset, closed into one amount."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated

import attrs

from domain.merchants.model import Merchant
from domain.merchants.scopes import Scope
from domain.settlements.service import SettlementService
from domain.settlements.view import view_payout, view_settlement
from domain.shared.ids import SettlementId
from domain.shared.money import Assets
from entrypoints.http.answers import answer, answer_page
from entrypoints.http.endpoint import Call, RawJson, get
from entrypoints.http.intents import Name
from entrypoints.http.pagination import After, Cursors, Page, Paging
from entrypoints.http.schema import Listing
from entrypoints.http.views import PayoutView, SettlementView
from ports.unit_of_work import NotFound

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from domain.settlements.model import Settlement
    from domain.shared.events import Json


class BesideSettlement(enum.StrEnum):
    """An object that can be shown with a settlement."""

    PAYOUT = "payout"


Expand = Annotated[
    list[BesideSettlement],
    Listing(max_items=1, description="Objects to be shown beside the settlement."),
]


@attrs.frozen(kw_only=True)
class SettlementExpansion:
    """The query of a settlement."""

    expand: Expand = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class SettlementPaging(Paging):
    """The query of the list of settlements."""

    expand: Expand = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class BesideSettlementView:
    """What was asked for beside a settlement; null where there is none yet."""

    payout: PayoutView | None


@attrs.frozen(kw_only=True)
class ExpandedSettlementView(SettlementView):
    """What was earned, closed into one amount, and what was asked for beside it."""

    expanded: BesideSettlementView | None = None


@attrs.frozen(kw_only=True)
class Settlements:
    """What was closed into settlements."""

    service: SettlementService
    assets: Assets
    cursors: Cursors

    @get("/v1/settlements", summary="List settlements, newest first", scope=Scope.PAYOUTS_READ)
    async def list(
        self, call: Call[Merchant], query: SettlementPaging
    ) -> Page[ExpandedSettlementView] | RawJson:
        """Pages are stable: new settlements do not move the ones that follow a cursor."""
        before = None if query.cursor is None else self.cursors.open(query.cursor).id
        found = await self.service.page(
            owner=call.principal.id,
            before=None if before is None else SettlementId(before),
            limit=query.limit + 1,
        )
        views = await self._expanded(call, found, query.expand)
        shown = {settlement.id: view for settlement, view in zip(found, views, strict=True)}
        page = self.cursors.page(
            found,
            limit=query.limit,
            view=lambda settlement: shown[settlement.id],
            position=lambda settlement: After(created_at=settlement.created_at, id=settlement.id),
        )
        return answer_page(call, page)

    @get(
        "/v1/settlements/{settlement}",
        summary="Show a settlement",
        scope=Scope.PAYOUTS_READ,
        problems=(NotFound,),
    )
    async def show(
        self, call: Call[Merchant], settlement: Name, query: SettlementExpansion
    ) -> ExpandedSettlementView | RawJson:
        """With the id of the payout that pays it, once there is one."""
        found = await self.service.get(
            owner=call.principal.id, settlement_id=SettlementId(settlement)
        )
        [shown] = await self._expanded(call, [found], query.expand)
        return answer(call, shown)

    async def _expanded(
        self,
        call: Call[Merchant],
        settlements: Sequence[Settlement],
        wanted: Collection[BesideSettlement],
    ) -> Sequence[dict[str, Json]]:
        views = [view_settlement(it, self.assets) for it in settlements]
        if BesideSettlement.PAYOUT in wanted:
            payouts = await self.service.payouts_of(settlements, owner=call.principal.id)
            for view, payout in zip(views, payouts, strict=True):
                beside = None if payout is None else view_payout(payout, self.assets)
                view["expanded"] = {"payout": beside}
        return views
