"""What a merchant has, and what was closed into settlements."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING, Annotated, Literal

import attrs

from domain.ledger.accounts import available, pending, reserved
from domain.ledger.service import LedgerService
from domain.merchants.model import Merchant
from domain.merchants.scopes import Scope
from domain.settlements.service import SettlementService
from domain.settlements.view import view_payout, view_settlement
from domain.shared.money import Assets, Money
from domain.shared.rendering import render_money
from entrypoints.http.answers import answer
from entrypoints.http.endpoint import Call, RawJson, get
from entrypoints.http.schema import Listing
from entrypoints.http.views import BalancesView, PayoutView, SettlementView

if TYPE_CHECKING:
    from domain.shared.events import Json
    from domain.shared.money import AssetId

SETTLEMENTS_MAX = 100


class Beside(enum.StrEnum):
    """An object that can be shown with a settlement."""

    PAYOUT = "payout"


@attrs.frozen(kw_only=True)
class SettlementsQuery:
    """The query of the list of settlements."""

    expand: Annotated[
        list[Beside],
        Listing(max_items=1, description="Objects to be shown beside each settlement."),
    ] = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class BesideSettlementView:
    """What was asked for beside a settlement; null where there is none yet."""

    payout: PayoutView | None


@attrs.frozen(kw_only=True)
class ExpandedSettlementView(SettlementView):
    """What was earned, closed into one amount, and what was asked for beside it."""

    expanded: BesideSettlementView | None = None


@attrs.frozen(kw_only=True)
class SettlementsView:
    """The newest settlements."""

    object: Literal["list"]
    data: list[ExpandedSettlementView]


@attrs.frozen(kw_only=True)
class Balances:
    """The merchant's side of the books."""

    books: LedgerService
    settlements: SettlementService
    assets: Assets

    @get("/v1/balances", summary="Show balances per asset", scope=Scope.BALANCES_READ)
    async def show(self, call: Call[Merchant]) -> BalancesView | RawJson:
        """Only final money counts."""
        owner = call.principal.id
        held = {
            (balance.account, balance.money.asset): balance.money
            for balance in await self.books.merchant_balances(owner=owner)
        }

        def row(asset_id: AssetId) -> dict[str, Json]:
            accounts = {
                "pending": pending(owner),
                "available": available(owner),
                "reserved": reserved(owner),
            }
            return {
                name: render_money(held.get((account, asset_id), Money(0, asset_id)), self.assets)
                for name, account in accounts.items()
            }

        found = sorted({asset_id for _, asset_id in held})
        return answer(call, {"object": "balances", "data": [row(each) for each in found]})

    @get("/v1/settlements", summary="List the newest settlements", scope=Scope.PAYOUTS_READ)
    async def list_settlements(
        self, call: Call[Merchant], query: SettlementsQuery
    ) -> SettlementsView | RawJson:
        """At most a hundred, newest first."""
        owner = call.principal.id
        found = await self.settlements.page(owner=owner, limit=SETTLEMENTS_MAX)
        data = [view_settlement(each, self.assets) for each in found]
        if Beside.PAYOUT in query.expand:
            payouts = await self.settlements.payouts_of(found, owner=owner)
            for shown, payout in zip(data, payouts, strict=True):
                beside = None if payout is None else view_payout(payout, self.assets)
                shown["expanded"] = {"payout": beside}
        return answer(call, {"object": "list", "data": data})
