"""What the API shows and takes of payout destinations: the document's schemas."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import attrs

from domain.destinations.model import ChangeState
from entrypoints.http.metadata import Metadata
from entrypoints.http.schema import Described, Text


@attrs.frozen(kw_only=True)
class ChangePayoutDestination:
    """Where the merchant wants to be paid on a chain."""

    chain: Annotated[str, Text(min_length=1, max_length=64, example="eip155:1")]
    address: Annotated[
        str,
        Text(
            min_length=1,
            max_length=128,
            description="As the chain writes it. A checksum in it has to be right.",
            example="0x52908400098527886E0F7030069857D2E4169EE7",
        ),
    ]
    metadata: Metadata = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class EndChange:
    """Why a change is canceled or refused."""

    reason: Annotated[str, Text(min_length=1, max_length=500)] | None = None


@attrs.frozen(kw_only=True)
class PayoutDestinationChangeView:
    """A change of where the merchant is paid on a chain."""

    id: str
    object: Literal["payout_destination_change"]
    state: ChangeState
    chain: str
    address: Annotated[str, Described(description="The new destination.")]
    replaces: Annotated[str | None, Described(description="The one before, if there was one.")]
    requested_by: Annotated[str, Described(example="key:key_01")]
    requested_at: datetime
    lapses_at: Annotated[
        datetime, Described(description="When it ends by itself if nobody approves it.")
    ]
    approved_by: str | None
    approved_at: datetime | None
    effective_at: Annotated[
        datetime | None,
        Described(description="From when on payouts go to the new destination."),
    ]
    ended_by: Annotated[
        str | None, Described(description="Who canceled or refused it; nobody, where time did.")
    ]
    ended_at: datetime | None
    reason: str | None
    metadata: dict[str, str]


@attrs.frozen(kw_only=True)
class PayoutDestinationView:
    """Where the merchant is paid on a chain, and what is about to change there."""

    object: Literal["payout_destination"]
    chain: str
    address: Annotated[str | None, Described(description="Where payouts go now.")]
    change: PayoutDestinationChangeView | None


@attrs.frozen(kw_only=True)
class PayoutDestinationsView:
    """Where the merchant is paid, by chain."""

    object: Literal["list"]
    data: list[PayoutDestinationView]


@attrs.frozen(kw_only=True)
class PayoutDestinationChangesView:
    """The newest changes."""

    object: Literal["list"]
    data: list[PayoutDestinationChangeView]
