"""What is said to happen next, for each status, exception and method."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.chains.finality import Rung
from domain.chains.model import Finality
from domain.escrow.claims import WITHDRAW, Side
from domain.escrow.model import ARBITER_TIMEOUT, TRY_AGAIN_AFTER, EscrowAction
from domain.explaining.model import Case, OptionCode, StepCode, Waiting
from domain.explaining.steps import next_steps, options
from domain.intents.model import IntentStatus, Method, PaymentException, StarsInvoice
from domain.ledger.parking import ParkedAsset
from domain.merchants.model import PayoutTerms
from domain.shared.ids import SubmissionId
from domain.shared.money import Asset, Money
from domain.stars.model import (
    REVERSIBLE_FOR,
    STARS,
    STARS_RAIL,
    ChargeId,
    PaymentRole,
    PaymentState,
    StarPayment,
    UserId,
)
from domain.suspense.model import ItemState, SuspenseItem, Why
from tests.builders import (
    CHAIN,
    NOON,
    USDT,
    address_of,
    an_escrow,
    an_escrow_intent,
    an_intent,
    usdt,
)
from tests.chain_builders import a_cursor, an_observation

if TYPE_CHECKING:
    from domain.chains.model import Cursor
    from domain.intents.model import PaymentIntent

DUE = 25 * 10**18
HOUR = timedelta(hours=1)
LATER = NOON + 2 * HOUR
S, E = IntentStatus, PaymentException
TILL = PayoutTerms(destinations={CHAIN: address_of("till")})


def a_case(intent: PaymentIntent, **changes: Any) -> Case:  # noqa: ANN401 (fields of any type)
    case = Case(
        at=NOON,
        intent=intent,
        asset=USDT,
        payouts=TILL,
        settle_every=HOUR,
        cursor=a_cursor(),
        balance=usdt(0),
    )
    return attrs.evolve(case, **changes)


def codes(case: Case) -> list[str]:
    return [step.code for step in next_steps(case)]


def an_item(**changes: Any) -> SuspenseItem:  # noqa: ANN401 (fields of any type)
    item = SuspenseItem(
        key=an_observation().key,
        money=usdt(7),
        left=7,
        source=address_of("payer"),
        target=address_of("pi_01"),
        memo=None,
        why=Why.WRONG_ASSET,
        paid_to=an_intent().id,
        counted_by=None,
        paid_at=NOON,
        changed_at=NOON,
    )
    return attrs.evolve(item, **changes)


@pytest.mark.parametrize("method", [Method.ADDRESS, Method.MEMO, Method.ESCROW, Method.STARS])
def test_an_unpaid_intent_waits_for_its_payer_until_it_expires(method: Method) -> None:
    [step] = next_steps(a_case(an_intent(method=method)))
    assert (step.code, step.waits_for) == (StepCode.WAITS_FOR_PAYMENT, Waiting.PAYER)
    assert step.at == NOON + HOUR
    assert step.money == usdt(DUE)
    assert step.sentence == "The payer has until 2026-03-01T13:00:00.000000Z to pay 25 USDT."


def test_what_is_short_is_told() -> None:
    short = an_intent(received=10**19, final=10**19, exception=E.UNDERPAID)
    [step] = next_steps(a_case(short))
    assert step.money == usdt(DUE - 10**19)
    assert step.sentence.endswith("to pay 15 USDT more (10 USDT has come).")


@pytest.mark.parametrize(
    ("intent", "words"),
    [
        (an_intent(), "It expires when a final block"),
        (an_intent(received=1, final=1, exception=E.UNDERPAID), "It goes to review when a final"),
        (
            an_intent(method=Method.STARS, pay_to=StarsInvoice(STARS_RAIL, "pi_01")),
            "It expires when Telegram's list",
        ),
    ],
)
def test_after_its_time_an_intent_ends_only_when_the_rail_was_read(
    intent: PaymentIntent, words: str
) -> None:
    [step] = next_steps(a_case(intent, at=LATER))
    assert (step.code, step.waits_for) == (StepCode.EXPIRES, Waiting.CHAIN)
    assert words in step.sentence


@pytest.mark.parametrize("finality", [Finality.SEEN, Finality.SAFE])
@pytest.mark.parametrize("method", [Method.ADDRESS, Method.MEMO, Method.ESCROW])
def test_a_payment_waits_until_its_block_is_final(finality: Finality, method: Method) -> None:
    paid = an_intent(method=method, status=S.PROCESSING, received=DUE)
    seen = an_observation(block=120, finality=finality)
    cursor = a_cursor(121, final=117)
    [step] = next_steps(a_case(paid, observations=[seen], cursor=cursor))
    assert step.code is StepCode.WAITS_FOR_FINALITY
    assert (step.block, step.final_block) == (120, 117)
    assert "in block 120" in step.sentence
    assert "3 blocks to go, 117 is final" in step.sentence


@pytest.mark.parametrize(
    ("rungs", "words"),
    [
        ([{"confirmations": 64}], "at 64 confirmations, since the amount at stake is large."),
        ([{"age": HOUR}], "when it is 3600 seconds old, since"),
        (
            [{"confirmations": 12, "quorum": 3}, {"confirmations": 64}],
            "It is final at 64 confirmations and when 3 providers name its block alike, since",
        ),
    ],
)
def test_what_a_large_amount_waits_for_is_told(rungs: list[dict[str, Any]], words: str) -> None:
    paid = an_intent(status=S.PROCESSING, received=DUE)
    held_by = [Rung(at_least=usdt(1), **evidence) for evidence in rungs]
    [step] = next_steps(a_case(paid, observations=[an_observation()], held_by=held_by))
    assert step.code is StepCode.WAITS_FOR_FINALITY
    assert words in step.sentence


@pytest.mark.parametrize("finality", [Finality.FINAL, Finality.RETRACTED])
def test_what_is_final_or_gone_is_not_waited_for(finality: Finality) -> None:
    seen = an_observation(finality=finality)
    found = codes(a_case(an_intent(exception=E.RETRACTED), observations=[seen]))
    assert found == [StepCode.WAITS_FOR_PAYMENT]


def test_what_stops_everything_comes_first() -> None:
    parked = ParkedAsset(USDT.id, "books and chain disagree", None, NOON)
    stopped = attrs.evolve(a_cursor(), parked="a final block was replaced", gap=5)
    steps = next_steps(a_case(an_intent(), parked=parked, cursor=stopped))
    assert [step.code for step in steps] == [
        StepCode.CHAIN_PARKED,
        StepCode.BLOCKS_NOT_READ,
        StepCode.ASSET_PARKED,
        StepCode.WAITS_FOR_PAYMENT,
    ]
    assert "a final block was replaced" in steps[0].sentence
    assert steps[1].block == 5


def test_an_escrow_is_released_by_the_clock_or_the_merchant() -> None:
    escrow = an_escrow()
    held = an_escrow_intent(status=S.PROCESSING, received=DUE, final=DUE)
    case = a_case(held, escrow=escrow)
    released, reclaimed = next_steps(case)
    assert (released.code, released.at) == (
        StepCode.RELEASED_AUTOMATICALLY,
        escrow.terms.auto_release_at,
    )
    assert (reclaimed.code, reclaimed.at) == (
        StepCode.MAY_BE_RECLAIMED,
        escrow.terms.refund_until,
    )
    assert options(case) == [OptionCode.RELEASE, OptionCode.REFUND]


def test_an_escrow_that_was_asked_waits_for_the_chain() -> None:
    asked = attrs.evolve(an_escrow(), requested=EscrowAction.REFUND)
    case = a_case(an_escrow_intent(status=S.PROCESSING), escrow=asked)
    [step] = next_steps(case)
    assert step.code is StepCode.WAITS_FOR_ESCROW
    assert "asked to refund" in step.sentence
    assert options(case) == []


def test_a_release_that_came_to_nothing_says_why_and_when_it_is_tried_again() -> None:
    asked = an_escrow().request(EscrowAction.RELEASE, submission_id=SubmissionId("sub_01"))
    failed = asked.request_failed(reason="left alone", at=LATER)
    case = a_case(an_escrow_intent(status=S.PROCESSING), escrow=failed)

    [step, *_] = next_steps(case)

    assert (step.code, step.at) == (StepCode.REQUEST_FAILED, LATER + TRY_AGAIN_AFTER)
    assert "The last release came to nothing: left alone." in step.sentence
    assert OptionCode.RELEASE in options(case)


@pytest.mark.parametrize("side", Side)
def test_a_claim_waits_for_its_owner_to_withdraw_it(side: Side) -> None:
    of_merchant = side is Side.MERCHANT
    ended = an_escrow().release(at=LATER) if of_merchant else an_escrow().refund(at=LATER)
    kept = ended.keep_credits(merchant_pushed=False, payer_pushed=False, at=LATER)
    case = a_case(an_escrow_intent(status=S.SUCCEEDED), escrow=kept)

    [step] = [it for it in next_steps(case) if it.code is StepCode.WAITS_FOR_WITHDRAWAL]

    [claim] = kept.claims
    assert step.waits_for is (Waiting.OPERATOR if of_merchant else Waiting.PAYER)
    assert claim.account in step.sentence
    assert WITHDRAW in step.sentence
    assert step.money == Money(claim.amount, USDT.id)
    taken = kept.withdraw(account=claim.account, to=claim.account, at=LATER)
    assert StepCode.WAITS_FOR_WITHDRAWAL not in codes(attrs.evolve(case, escrow=taken))


def test_a_dispute_waits_for_the_arbiter() -> None:
    disputed = an_escrow().dispute(at=LATER)
    case = a_case(an_escrow_intent(status=S.PROCESSING), escrow=disputed)
    [step] = next_steps(case)
    assert (step.code, step.at) == (StepCode.WAITS_FOR_ARBITER, LATER + ARBITER_TIMEOUT)
    assert options(case) == []


def test_a_late_escrow_needs_its_merchant() -> None:
    late = an_escrow_intent(status=S.NEEDS_REVIEW, exception=E.LATE, received=DUE, final=DUE)
    assert codes(a_case(late, escrow=an_escrow()))[0] is StepCode.NEEDS_MERCHANT


@pytest.mark.parametrize("exception", [E.LATE, E.UNDERPAID])
@pytest.mark.parametrize("method", [Method.ADDRESS, Method.MEMO])
def test_money_in_review_needs_its_merchant(exception: PaymentException, method: Method) -> None:
    review = an_intent(
        method=method, status=S.NEEDS_REVIEW, exception=exception, received=9, final=9
    )
    case = a_case(review)
    [step] = next_steps(case)
    assert (step.code, step.waits_for) == (StepCode.NEEDS_MERCHANT, Waiting.MERCHANT)
    assert step.money == usdt(9)
    assert exception.value in step.sentence
    assert options(case) == [OptionCode.ACCEPT]


def test_too_much_is_the_merchants_to_accept_beside_what_settles() -> None:
    over = an_intent(
        status=S.SUCCEEDED, exception=E.OVERPAID, received=DUE + 5, final=DUE + 5, captured=DUE
    )
    case = a_case(over, balance=usdt(DUE))
    accept, settles = next_steps(case)
    assert (accept.code, accept.money) == (StepCode.NEEDS_MERCHANT, usdt(5))
    assert (settles.code, settles.at) == (StepCode.SETTLES, NOON + HOUR)
    assert options(case) == [OptionCode.ACCEPT]


@pytest.mark.parametrize("status", [S.REQUIRES_PAYMENT, S.EXPIRED])
def test_a_wrong_asset_needs_an_operator(status: IntentStatus) -> None:
    wrong = an_intent(status=status, exception=E.WRONG_ASSET)
    assert StepCode.NEEDS_OPERATOR in codes(a_case(wrong, items=[an_item()]))
    back = an_item(state=ItemState.RETURNING)
    assert StepCode.RETURNS_TO_PAYER in codes(a_case(wrong, items=[back]))
    gone = an_item(state=ItemState.RETURNED)
    assert StepCode.NEEDS_OPERATOR not in codes(a_case(wrong, items=[gone]))


@pytest.mark.parametrize(
    ("balance", "payouts", "code"),
    [
        (DUE, TILL, StepCode.SETTLES),
        (0, TILL, StepCode.SETTLED),
        (DUE, PayoutTerms(), StepCode.PAID_OUT_BY_HAND),
        (5, attrs.evolve(TILL, minimums={USDT.id: 6}), StepCode.PAID_OUT_BY_HAND),
    ],
)
def test_what_was_captured_settles(balance: int, payouts: PayoutTerms, code: StepCode) -> None:
    paid = an_intent(status=S.SUCCEEDED, received=DUE, final=DUE, captured=DUE)
    assert codes(a_case(paid, balance=usdt(balance), payouts=payouts)) == [code]


def test_a_large_settlement_is_approved_first() -> None:
    paid = an_intent(status=S.SUCCEEDED, received=DUE, final=DUE, captured=DUE)
    careful = attrs.evolve(TILL, approval_above={USDT.id: 1})
    [step] = next_steps(a_case(paid, balance=usdt(DUE), payouts=careful))
    assert "when an operator has approved it" in step.sentence


@pytest.mark.parametrize(
    ("state", "code", "refundable"),
    [
        (PaymentState.HELD, StepCode.MATURES, True),
        (PaymentState.MATURED, StepCode.PAID_OUT_BY_HAND, True),
        (PaymentState.REFUNDING, StepCode.RETURNS_TO_PAYER, False),
        (PaymentState.REFUND_REFUSED, StepCode.NEEDS_OPERATOR, False),
        (PaymentState.REFUNDED, StepCode.ENDED, False),
        (PaymentState.TAKEN_BACK, StepCode.ENDED, False),
    ],
)
def test_stars(state: PaymentState, code: StepCode, *, refundable: bool) -> None:
    invoice = StarsInvoice(STARS_RAIL, "pi_01")
    money = Money(50, STARS)
    paid = an_intent(
        method=Method.STARS, pay_to=invoice, due=money, status=S.SUCCEEDED, captured=50,
        received=50, final=50,
    )  # fmt: skip
    charge = StarPayment(
        id=ChargeId("charge"), payer=UserId(1), payload="pi_01", money=money, paid_at=NOON,
        role=PaymentRole.PAYMENT, intent_id=paid.id, matures_at=NOON + REVERSIBLE_FOR, state=state,
        reason="spent" if state is PaymentState.REFUND_REFUSED else None,
    )  # fmt: skip
    stars = Asset(STARS, "XTR", decimals=0)
    case = a_case(paid, asset=stars, stars=charge, cursor=None, balance=Money(0, STARS))
    assert codes(case) == [code]
    assert (OptionCode.REFUND_STARS in options(case)) is refundable


@pytest.mark.parametrize("status", [S.CANCELED, S.EXPIRED])
def test_an_ended_intent_has_ended(status: IntentStatus) -> None:
    assert codes(a_case(an_intent(status=status))) == [StepCode.ENDED]


def test_what_was_captured_and_is_gone_needs_an_operator() -> None:
    gone = an_intent(status=S.NEEDS_REVIEW, exception=E.RETRACTED)
    assert codes(a_case(gone)) == [StepCode.NEEDS_OPERATOR]


def test_an_intent_can_be_canceled_only_while_nothing_has_come() -> None:
    assert options(a_case(an_intent())) == [OptionCode.CANCEL]
    assert options(a_case(an_intent(received=1, exception=E.UNDERPAID))) == []


@pytest.mark.parametrize("cursor", [None, a_cursor()])
@pytest.mark.parametrize("exception", list(E))
@pytest.mark.parametrize("method", list(Method))
@pytest.mark.parametrize("status", list(S))
def test_something_is_said_of_every_intent(
    status: IntentStatus, method: Method, exception: PaymentException, cursor: Cursor | None
) -> None:
    for received in (0, DUE):
        intent = an_intent(
            status=status, method=method, exception=exception, received=received, final=received
        )
        steps = next_steps(a_case(intent, at=LATER, cursor=cursor))
        assert steps
        assert all(step.sentence.endswith(".") for step in steps)
