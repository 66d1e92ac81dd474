"""The gateway's own events, as they are shown to operators."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import attrs

from domain.platform.model import Reading, Serving
from domain.shared.kinds import Queue
from domain.shared.platform import PlatformEvent
from domain.treasury.model import Watched
from entrypoints.http.schema import Described, Number


@attrs.frozen(kw_only=True)
class ChainNews:
    """A chain was parked or moves again, or blocks of it were left out or made up for."""

    id: str
    object: Literal["chain"]
    reason: str | None = None
    first_block: Annotated[
        int | None, Described(description="The first one that was not read.")
    ] = None


@attrs.frozen(kw_only=True)
class AssetNews:
    """An asset was parked, or moves again."""

    id: str
    object: Literal["asset"]
    reason: str | None = None
    first_entry: Annotated[
        str | None, Described(description="The first one that books or chain do not have.")
    ] = None


@attrs.frozen(kw_only=True)
class WalletNews:
    """What the hot wallet or the gas tank holds has become too little, or is enough again."""

    id: str
    object: Literal["wallet"]
    watched: Watched
    asset: str


@attrs.frozen(kw_only=True)
class JobNews:
    """A job was given up, or made ready again."""

    id: str
    object: Literal["job"]
    name: str
    queue: Queue
    attempts: int | None = None


@attrs.frozen(kw_only=True)
class QueueNews:
    """A queue was paused or resumed, or has other numbers."""

    id: Queue
    object: Literal["queue"]
    jobs: Annotated[int | None, Described(description="How many were made ready again.")] = None
    waiting: Annotated[int | None, Described(description="Due, and taken by nobody.")] = None
    scheduled: int | None = None
    running: int | None = None
    dead: int | None = None
    paused: bool | None = None
    overdue: Annotated[
        bool | None, Described(description="Some of them have waited for more than a minute.")
    ] = None


@attrs.frozen(kw_only=True)
class EndpointNews:
    """An endpoint of a merchant's was switched off, as it did not answer, or cannot be sent to."""

    id: str
    object: Literal["webhook_endpoint"]
    merchant: str
    reason: str | None


@attrs.frozen(kw_only=True)
class ProviderNews:
    """A provider that is not asked."""

    name: str
    state: Serving


@attrs.frozen(kw_only=True)
class GatewayNews:
    """How a chain is read, and how many of its providers serve."""

    id: Annotated[str, Described(description="The chain.")]
    object: Literal["gateway"]
    reading: Reading
    parked: bool
    gap: bool
    providers: Annotated[int, Described(description="0 where nothing is known of them.")]
    serving: int
    not_serving: list[ProviderNews]


@attrs.frozen(kw_only=True)
class OpsEventView:
    """Something that happened to the gateway itself."""

    id: str
    object: Literal["event"]
    type: Annotated[PlatformEvent, Described(example="chain.parked")]
    sequence: Annotated[
        int, Number(minimum=1, description="Counts the gateway's own events, without gaps.")
    ]
    previous_sequence: Annotated[int, Number(minimum=0, description="One less.")]
    timestamp: datetime
    data: ChainNews | AssetNews | WalletNews | JobNews | QueueNews | EndpointNews | GatewayNews


@attrs.frozen(kw_only=True)
class OpsEventsView:
    """Events in their order."""

    object: Literal["list"]
    data: list[OpsEventView]
    has_more: bool
