"""The life of an intent at an address: any order of payments, finality, reorgs and decisions."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
)

from domain.intents.attempts import AttemptState
from domain.intents.model import IntentStatus, PaymentException
from domain.merchants.model import PaymentPolicy, Verdict
from tests.builders import NOON, an_intent, usdt

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent

S = IntentStatus
DUE = 100
IN_TIME = NOON + timedelta(minutes=30)
LATE = NOON + timedelta(hours=2)
amounts = st.sampled_from([1, 40, 60, 99, 100, 101, 250])
verdicts = st.sampled_from(Verdict)


class IntentLife(RuleBasedStateMachine):
    intent: PaymentIntent

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[int] = []
        self.final: list[int] = []
        self.accepted = False

    @initialize(tolerance=st.sampled_from([0, 100, 500]), overpaid=verdicts, late=verdicts)
    def begin(self, tolerance: int, overpaid: Verdict, late: Verdict) -> None:
        policy = PaymentPolicy(underpaid_tolerance_bps=tolerance, overpaid=overpaid, late=late)
        self.intent = an_intent(due=usdt(DUE), policy=policy)

    @rule(amount=amounts, late=st.booleans())
    def see(self, amount: int, late: bool) -> None:  # noqa: FBT001 (hypothesis passes by name)
        before = self.intent
        self.intent = before.see(amount, paid_at=LATE if late else IN_TIME, at=LATE)
        self.seen.append(amount)
        self.must_stay_ended(before)
        assert self.intent.captured == before.captured

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def finalize(self, data: st.DataObject) -> None:
        amount = self.seen.pop(data.draw(st.integers(0, len(self.seen) - 1)))
        before = self.intent
        self.intent = before.finalize(amount, at=LATE)
        self.final.append(amount)
        if not self.accepted:
            assert self.intent.captured >= before.captured
        if before.status is S.SUCCEEDED and before.exception is not PaymentException.LATE:
            assert self.intent.status is S.SUCCEEDED

    @precondition(lambda self: self.seen)
    @rule(data=st.data())
    def retract(self, data: st.DataObject) -> None:
        amount = self.seen.pop(data.draw(st.integers(0, len(self.seen) - 1)))
        before = self.intent
        self.intent = before.retract(amount, was_final=False, at=LATE)
        self.must_stay_ended(before)
        assert self.intent.captured == before.captured

    @precondition(lambda self: self.final)
    @rule(data=st.data())
    def retract_final(self, data: st.DataObject) -> None:
        amount = self.final.pop(data.draw(st.integers(0, len(self.final) - 1)))
        self.intent = self.intent.retract(amount, was_final=True, at=LATE)
        assert self.intent.status is not S.SUCCEEDED

    @rule()
    def see_another_asset(self) -> None:
        before = self.intent
        self.intent = before.see_wrong_asset()
        assert attrs.evolve(self.intent, exception=before.exception) == before

    @precondition(lambda self: self.intent.status is S.REQUIRES_PAYMENT)
    @rule()
    def expire(self) -> None:
        self.intent = self.intent.expire(at=LATE)
        assert (self.intent.status is S.EXPIRED) == (not self.seen and not self.final)

    @precondition(lambda self: self.intent.status is S.REQUIRES_PAYMENT)
    @precondition(lambda self: not self.seen and not self.final)
    @rule()
    def cancel(self) -> None:
        self.intent = self.intent.cancel(at=LATE)

    @precondition(lambda self: self.intent.status is S.NEEDS_REVIEW)
    @precondition(lambda self: self.intent.final > self.intent.captured)
    @rule()
    def accept(self) -> None:
        self.intent = self.intent.accept(at=LATE)
        self.accepted = True
        assert self.intent.captured == self.intent.final

    @invariant()
    def counts_are_those_of_the_rail(self) -> None:
        assert self.intent.received == sum(self.seen) + sum(self.final)
        assert self.intent.final == sum(self.final)

    @invariant()
    def nothing_is_captured_that_is_not_final(self) -> None:
        assert 0 <= self.intent.captured <= self.intent.final <= self.intent.received

    @invariant()
    def success_is_money_in_hand(self) -> None:
        if self.intent.status is S.SUCCEEDED:
            assert self.intent.attempt.state is AttemptState.SUCCEEDED
            enough = self.intent.policy.enough(got=self.intent.captured, due=DUE)
            assert self.accepted or enough

    @invariant()
    def nothing_is_captured_where_nothing_succeeded(self) -> None:
        if self.intent.status not in {S.SUCCEEDED, S.NEEDS_REVIEW}:
            assert self.intent.captured == 0

    def must_stay_ended(self, before: PaymentIntent) -> None:
        """What only shows or takes back money that is not final ends and reopens nothing."""
        if before.status is S.NEEDS_REVIEW and not self.intent.received:
            assert self.intent.status is S.EXPIRED
        elif before.closed or before.status in {S.SUCCEEDED, S.NEEDS_REVIEW}:
            assert self.intent.status is before.status


TestIntentLife = IntentLife.TestCase
TestIntentLife.settings = settings(max_examples=100, stateful_step_count=20, deadline=None)
