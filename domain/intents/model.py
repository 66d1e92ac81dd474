"""Payment intents: what a merchant wants to be paid, and how far the payment has come."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias

import attrs

from domain.escrow.model import EscrowTerms
from domain.fees.model import FeeSchedule
from domain.intents.attempts import Attempt, AttemptState
from domain.merchants.model import PaymentPolicy, Verdict
from domain.shared.ids import IntentId, MerchantId, QuoteId
from domain.shared.money import AmountOutOfRange, ChainId, Money


class Method(enum.StrEnum):
    """How an intent is paid and captured."""

    ESCROW = "escrow"
    """Into the escrow contract: final money is held until it is released."""
    ADDRESS = "address"
    """To an address of the intent's own: final money is captured at once."""
    MEMO = "memo"
    """To an address that all intents share, with a memo of the intent's own: captured at once."""
    STARS = "stars"
    """By an invoice in Telegram: captured at once, and pending while Telegram holds the Stars."""


class IntentStatus(enum.StrEnum):
    """Where an intent stands, as merchants know it."""

    REQUIRES_PAYMENT = "requires_payment"
    PROCESSING = "processing"
    SUCCEEDED = "succeeded"
    CANCELED = "canceled"
    EXPIRED = "expired"
    NEEDS_REVIEW = "needs_review"


class PaymentException(enum.StrEnum):
    """In which way the payment is not what was asked for."""

    NONE = "none"
    UNDERPAID = "underpaid"
    OVERPAID = "overpaid"
    LATE = "late"
    WRONG_ASSET = "wrong_asset"
    RETRACTED = "retracted"


@attrs.frozen
class IntentTransitionRefused(Exception):
    """The intent is not in a state from which it can go where it was told to."""

    id: IntentId
    status: IntentStatus
    wanted: str


@attrs.frozen
class DepositAddress:
    """An address that belongs to one intent alone."""

    chain: ChainId
    address: str
    index: int
    """Its place under the extended public key."""


@attrs.frozen
class SharedAddress:
    """The gateway's own wallet, and the memo by which an intent's payments are known there."""

    chain: ChainId
    wallet: str
    memo: str
    """See ``domain.intents.memos``. No other intent on the chain has it."""


@attrs.frozen
class StarsInvoice:
    """An invoice in Telegram. Links to it are made when they are asked for."""

    chain: ChainId
    """``domain.stars.model.STARS_RAIL``: intents in Stars are kept beside those of chains."""
    payload: str
    """What comes back with each payment: the name of the intent that the invoice was made for."""


PayTo: TypeAlias = DepositAddress | SharedAddress | EscrowTerms | StarsInvoice


@attrs.frozen
class PaymentIntent:
    """One wish to be paid, with the money seen for it so far.

    ``received`` counts money seen on the rail, ``final`` what cannot be taken back any more and
    ``captured`` what has been booked as earned (before the fee); all in ``due``'s smallest unit.
    """

    id: IntentId
    merchant_id: MerchantId
    price: Money
    due: Money
    quote_id: QuoteId
    method: Method
    pay_to: PayTo
    fees: FeeSchedule
    policy: PaymentPolicy
    created_at: datetime
    expires_at: datetime
    attempt: Attempt
    status: IntentStatus = IntentStatus.REQUIRES_PAYMENT
    exception: PaymentException = PaymentException.NONE
    received: int = 0
    final: int = 0
    captured: int = 0
    description: str | None = None
    metadata: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def remaining(self) -> int:
        """What is still to be paid, in ``due``'s smallest unit."""
        return max(self.due.amount - self.received, 0)

    @property
    def closed(self) -> bool:
        """Tell whether money that arrives now comes after the end."""
        return self.status in {IntentStatus.EXPIRED, IntentStatus.CANCELED}

    def see(self, amount: int, *, paid_at: datetime, at: datetime) -> PaymentIntent:
        """Note money that has appeared on the rail and may still be taken back.

        Raises:
            AmountOutOfRange: it is not more than nothing.
        """
        _must_be_positive(amount)
        idle = self.attempt.state in {AttemptState.AWAITING_PAYER, AttemptState.REFUSED}
        seen = attrs.evolve(
            self,
            received=self.received + amount,
            attempt=self._attempt(AttemptState.SUBMITTED, at) if idle else self.attempt,
        )
        if self._late or (paid_at > self.expires_at and not self._paid):
            return attrs.evolve(seen, exception=PaymentException.LATE)
        enough = self.policy.enough(got=seen.received, due=self.due.amount)
        completes = enough and self.status is IntentStatus.REQUIRES_PAYMENT
        status = IntentStatus.PROCESSING if completes else self.status
        return attrs.evolve(seen, status=status, exception=seen._gap())

    def see_wrong_asset(self) -> PaymentIntent:
        """Note that something else than what is due has come to the intent's address.

        It counts for nothing here; it is kept in suspense, from where it can go back.
        """
        if self.exception not in {PaymentException.NONE, PaymentException.RETRACTED}:
            return self
        return attrs.evolve(self, exception=PaymentException.WRONG_ASSET)

    def retract_wrong_asset(self) -> PaymentIntent:
        """Note that something else than what is due is gone from the intent's address again."""
        if self.exception is not PaymentException.WRONG_ASSET:
            return self
        left = self._gap() if self.received else PaymentException.RETRACTED
        return attrs.evolve(self, exception=left)

    def finalize(self, amount: int, *, at: datetime) -> PaymentIntent:
        """Note that money seen before cannot be taken back any more.

        Where that completes the payment it is captured (or, in escrow, held); where the merchant
        wants to decide first, the intent goes to review. What is captured never becomes less.

        Raises:
            AmountOutOfRange: it is not more than nothing.
        """
        _must_be_positive(amount)
        done = attrs.evolve(self, final=self.final + amount)
        if self.method is Method.ESCROW:
            return done.review() if self._late else done
        if self._paid:
            return done._capture_what_is_due(at=at)
        if not self._late:
            return done
        enough = self.policy.enough(got=done.final, due=self.due.amount)
        if enough and self.policy.late is Verdict.ACCEPT:
            return done._capture_what_is_due(at=at)
        return done.review()

    def retract(self, amount: int, *, was_final: bool, at: datetime) -> PaymentIntent:
        """Take back money whose proof has vanished from the rail.

        Raises:
            AmountOutOfRange: it is not more than nothing.
        """
        _must_be_positive(amount)
        less = attrs.evolve(
            self,
            received=self.received - amount,
            final=self.final - amount if was_final else self.final,
        )
        if not self._late or not less.received:
            left = self.policy.enough(got=less.received, due=self.due.amount)
            told = less._gap() if left else PaymentException.RETRACTED
            less = attrs.evolve(less, exception=told)
        if was_final and self.captured:
            return attrs.evolve(
                less,
                status=IntentStatus.NEEDS_REVIEW,
                captured=min(self.captured, less.final),
                attempt=self._attempt(AttemptState.UNKNOWN, at),
            )
        if self.status is IntentStatus.NEEDS_REVIEW and not less.received:
            return attrs.evolve(less, status=IntentStatus.EXPIRED)
        enough = self.policy.enough(got=less.received, due=self.due.amount)
        if self.status is IntentStatus.PROCESSING and not enough:
            return attrs.evolve(less, status=IntentStatus.REQUIRES_PAYMENT)
        return less

    def release(self, *, at: datetime) -> PaymentIntent:
        """Succeed because the escrow has let the money go to the merchant."""
        self._must_be(IntentStatus.PROCESSING, IntentStatus.NEEDS_REVIEW, wanted="release")
        return self._capture(self.final, at=at)

    def settle_dispute(self, *, merchant_gross: int, at: datetime) -> PaymentIntent:
        """Succeed with the merchant's part of a split, or cancel where that is nothing."""
        self._must_be(IntentStatus.PROCESSING, IntentStatus.NEEDS_REVIEW, wanted="settle")
        return self._capture(merchant_gross, at=at) if merchant_gross else self.refund(at=at)

    def refund(self, *, at: datetime) -> PaymentIntent:
        """End because the escrow has given the money back."""
        self._must_be(IntentStatus.PROCESSING, IntentStatus.NEEDS_REVIEW, wanted="refund")
        return attrs.evolve(
            self,
            status=IntentStatus.CANCELED,
            attempt=self._attempt(AttemptState.REFUSED, at),
        )

    def review(self) -> PaymentIntent:
        """Leave it to a person, because the rail says something that cannot be right."""
        return attrs.evolve(self, status=IntentStatus.NEEDS_REVIEW)

    def accept(self, *, at: datetime) -> PaymentIntent:
        """Take the money in suspense, late, short or too much, by the merchant's decision.

        Raises:
            IntentTransitionRefused: nothing waits for a decision, or nothing of it is final.
        """
        self._must_be(IntentStatus.NEEDS_REVIEW, IntentStatus.SUCCEEDED, wanted="accept")
        if self.method is Method.ESCROW or self.final <= self.captured:
            raise IntentTransitionRefused(self.id, self.status, "accept")
        return self._capture(self.final, at=at)

    def assign(self, amount: int, *, paid_at: datetime, at: datetime) -> PaymentIntent:
        """Take in final money that did not say whose it was, by a person's decision.

        It counts as from when it was paid: what came in time is not late for having been found
        later, even where the intent has ended unpaid meanwhile.

        Raises:
            AmountOutOfRange: it is not more than nothing.
            IntentTransitionRefused: it is paid into the escrow contract, or in Telegram.
        """
        if self.method in {Method.ESCROW, Method.STARS}:
            raise IntentTransitionRefused(self.id, self.status, "assign")
        ran_out = self.status in {IntentStatus.EXPIRED, IntentStatus.NEEDS_REVIEW}
        reopens = ran_out and not self.captured
        then = attrs.evolve(self, status=IntentStatus.REQUIRES_PAYMENT) if reopens else self
        taken = then.see(amount, paid_at=paid_at, at=at).finalize(amount, at=at)
        still_short = reopens and taken.status is IntentStatus.REQUIRES_PAYMENT
        return taken.review() if still_short else taken

    def let_go(self, amount: int, *, at: datetime) -> PaymentIntent:
        """Count money no more that goes back to its payer, or turns out to be another intent's.

        Raises:
            AmountOutOfRange: it is not more than nothing.
            IntentTransitionRefused: so much does not lie in suspense, or a payment is under way.
        """
        _must_be_positive(amount)
        under_way = self.status in {IntentStatus.REQUIRES_PAYMENT, IntentStatus.PROCESSING}
        if under_way or amount > self.final - self.captured:
            raise IntentTransitionRefused(self.id, self.status, "let_go")
        less = attrs.evolve(self, received=self.received - amount, final=self.final - amount)
        if not less.received:
            return attrs.evolve(
                less,
                status=IntentStatus.EXPIRED,
                exception=PaymentException.NONE,
                attempt=self._attempt(AttemptState.REFUSED, at),
            )
        if self.exception in {PaymentException.OVERPAID, PaymentException.UNDERPAID}:
            return attrs.evolve(less, exception=less._gap())
        return less

    def cancel(self, *, at: datetime) -> PaymentIntent:
        """Withdraw the wish while nothing has been paid.

        Raises:
            IntentTransitionRefused: money has been seen, or the intent has ended.
        """
        self._must_be(IntentStatus.REQUIRES_PAYMENT, wanted="cancel")
        if self.received:
            raise IntentTransitionRefused(self.id, self.status, "cancel")
        return attrs.evolve(
            self,
            status=IntentStatus.CANCELED,
            attempt=self._attempt(AttemptState.REFUSED, at),
        )

    def expire(self, *, at: datetime) -> PaymentIntent:
        """End because nobody paid in time; with a part of the money here, leave it to a person.

        ``at`` is the time up to which the rail has been read without a gap, not the wall clock:
        what has not been looked at cannot be said to be unpaid.

        Raises:
            IntentTransitionRefused: it is paid or ended already, or its time is not over.
        """
        self._must_be(IntentStatus.REQUIRES_PAYMENT, wanted="expire")
        if at <= self.expires_at:
            raise IntentTransitionRefused(self.id, self.status, "expire")
        if self.received:
            return self.review()
        return attrs.evolve(
            self,
            status=IntentStatus.EXPIRED,
            attempt=self._attempt(AttemptState.REFUSED, at),
        )

    @property
    def _paid(self) -> bool:
        return self.status in {IntentStatus.PROCESSING, IntentStatus.SUCCEEDED}

    @property
    def _late(self) -> bool:
        """Tell whether what comes now is late: the end has come, or late money was first."""
        return self.closed or (self.exception is PaymentException.LATE and not self._paid)

    def _gap(self) -> PaymentException:
        if self.received > self.due.amount:
            return PaymentException.OVERPAID
        if self.policy.enough(got=self.received, due=self.due.amount):
            return PaymentException.NONE
        return PaymentException.UNDERPAID

    def _capture_what_is_due(self, *, at: datetime) -> PaymentIntent:
        if not self.policy.enough(got=self.final, due=self.due.amount):
            return self
        over = self.policy.overpaid is Verdict.ACCEPT
        amount = self.final if over else min(self.final, self.due.amount)
        return self._capture(max(amount, self.captured), at=at)

    def _capture(self, amount: int, *, at: datetime) -> PaymentIntent:
        return attrs.evolve(
            self,
            status=IntentStatus.SUCCEEDED,
            captured=amount,
            attempt=self._attempt(AttemptState.SUCCEEDED, at),
        )

    def _attempt(self, state: AttemptState, at: datetime) -> Attempt:
        return self.attempt.become(state, at=at)

    def _must_be(self, *statuses: IntentStatus, wanted: str) -> None:
        if self.status not in statuses:
            raise IntentTransitionRefused(self.id, self.status, wanted)


def _must_be_positive(amount: int) -> None:
    if amount <= 0:
        raise AmountOutOfRange(amount)
