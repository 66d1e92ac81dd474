"""What the API shows of where an intent's money is: schemas of ``domain/explaining/view.py``."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import attrs

from domain.chains.model import Finality
from domain.explaining.model import OptionCode, StepCode, Waiting
from domain.suspense.model import ItemState, Why
from entrypoints.http.schema import Described, Number
from entrypoints.http.views import EscrowView, PaymentIntentView, QuoteView, Units

Count = Annotated[int, Number(minimum=0)]


@attrs.frozen(kw_only=True)
class AnyMoneyView:
    """An amount of an asset, which need not be one that the gateway knows."""

    asset: str
    amount: Units
    decimal: str | None
    symbol: str | None


@attrs.frozen(kw_only=True)
class StepView:
    """One thing that happens next, or that something waits for."""

    code: StepCode
    waits_for: Waiting
    sentence: Annotated[str, Described(description="The same in words, for people.")]
    at: Annotated[
        datetime | None,
        Described(description="When, or until when; null where no clock decides."),
    ]
    amount: AnyMoneyView | None
    block: Annotated[int | None, Described(description="The block that has to become final.")]
    final_block: Annotated[int | None, Described(description="The newest final block.")]


@attrs.frozen(kw_only=True)
class OptionView:
    """A request that the merchant can make now."""

    code: OptionCode
    method: Literal["POST"]
    path: str


@attrs.frozen(kw_only=True)
class BlockView:
    """A block of a chain."""

    number: Count
    hash: str
    time: datetime


@attrs.frozen(kw_only=True)
class ChainStateView:
    """How far the chain has been read, and whether money moves there."""

    id: str
    parked: Annotated[str | None, Described(description="Why no money moves, where none does.")]
    first_gap: Annotated[int | None, Described(description="The lowest block left out.")]
    newest_block: BlockView
    final_block: BlockView


@attrs.frozen(kw_only=True)
class StretchView:
    """Blocks that were read one after the other, both ends included, and through whom."""

    first: Count
    last: Count
    provider: str
    began_at: datetime
    ended_at: datetime


@attrs.frozen(kw_only=True)
class GapView:
    """Blocks between two stretches that were not read, both ends included."""

    first: Count
    last: Count


@attrs.frozen(kw_only=True)
class ObservationView:
    """A payment as it was found on the chain."""

    transaction: str
    position: int
    block: BlockView
    source: str
    memo: str | None
    amount: AnyMoneyView
    finality: Finality
    counts: Annotated[
        bool, Described(description="False for another asset, and for what was taken back.")
    ]


@attrs.frozen(kw_only=True)
class SourceAgeView:
    """How old a source's rate was when the quote was made."""

    source: str
    age_seconds: int


@attrs.frozen(kw_only=True)
class QuotedView:
    """The quote that the intent was made from, and how old it and its sources were."""

    quote: QuoteView
    age_seconds: int
    source_ages: list[SourceAgeView]


@attrs.frozen(kw_only=True)
class StarsStateView:
    """The charge in Telegram that pays the intent."""

    id: str
    object: Literal["star_payment"]
    payment_intent: str | None
    state: str
    amount: AnyMoneyView
    paid_at: datetime
    matures_at: datetime
    reason: str | None


@attrs.frozen(kw_only=True)
class SuspenseView:
    """What of a payment lies in suspense, or did."""

    id: str
    state: ItemState
    why: Why
    transaction: str
    amount: AnyMoneyView
    amount_left: AnyMoneyView
    paid_at: datetime
    payout: str | None


@attrs.frozen(kw_only=True)
class PostingView:
    """One side of a booking made for the intent."""

    transaction: str
    kind: str
    account: str
    side: Literal["debit", "credit"]
    amount: AnyMoneyView
    effective_at: datetime
    booked_at: datetime


@attrs.frozen(kw_only=True)
class EventLineView:
    """An event of the intent or its escrow, without what it carries."""

    id: str
    type: str
    sequence: Annotated[int, Number(minimum=1)]
    timestamp: datetime


@attrs.frozen(kw_only=True)
class ExplanationView:
    """Where the money of a payment intent is, and what happens next."""

    object: Literal["payment_intent_explanation"]
    payment_intent: PaymentIntentView
    as_of: datetime
    pay: Annotated[str, Described(description="Where it is to be paid, in words.")]
    next: Annotated[
        list[StepView], Described(description="What happens next; what stops all else first.")
    ]
    options: Annotated[
        list[OptionView], Described(description="What the merchant can ask for now.")
    ]
    chain: Annotated[
        ChainStateView | None, Described(description="Null for Stars, and before the first read.")
    ]
    scanned: Annotated[
        list[StretchView],
        Described(description="Blocks read since the intent was made, the newest 100 stretches."),
    ]
    gaps: list[GapView]
    observations: list[ObservationView]
    quote: QuotedView | None
    escrow: EscrowView | None
    stars: StarsStateView | None
    suspense: list[SuspenseView]
    postings: list[PostingView]
    events: Annotated[list[EventLineView], Described(description="The newest 100.")]
