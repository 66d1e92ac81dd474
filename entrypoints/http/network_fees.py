"""What chains take at the moment."""

from __future__ import annotations

from typing import Annotated, Literal

import attrs

from domain.merchants.model import Merchant
from domain.merchants.scopes import Scope
from domain.network_fees.model import Kind
from domain.network_fees.service import NetworkFeeService, NoFeeMarket
from domain.network_fees.view import view_fees
from domain.shared.money import Assets, ChainId, UnknownAsset
from entrypoints.http.answers import answer
from entrypoints.http.endpoint import Call, RawJson, get
from entrypoints.http.schema import Described, Number, Text
from entrypoints.http.views import MoneyView
from ports.chain import ChainUnavailable

WITHIN_SECONDS_MAX = 86_400


@attrs.frozen(kw_only=True)
class AtChain:
    """Whose fees, and how soon a transaction should be in a block."""

    chain: Annotated[
        str, Text(max_length=64, description="A CAIP-2-like name.", example="eip155:1")
    ]
    within_seconds: (
        Annotated[
            int,
            Number(
                minimum=1,
                maximum=WITHIN_SECONDS_MAX,
                description="Adds an offer named `target` that is probably enough for that.",
            ),
        ]
        | None
    ) = None


@attrs.frozen(kw_only=True)
class CostView:
    """What one kind of transaction is expected to cost."""

    kind: Kind
    cost: MoneyView
    value: Annotated[
        MoneyView | None,
        Described(description="In the books' currency, rounded up; null without a rate."),
    ]


@attrs.frozen(kw_only=True)
class FeeOfferView:
    """What to offer the network."""

    name: Literal["slow", "normal", "fast", "target"]
    wait_seconds: Annotated[
        int,
        Number(minimum=1, description="Within which 95 of 100 such transactions were included."),
    ]
    costs: list[CostView]


@attrs.frozen(kw_only=True)
class NetworkFeesView:
    """A chain's fees by its newest blocks."""

    object: Literal["network_fees"]
    chain: str
    block: int
    congestion_percent: (
        Annotated[
            int,
            Number(
                minimum=0,
                maximum=100,
                description="How many of the last blocks had a lower base fee than the next one "
                "has, or how full they were where there is none; null where that is not known.",
            ),
        ]
        | None
    )
    offers: list[FeeOfferView]


@attrs.frozen(kw_only=True)
class NetworkFees:
    """What sending costs."""

    service: NetworkFeeService
    assets: Assets

    @get(
        "/v1/network_fees",
        summary="Show what a chain's network takes now",
        scope=Scope.PAYOUTS_READ,
        problems=(NoFeeMarket, UnknownAsset, ChainUnavailable),
    )
    async def show(self, call: Call[Merchant], query: AtChain) -> NetworkFeesView | RawJson:
        """Estimates of what we pay for a transfer, a payout and a sweep; nothing is charged."""
        valued = await self.service.fees(
            chain=ChainId(query.chain), within_seconds=query.within_seconds
        )
        return answer(call, view_fees(valued, self.assets))
