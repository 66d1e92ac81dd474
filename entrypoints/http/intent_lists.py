"""Which payment intents a list shows, and what is shown beside them."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated

import attrs

from domain.intents.listing import Wanted
from domain.intents.model import IntentStatus, Method
from domain.shared.money import asset_id
from entrypoints.http.pagination import Paging
from entrypoints.http.schema import Described, Listing, Text
from entrypoints.http.views import EscrowView, PaymentIntentView, QuoteView


class Expandable(enum.StrEnum):
    """An object that can be shown with an intent."""

    QUOTE = "quote"
    ESCROW = "escrow"


Expand = Annotated[
    list[Expandable],
    Listing(max_items=2, description="Objects to be shown beside the intent, each by a field."),
]


@attrs.frozen(kw_only=True)
class Expansion:
    """The query of an intent."""

    expand: Expand = attrs.field(factory=list)


@attrs.frozen(kw_only=True)
class IntentPaging(Paging):
    """The query of the list of intents; what is left out leaves it open."""

    status: IntentStatus | None = None
    method: Method | None = None
    asset: (
        Annotated[
            str,
            Text(
                min_length=3,
                max_length=200,
                description="What it is to be paid in.",
                example="eip155:1/slip44:60",
            ),
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

    def wanted(self) -> Wanted:
        """Return what all intents of the list have in common.

        Raises:
            MalformedAssetId: the asset cannot be one.
        """
        return Wanted(
            status=self.status,
            method=self.method,
            asset=None if self.asset is None else asset_id(self.asset),
            created_after=self.created_after,
            created_before=self.created_before,
        )


@attrs.frozen(kw_only=True)
class ExpandedView:
    """What was asked for beside an intent; null where it was not, or where there is none."""

    quote: QuoteView | None
    escrow: EscrowView | None


@attrs.frozen(kw_only=True)
class ExpandedIntentView(PaymentIntentView):
    """One wish to be paid, and what was asked for beside it."""

    expanded: ExpandedView | None = None
