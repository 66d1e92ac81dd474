"""Webhook endpoints and deliveries as the API shows them and takes them."""

from __future__ import annotations

import enum
from datetime import datetime
from typing import Annotated, Literal

import attrs

from domain.webhooks.endpoint import OVERLAP_MAX, Disabled
from domain.webhooks.endpoints import OVERLAP
from domain.webhooks.model import DeliveryState
from entrypoints.http.metadata import Metadata, MetadataChange
from entrypoints.http.pagination import Paging
from entrypoints.http.schema import Described, Listing, Number, Text

Url = Annotated[
    str,
    Text(min_length=8, max_length=2000, example="https://shop.example/hooks"),
]
EventTypes = Annotated[
    list[
        Annotated[
            str,
            Text(pattern=r"^[a-z_]{1,40}\.(\*|[a-z_]{1,40})$", example="payment_intent.succeeded"),
        ]
    ],
    Listing(
        max_items=100,
        description="The event types wanted, or `payout.*` for all that begin so; none named "
        "means all. Of `payout_destination.*` every endpoint is told.",
    ),
]
Description = Annotated[str, Text(max_length=500, example="Orders")]
HexSignature = Annotated[
    bool,
    Described(
        description="Send `X-Webhook-Signature` too: the HMAC-SHA256 of the raw body in "
        "lower-case hex, keyed with the text of the secret, `whsec_` included. It covers no "
        "time, so a copy of a message looks as good as the first; prefer `webhook-signature`. "
        "While a secret follows another, it is signed with the new one alone."
    ),
]


@attrs.frozen(kw_only=True)
class WebhookEndpointView:
    """A server that is told of events."""

    id: str
    object: Literal["webhook_endpoint"]
    url: str
    description: str
    enabled: bool
    disabled_reason: Annotated[
        Disabled | None,
        Described(
            description="`by_hand`; `gone`: it has answered 410; `failing`: it has done nothing "
            "but fail for five days."
        ),
    ]
    types: Annotated[
        list[str], Described(description="The event types wanted; none named means all.")
    ]
    hex_signature: HexSignature
    former_secret_until: Annotated[
        datetime | None, Described(description="Until when the secret before signs too.")
    ]
    failing_since: Annotated[
        datetime | None, Described(description="Since when every try has failed.")
    ]
    metadata: dict[str, str]
    created_at: datetime


@attrs.frozen(kw_only=True)
class WebhookEndpointSecretView(WebhookEndpointView):
    """An endpoint with its secret, which is shown this once."""

    secret: Annotated[
        str,
        Described(
            description="Verifies `webhook-signature` as the Standard Webhooks specification "
            "says. A repetition of this request under its key shows it again, nothing else does."
        ),
    ]


@attrs.frozen(kw_only=True)
class WebhookDeliveryView:
    """One event on its way to one endpoint."""

    id: str
    object: Literal["webhook_delivery"]
    endpoint: str
    event: str
    sequence: int
    previous_sequence: int
    state: DeliveryState
    attempts: int
    last_status: int | None
    next_try_at: Annotated[
        datetime | None,
        Described(
            description="When it is tried next; while it is being tried: when that is given up "
            "for lost."
        ),
    ]
    created_at: datetime


@attrs.frozen(kw_only=True)
class WebhookRequestView:
    """What was sent, but for its body, which is the same at each try, and its signatures."""

    url: str
    headers: dict[str, str]


@attrs.frozen(kw_only=True)
class WebhookResponseView:
    """The beginning of what the server answered."""

    status: int
    headers: dict[str, str]
    body: Annotated[str, Described(description="Its first 2048 bytes.")]


@attrs.frozen(kw_only=True)
class WebhookTryView:
    """One try, and what came of it."""

    at: datetime
    accepted: bool
    simulated: Annotated[
        bool,
        Described(description="Nobody was asked: a test account has ordered this outcome."),
    ]
    duration_ms: int | None
    request: WebhookRequestView
    response: WebhookResponseView | None
    error: Annotated[str | None, Described(description="Why there was no answer.")]


@attrs.frozen(kw_only=True)
class CreateWebhookEndpoint:
    """A server that is to be told of events."""

    url: Url
    types: EventTypes = attrs.field(factory=list)
    description: Description = ""
    hex_signature: HexSignature = False
    metadata: Metadata = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class ChangeWebhookEndpoint:
    """What is to be different; what is left out stays as it is."""

    url: Url | None = None
    types: EventTypes | None = None
    description: Description | None = None
    hex_signature: HexSignature | None = None
    enabled: bool | None = None
    metadata: MetadataChange = attrs.field(factory=dict)


@attrs.frozen(kw_only=True)
class RotateSecret:
    """How one secret follows another."""

    overlap_seconds: Annotated[
        int,
        Number(
            minimum=0,
            maximum=int(OVERLAP_MAX.total_seconds()),
            description="How long the present secret goes on signing beside the new one; 0 after "
            "a leak.",
        ),
    ] = int(OVERLAP.total_seconds())


class BesideDelivery(enum.StrEnum):
    """An object that can be shown with a delivery."""

    EVENT = "event"
    ENDPOINT = "endpoint"


BesideDeliveries = Annotated[
    list[BesideDelivery],
    Listing(max_items=2, description="Objects to be shown beside the delivery, each by a field."),
]


@attrs.frozen
class DeliveryPaging(Paging):
    """Which deliveries."""

    endpoint: Annotated[str, Text(pattern="^[A-Za-z0-9_]{1,64}$")] | None = None
    event: Annotated[str, Text(pattern="^[A-Za-z0-9_]{1,64}$")] | None = None
    state: DeliveryState | None = None
    expand: BesideDeliveries = attrs.field(factory=list)


@attrs.frozen
class DeliveryExpansion:
    """The query of a delivery."""

    expand: BesideDeliveries = attrs.field(factory=list)
