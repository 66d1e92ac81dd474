"""What an explanation is made from, and the steps it foresees."""

from __future__ import annotations

import enum
from collections.abc import Sequence
from datetime import datetime, timedelta

import attrs

from domain.chains.coverage import Stretch
from domain.chains.finality import Rung
from domain.chains.model import Cursor, Finality, Observation
from domain.escrow.model import Escrow
from domain.intents.model import PaymentIntent, StarsInvoice
from domain.intents.quotes import Quote
from domain.ledger.model import BookedTransaction
from domain.ledger.parking import ParkedAsset
from domain.merchants.model import PayoutTerms
from domain.shared.events import RecordedEvent
from domain.shared.money import Asset, Money
from domain.stars.model import StarPayment
from domain.suspense.model import SuspenseItem

UNSURE = frozenset({Finality.SEEN, Finality.SAFE})
"""What can still be taken back."""


class StepCode(enum.StrEnum):
    """What happens next, for machines."""

    CHAIN_PARKED = "chain_parked"
    ASSET_PARKED = "asset_parked"
    BLOCKS_NOT_READ = "blocks_not_read"
    """Blocks were left out: until they are read nobody can say that nothing was paid in them."""
    WAITS_FOR_PAYMENT = "waits_for_payment"
    WAITS_FOR_FINALITY = "waits_for_finality"
    EXPIRES = "expires"
    """Nothing was paid in time; that is known for good when a later block is final."""
    WAITS_FOR_ESCROW = "waits_for_escrow"
    """The contract has been asked to release or refund, and the chain has not done it for good."""
    RELEASED_AUTOMATICALLY = "released_automatically"
    MAY_BE_RECLAIMED = "may_be_reclaimed"
    REQUEST_FAILED = "request_failed"
    """What was last asked of the contract has come to nothing."""
    WAITS_FOR_ARBITER = "waits_for_arbiter"
    WAITS_FOR_WITHDRAWAL = "waits_for_withdrawal"
    """The contract could not push a part to its owner, who has to take it out himself."""
    NEEDS_MERCHANT = "needs_merchant"
    NEEDS_OPERATOR = "needs_operator"
    RETURNS_TO_PAYER = "returns_to_payer"
    MATURES = "matures"
    """Telegram lets Stars be withdrawn from then on."""
    SETTLES = "settles"
    SETTLED = "settled"
    PAID_OUT_BY_HAND = "paid_out_by_hand"
    """No settlement takes it by itself: there is no address to pay to, or too little to pay."""
    ENDED = "ended"


class Waiting(enum.StrEnum):
    """For whom a step waits."""

    PAYER = "payer"
    CHAIN = "chain"
    MERCHANT = "merchant"
    OPERATOR = "operator"
    ARBITER = "arbiter"
    TIME = "time"
    NOBODY = "nobody"


@attrs.frozen(kw_only=True)
class Step:
    """One thing that happens next, or that something waits for."""

    code: StepCode
    waits_for: Waiting
    sentence: str
    at: datetime | None = None
    """When it happens, or until when it can; None where no clock says."""
    money: Money | None = None
    """What it is about."""
    block: int | None = None
    """The block that has to become final."""
    final_block: int | None = None
    """The newest final block by now."""


class OptionCode(enum.StrEnum):
    """What a merchant can ask for now."""

    CANCEL = "cancel"
    ACCEPT = "accept"
    RELEASE = "release"
    REFUND = "refund"
    REFUND_STARS = "refund_stars"


@attrs.frozen(kw_only=True)
class Beside:
    """Objects that an intent names, or that name it."""

    quote: Quote | None = None
    escrow: Escrow | None = None


@attrs.frozen(kw_only=True)
class Case:
    """Everything that is known of one intent at one moment."""

    at: datetime
    intent: PaymentIntent
    asset: Asset
    """The one it is to be paid in."""
    payouts: PayoutTerms
    settle_every: timedelta
    quote: Quote | None = None
    cursor: Cursor | None = None
    """How far the chain has been read; None where it never was, and for Stars."""
    stretches: Sequence[Stretch] = ()
    """What was read since the intent was made, lowest first."""
    observations: Sequence[Observation] = ()
    """Payments to the intent, retracted ones included."""
    held_by: Sequence[Rung] = ()
    """What the last of these that are not final needs, as large amounts do."""
    escrow: Escrow | None = None
    items: Sequence[SuspenseItem] = ()
    stars: StarPayment | None = None
    parked: ParkedAsset | None = None
    balance: Money
    """What the merchant can be paid out in the asset that is due, of this intent and others."""
    events: Sequence[RecordedEvent] = ()
    bookings: Sequence[BookedTransaction] = ()

    @property
    def on_chain(self) -> bool:
        """Whether a chain is read for it."""
        return not isinstance(self.intent.pay_to, StarsInvoice)

    @property
    def unsure(self) -> Sequence[Observation]:
        """The payments that can still be taken back."""
        return [it for it in self.observations if it.finality in UNSURE]

    def shown(self, amount: int) -> str:
        """Write an amount of what is due for people, without idle zeros: ``12.5 USDT``."""
        text = self.asset.render(amount)
        if "." in text:
            text = text.rstrip("0").rstrip(".")
        return f"{text} {self.asset.symbol}"
