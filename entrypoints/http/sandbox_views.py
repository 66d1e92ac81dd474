"""Orders of test accounts as the API takes and shows them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import attrs

from domain.sandbox.model import ADVANCE_MAX, DEPTH_MAX, TIMES_MAX, OrderState
from domain.webhooks.endpoint import SimulatedAnswer
from entrypoints.http.schema import Described, Number, Text
from entrypoints.http.views import MoneyView

_AMOUNT = Text(
    pattern="^[1-9][0-9]{0,37}$",
    description="In smallest units. Left out, what is still due, to the unit; of another asset "
    "than the one that is due, one whole unit.",
    example="10000000",
)
_ASSET = Text(
    min_length=1,
    max_length=200,
    description="Another asset of the same chain: wrong money. Left out, the one that is due.",
)


@attrs.frozen(kw_only=True)
class PayInTest:
    """What is paid, if it is not just what is due."""

    amount: Annotated[str, _AMOUNT] | None = None
    asset: Annotated[str, _ASSET] | None = None


@attrs.frozen(kw_only=True)
class AdvanceClockInTest:
    """How much sooner all comes that the account waits for."""

    seconds: Annotated[int, Number(minimum=1, maximum=ADVANCE_MAX)]


@attrs.frozen(kw_only=True)
class ReorganizeInTest:
    """How many of the newest blocks are replaced."""

    depth: Annotated[
        int,
        Number(
            minimum=1,
            maximum=DEPTH_MAX,
            description="No final block may be among them; the refusal says how many are not.",
        ),
    ]


@attrs.frozen(kw_only=True)
class FailDeliveriesInTest:
    """What the next deliveries come to, without the server being asked."""

    answer: Annotated[
        Literal["500", "503", "404", "410", "timeout", "off"],
        Described(
            description="The HTTP status it seems to answer, or none in time; `off` ends it."
        ),
    ]
    times: Annotated[
        int, Number(minimum=1, maximum=TIMES_MAX, description="How many deliveries.")
    ] = 1


@attrs.frozen(kw_only=True)
class SandboxOrderView:
    """Something that a test account has ordered, and what came of it."""

    id: str
    object: Literal["test_order"]
    action: Annotated[
        Literal["pay", "pay_late", "advance_clock", "reorg", "fail_deliveries"],
        Described(description="What was ordered."),
    ]
    status: Annotated[
        OrderState,
        Described(
            description="`unknown`: the devnet was asked, and whether it did it nobody knows. It "
            "is not asked again; look at the intent, and order anew if need be."
        ),
    ]
    reason: Annotated[str | None, Described(description="Why it is `failed` or `unknown`.")]
    transaction: Annotated[
        str | None, Described(description="The hash of the payment's transaction.")
    ]
    payment_intent: str | None
    amount: MoneyView | None
    seconds: int | None
    chain: str | None
    depth: int | None
    webhook_endpoint: str | None
    answer: SimulatedAnswer | None
    times: int | None
    created_at: datetime
    ended_at: datetime | None
