"""Payments in Telegram Stars: invoices, charges, and what becomes of the money.

Limits and meanings are those of the Bot API (``createInvoiceLink``, ``SuccessfulPayment``,
``StarTransaction``).
"""

from __future__ import annotations

import enum
from datetime import datetime, timedelta
from typing import Final, NewType, TypeAlias

import attrs

from domain.shared.ids import IntentId
from domain.shared.money import AssetId, ChainId, Money, chain_of

STARS: Final = AssetId("telegram/stars")
"""Telegram Stars: whole, without a chain."""

STARS_RAIL: Final = ChainId("telegram:stars")
"""The name under which intents in Stars are found where others have their chain."""

TITLE_MAX: Final = 32
DESCRIPTION_MAX: Final = 255
PAYLOAD_BYTES_MAX: Final = 128
SUBSCRIPTION_PERIOD: Final = timedelta(seconds=2_592_000)
"""The only period that Telegram takes: 30 days."""
SUBSCRIPTION_PRICE_MAX: Final = 10_000
"""The highest price of a subscription, in Stars."""

REVERSIBLE_FOR: Final = timedelta(days=21)
"""How long Stars stay with Telegram before a bot's owner can withdraw them."""

CHECKOUT_GRACE: Final = timedelta(minutes=1)
"""How long after its pre-checkout a payment may still come and count as made in time."""

ChargeId = NewType("ChargeId", str)
"""``telegram_payment_charge_id``: one payment of one payer, whatever is delivered how often."""

UserId = NewType("UserId", int)
"""A Telegram user's number."""


@attrs.frozen
class InvoiceMalformed(ValueError):
    """Telegram does not take an invoice like this."""

    field: str
    why: str


@attrs.frozen
class StarPaymentTransitionRefused(Exception):
    """The payment is not in a state from which it can go where it was told to."""

    id: ChargeId
    state: PaymentState
    wanted: PaymentState


@attrs.frozen(kw_only=True)
class Invoice:
    """What a payer is shown before paying: one price, in whole Stars.

    Raises:
        InvoiceMalformed: a text is too short or too long, or the price is not one in Stars.
    """

    title: str
    description: str
    payload: str
    """Comes back with the payment; the payer does not see it."""
    money: Money
    is_subscription: bool = False
    """True where the payer pays again after every ``SUBSCRIPTION_PERIOD``."""

    def __attrs_post_init__(self) -> None:
        sizes = (
            ("title", len(self.title), TITLE_MAX),
            ("description", len(self.description), DESCRIPTION_MAX),
            ("payload", len(self.payload.encode()), PAYLOAD_BYTES_MAX),
        )
        for field, size, most in sizes:
            if not 1 <= size <= most:
                raise InvoiceMalformed(field, f"{size} is not within 1 and {most}")
        if self.money.asset != STARS or self.money.amount < 1:
            raise InvoiceMalformed("money", "not a price of a Star or more")
        if self.is_subscription and self.money.amount > SUBSCRIPTION_PRICE_MAX:
            raise InvoiceMalformed("money", f"a subscription costs {SUBSCRIPTION_PRICE_MAX} most")


@attrs.frozen(kw_only=True)
class PreCheckout:
    """A payer is about to pay; Telegram waits ten seconds to be told whether that is right."""

    id: str
    payer: UserId
    payload: str
    currency: str
    """``XTR`` for Stars."""
    amount: int


class Recurrence(enum.StrEnum):
    """Which of a subscription's charges one is."""

    ONCE = "once"
    """It belongs to no subscription."""
    FIRST = "first"
    RENEWAL = "renewal"
    UNSAID = "unsaid"
    """It belongs to a subscription. The list of transactions does not say more."""


@attrs.frozen(kw_only=True)
class Charge:
    """A payer has paid."""

    id: ChargeId
    payer: UserId
    payload: str
    money: Money
    paid_at: datetime
    recurrence: Recurrence = Recurrence.ONCE


@attrs.frozen(kw_only=True)
class Reversal:
    """A charge's Stars have gone back to the payer, by our refund or against our will."""

    charge_id: ChargeId
    at: datetime


@attrs.frozen(kw_only=True)
class Unexplained:
    """Stars have moved in a way that is no payment of an invoice: a gift, a withdrawal."""

    id: str
    at: datetime
    money: Money
    """Positive where they came in."""


StarUpdate: TypeAlias = PreCheckout | Charge | Reversal
"""What Telegram tells of by itself: by webhook or by polling, at least once."""

Listed: TypeAlias = Charge | Reversal | Unexplained
"""One line of Telegram's list of a bot's transactions, which is the truth about them."""


def moment_of(line: Listed) -> datetime:
    """Return when a line of the list took effect."""
    return line.paid_at if isinstance(line, Charge) else line.at


class PaymentRole(enum.StrEnum):
    """What a charge is to us."""

    PAYMENT = "payment"
    """It pays an intent: the first to do so."""
    SURPLUS = "surplus"
    """Its intent had been paid before; it goes back by itself."""
    STRAY = "stray"
    """No intent of ours has its payload; it waits in suspense for a person."""


class PaymentState(enum.StrEnum):
    """Where a charge's Stars stand."""

    HELD = "held"
    """Ours, and not to be withdrawn yet."""
    MATURED = "matured"
    """Ours, and withdrawable."""
    REFUNDING = "refunding"
    """Promised to the payer; whether Telegram has carried it out is not known yet."""
    REFUND_REFUSED = "refund_refused"
    """Telegram will not carry it out; a person has to look."""
    REFUNDED = "refunded"
    TAKEN_BACK = "taken_back"
    """The payer has the Stars again without our doing."""


OURS: Final = frozenset({PaymentState.HELD, PaymentState.MATURED})
"""The states in which nobody else has a claim to the Stars."""

_NEXT = {
    PaymentState.HELD: {PaymentState.MATURED, PaymentState.REFUNDING, PaymentState.TAKEN_BACK},
    PaymentState.MATURED: {PaymentState.REFUNDING, PaymentState.TAKEN_BACK},
    PaymentState.REFUNDING: {PaymentState.REFUNDED, PaymentState.REFUND_REFUSED},
    PaymentState.REFUND_REFUSED: {PaymentState.REFUNDING, PaymentState.REFUNDED},
    PaymentState.REFUNDED: set(),
    PaymentState.TAKEN_BACK: set(),
}


@attrs.frozen(kw_only=True)
class StarPayment:
    """A charge as it is kept: claimed once, whatever is delivered how often."""

    id: ChargeId
    payer: UserId
    payload: str
    money: Money
    paid_at: datetime
    role: PaymentRole
    intent_id: IntentId | None
    """Whom it pays, or would pay a second time; None for a stray."""
    matures_at: datetime
    """From when on it may be withdrawn, or is looked at again."""
    state: PaymentState = PaymentState.HELD
    listed: bool = False
    """True once Telegram's list of transactions has been seen to have it."""
    reason: str | None = None
    """Why a refund was refused, where it was."""

    @property
    def reference(self) -> str:
        """What its bookings refer to: the intent where it pays one, else the charge itself."""
        pays = self.role is PaymentRole.PAYMENT and self.intent_id is not None
        return str(self.intent_id) if pays else self.id

    def mature(self) -> StarPayment:
        """Become withdrawable."""
        return self._become(PaymentState.MATURED)

    def postpone(self, *, until: datetime) -> StarPayment:
        """Stay as it is for longer, because its intent has not been decided on."""
        return attrs.evolve(self, matures_at=until)

    def promise_back(self) -> StarPayment:
        """Be the payer's again, as soon as Telegram carries it out."""
        return attrs.evolve(self._become(PaymentState.REFUNDING), reason=None)

    def refunded(self) -> StarPayment:
        """End with the payer."""
        return self._become(PaymentState.REFUNDED)

    def refuse_refund(self, *, reason: str) -> StarPayment:
        """Stay with us, because Telegram will not give it back."""
        return attrs.evolve(self._become(PaymentState.REFUND_REFUSED), reason=reason)

    def take_back(self) -> StarPayment:
        """End with the payer, without our doing."""
        return self._become(PaymentState.TAKEN_BACK)

    def _become(self, state: PaymentState) -> StarPayment:
        """Move to another state.

        Raises:
            StarPaymentTransitionRefused: there is no way there from here.
        """
        if state not in _NEXT[self.state]:
            raise StarPaymentTransitionRefused(self.id, self.state, state)
        return attrs.evolve(self, state=state)


@attrs.frozen
class Reading:
    """How far Telegram's list of transactions has been read."""

    lines: int = 0
    """How many lines, from the oldest on."""


def rail_of(asset: AssetId) -> ChainId | None:
    """Return the chain an asset lives on, or what stands for one with Stars; None for others."""
    return STARS_RAIL if asset == STARS else chain_of(asset)
