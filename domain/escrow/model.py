"""Escrow: money held by a contract between a payer and a merchant until one of four ends."""

from __future__ import annotations

import enum
from datetime import datetime, timedelta

import attrs

from domain.escrow.claims import Claim, Side
from domain.fees.model import FeeLine, FeeSchedule
from domain.shared.ids import EscrowId, IntentId, MerchantId, SubmissionId
from domain.shared.money import ChainId, Money

ARBITER_TIMEOUT = timedelta(days=30)
"""After this the payer gets a disputed payment back, decided or not (``ARBITER_TIMEOUT``)."""

TRY_AGAIN_AFTER = timedelta(minutes=5)
"""How long a release that is due waits after it has come to nothing; each time twice as long."""

TRY_AGAIN_AFTER_AT_MOST = timedelta(days=1)


class EscrowState(enum.StrEnum):
    """Where an escrow stands; released, refunded and resolved are ends."""

    HELD = "held"
    DISPUTED = "disputed"
    RELEASED = "released"
    REFUNDED = "refunded"
    RESOLVED = "resolved"


class EscrowAction(enum.StrEnum):
    """What somebody has asked the contract to do."""

    RELEASE = "release"
    REFUND = "refund"


@attrs.frozen
class ClocksOutOfOrder(ValueError):
    """The clocks of an escrow must run out in this order: pay, auto-release, refund."""

    pay_by: datetime
    auto_release_at: datetime
    refund_until: datetime


@attrs.frozen
class EscrowTransitionRefused(Exception):
    """The escrow is not in a state from which it can go where it was told to."""

    id: EscrowId
    state: EscrowState
    wanted: str


@attrs.frozen
class EscrowActionInProgress(Exception):
    """Somebody has already asked for an end, and the chain has not answered yet."""

    id: EscrowId
    action: EscrowAction


@attrs.frozen
class SplitExceedsAmount(ValueError):
    """The two parts of a resolved dispute are not the amount that was held."""

    id: EscrowId
    payer_amount: int
    merchant_gross: int


@attrs.frozen
class FailedRequest:
    """What was asked of the contract and has come to nothing; the escrow is as it was."""

    action: EscrowAction
    reason: str
    at: datetime
    times: int = 1
    """How often in a row."""

    @property
    def try_again_at(self) -> datetime:
        """From when on it is asked for again by itself, if it is a release and due."""
        doublings = min(self.times - 1, 32)
        return self.at + min(TRY_AGAIN_AFTER * (1 << doublings), TRY_AGAIN_AFTER_AT_MOST)


@attrs.frozen
class DueRelease:
    """An escrow whose time has come, and where it is."""

    id: EscrowId
    chain: ChainId


@attrs.frozen
class EscrowTerms:
    """What payer and merchant agree to; the contract's payment id is the hash of it.

    Three clocks: payments are taken until ``pay_by``; from ``auto_release_at`` on anybody may
    release to the merchant; after ``refund_until`` the payer may take back what is still held.
    """

    chain: ChainId
    contract: str
    reference: str
    """The intent's id: at most 32 ASCII characters, the contract's ``ref``."""
    merchant: str
    """The address that is paid on release."""
    money: Money
    fees: FeeSchedule
    pay_by: datetime
    auto_release_at: datetime
    refund_until: datetime

    def __attrs_post_init__(self) -> None:
        if not self.pay_by <= self.auto_release_at < self.refund_until:
            raise ClocksOutOfOrder(self.pay_by, self.auto_release_at, self.refund_until)


@attrs.frozen
class WalletCall:
    """A transaction that a payer's wallet is asked for."""

    purpose: str
    """``approve`` lets the contract take the token; ``pay`` has it take the payment."""
    target: str
    data: str
    """What is called, as wallets of the chain take it."""
    value: int
    """The native coin to send along, smallest unit."""


@attrs.frozen
class Escrow:
    """One payment held by the contract."""

    id: EscrowId
    """The contract's payment id."""
    intent_id: IntentId
    merchant_id: MerchantId
    terms: EscrowTerms
    payer: str
    fee: FeeLine
    state: EscrowState
    held_at: datetime
    requested: EscrowAction | None = None
    submission_id: SubmissionId | None = None
    disputed_at: datetime | None = None
    ended_at: datetime | None = None
    payer_amount: int = 0
    """What went back to the payer, smallest units."""
    merchant_amount: int = 0
    """What went to the merchant, less the fee, smallest units."""
    failure: FailedRequest | None = None
    """The last request, where it has come to nothing and none has been granted since."""
    claims: tuple[Claim, ...] = ()
    """What could not be pushed when it ended, and so counts as gone to its owner all the same."""

    auto_release_at: datetime = attrs.field(kw_only=True)
    """From when on the gateway itself asks for the release: the terms' time, and sooner where a
    test account has brought it nearer."""

    @auto_release_at.default
    def _as_agreed(self) -> datetime:
        return self.terms.auto_release_at

    @classmethod
    def hold(
        cls, *, id: EscrowId, intent_id: IntentId, merchant_id: MerchantId,
        terms: EscrowTerms, payer: str, at: datetime,
    ) -> Escrow:  # fmt: skip
        """Open an escrow over money that the contract has taken in."""
        return cls(
            id=id, intent_id=intent_id, merchant_id=merchant_id, terms=terms, payer=payer,
            fee=terms.fees.on(terms.money), state=EscrowState.HELD, held_at=at,
        )  # fmt: skip

    def request(self, action: EscrowAction, *, submission_id: SubmissionId) -> Escrow:
        """Note that the contract has been asked for an end.

        Raises:
            EscrowTransitionRefused: the money is not held any more, or is disputed.
            EscrowActionInProgress: another request is under way.
        """
        self._must_be(EscrowState.HELD, wanted=action)
        if self.requested is not None:
            raise EscrowActionInProgress(self.id, self.requested)
        return attrs.evolve(self, requested=action, submission_id=submission_id)

    def request_again(self, *, submission_id: SubmissionId) -> Escrow:
        """Ask anew for the same end: there is proof that the last request never took effect."""
        return attrs.evolve(self, submission_id=submission_id)

    def request_failed(self, *, reason: str, at: datetime) -> Escrow:
        """Drop a request that the chain has refused with proof, and keep why."""
        if self.requested is None:
            return self
        times = 1 if self.failure is None else self.failure.times + 1
        failure = FailedRequest(self.requested, reason, at, times)
        return attrs.evolve(self, requested=None, submission_id=None, failure=failure)

    def dispute(self, *, at: datetime) -> Escrow:
        """Stop every other way out until an arbiter has decided."""
        self._must_be(EscrowState.HELD, wanted="dispute")
        return attrs.evolve(self, state=EscrowState.DISPUTED, disputed_at=at, requested=None)

    def release(self, *, at: datetime) -> Escrow:
        """End with the merchant paid, the fee taken off."""
        self._must_be(EscrowState.HELD, wanted="release")
        return self._end(EscrowState.RELEASED, at, payer=0, merchant=self.fee.net.amount)

    def refund(self, *, at: datetime) -> Escrow:
        """End with the payer paid back in full.

        A dispute that the arbiter has left undecided for ``ARBITER_TIMEOUT`` ends so as well.
        """
        if self.state is EscrowState.DISPUTED and not self.arbiter_timed_out(at=at):
            raise EscrowTransitionRefused(self.id, self.state, "refund")
        self._must_be(EscrowState.HELD, EscrowState.DISPUTED, wanted="refund")
        return self._end(EscrowState.REFUNDED, at, payer=self.terms.money.amount, merchant=0)

    def resolve(self, *, payer_amount: int, at: datetime) -> Escrow:
        """End as the arbiter decided: a part back to the payer, the rest to the merchant.

        The fee is taken off the merchant's part alone.

        Raises:
            EscrowTransitionRefused: there is no dispute.
            SplitExceedsAmount: the payer would get less than nothing or more than all.
        """
        self._must_be(EscrowState.DISPUTED, wanted="resolve")
        gross = self.terms.money.amount - payer_amount
        if payer_amount < 0 or gross < 0:
            raise SplitExceedsAmount(self.id, payer_amount, gross)
        fee = self.terms.fees.on(Money(gross, self.terms.money.asset))
        ended = self._end(EscrowState.RESOLVED, at, payer=payer_amount, merchant=fee.net.amount)
        return attrs.evolve(ended, fee=fee)

    def may_auto_release(self, *, at: datetime) -> bool:
        """Tell whether the time for the payer to object is over and nobody did."""
        return (
            self.state is EscrowState.HELD
            and self.requested is None
            and at >= self.auto_release_at
            and (self.failure is None or at >= self.failure.try_again_at)
        )

    def keep_credits(self, *, merchant_pushed: bool, payer_pushed: bool, at: datetime) -> Escrow:
        """Note which parts of an escrow that has ended could not be pushed."""
        parts = (
            (Side.MERCHANT, self.terms.merchant, self.merchant_amount, merchant_pushed),
            (Side.PAYER, self.payer, self.payer_amount, payer_pushed),
        )
        kept = (
            Claim(side, account, amount, at)
            for side, account, amount, pushed in parts
            if amount and not pushed
        )
        return attrs.evolve(self, claims=tuple(kept))

    def withdraw(self, *, account: str, to: str, at: datetime) -> Escrow:
        """Note that an account has taken out all that the contract kept for it."""
        claims = (
            claim.withdraw(to=to, at=at) if claim.account == account else claim
            for claim in self.claims
        )
        return attrs.evolve(self, claims=tuple(claims))

    def open_claim_of(self, side: Side) -> str | None:
        """Return for whom the contract still keeps a side's part, or None if it keeps none."""
        kept = (claim.account for claim in self.claims if claim.side is side and claim.is_open)
        return next(kept, None)

    def arbiter_timed_out(self, *, at: datetime) -> bool:
        """Tell whether a dispute has been left undecided for too long."""
        return self.disputed_at is not None and at >= self.disputed_at + ARBITER_TIMEOUT

    def may_reclaim(self, *, at: datetime) -> bool:
        """Tell whether the payer may take the money back alone."""
        return self.state is EscrowState.HELD and at >= self.terms.refund_until

    def _must_be(self, *states: EscrowState, wanted: str) -> None:
        if self.state not in states:
            raise EscrowTransitionRefused(self.id, self.state, wanted)

    def _end(self, state: EscrowState, at: datetime, *, payer: int, merchant: int) -> Escrow:
        return attrs.evolve(
            self,
            state=state,
            ended_at=at,
            requested=None,
            failure=None,
            payer_amount=payer,
            merchant_amount=merchant,
        )
