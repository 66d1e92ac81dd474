"""What a merchant has."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.ledger.accounts import available, pending, reserved
from domain.ledger.service import LedgerService
from domain.merchants.model import Merchant
from domain.merchants.scopes import Scope
from domain.shared.money import Assets, Money
from domain.shared.rendering import render_money
from entrypoints.http.answers import answer
from entrypoints.http.endpoint import Call, RawJson, get
from entrypoints.http.views import BalancesView

if TYPE_CHECKING:
    from domain.shared.events import Json
    from domain.shared.money import AssetId


@attrs.frozen(kw_only=True)
class Balances:
    """The merchant's side of the books."""

    books: LedgerService
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
