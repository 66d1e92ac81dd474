"""What happens next with the money of a payment intent, and when: pure rules over what is known.

The sentences are for merchants and their support; the codes are for machines. A step has a time
only where a clock decides: nobody can say when a payer pays or a block becomes final.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.explaining.escrows import escrow_steps
from domain.explaining.model import OptionCode, Step, StepCode, Waiting
from domain.intents.model import IntentStatus, Method
from domain.shared.money import Money, chain_of
from domain.shared.rendering import render_time
from domain.stars.model import PaymentState
from domain.suspense.model import ItemState, Why

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from domain.chains.finality import Rung
    from domain.explaining.model import Case
    from domain.suspense.model import SuspenseItem

_COUNTED = frozenset({Why.UNDERPAID, Why.OVERPAID, Why.LATE})


def next_steps(case: Case) -> Sequence[Step]:
    """Return what happens next, what stops everything first."""
    steps = [
        *_stops(case),
        *_finality(case),
        *_payment(case),
        *escrow_steps(case),
        *_decisions(case),
        *_payout(case),
    ]
    return steps or [_rest(case)]


def _rest(case: Case) -> Step:
    """Return the one step there is where nothing is foreseen."""
    if case.intent.status is IntentStatus.PROCESSING:
        words = "The payment has been seen, and waits until it cannot be taken back."
        return Step(code=StepCode.WAITS_FOR_FINALITY, waits_for=Waiting.CHAIN, sentence=words)
    if case.intent.status is IntentStatus.NEEDS_REVIEW:
        words = "What was captured has been taken back; an operator has to look at it."
        return Step(code=StepCode.NEEDS_OPERATOR, waits_for=Waiting.OPERATOR, sentence=words)
    if case.intent.status is IntentStatus.SUCCEEDED:
        words = "The payment is the merchant's no more: the money has gone back."
        return Step(code=StepCode.ENDED, waits_for=Waiting.NOBODY, sentence=words)
    words = "It has ended. Money that still comes is kept in suspense and is not lost."
    return Step(code=StepCode.ENDED, waits_for=Waiting.NOBODY, sentence=words)


def options(case: Case) -> Sequence[OptionCode]:
    """Return what the merchant can ask for now."""
    intent, escrow = case.intent, case.escrow
    found = []
    if intent.status is IntentStatus.REQUIRES_PAYMENT and not intent.received:
        found.append(OptionCode.CANCEL)
    if _acceptable(case):
        found.append(OptionCode.ACCEPT)
    if escrow is not None and escrow.requested is None and escrow.ended_at is None:
        held = escrow.disputed_at is None
        found += [OptionCode.RELEASE, OptionCode.REFUND] if held else []
    if case.stars is not None and case.stars.state in {PaymentState.HELD, PaymentState.MATURED}:
        found.append(OptionCode.REFUND_STARS)
    return found


def _stops(case: Case) -> Iterator[Step]:
    cursor, parked = case.cursor, case.parked
    if cursor is not None and cursor.parked is not None:
        yield Step(
            code=StepCode.CHAIN_PARKED,
            waits_for=Waiting.OPERATOR,
            sentence=f"No money moves on {cursor.chain} until an operator has looked: "
            f"{cursor.parked}.",
        )
    if cursor is not None and cursor.gap is not None:
        yield Step(
            code=StepCode.BLOCKS_NOT_READ,
            waits_for=Waiting.CHAIN,
            sentence=f"Block {cursor.gap} and perhaps later ones were left out; they are read "
            "again, and nothing expires before.",
            block=cursor.gap,
        )
    if parked is not None:
        yield Step(
            code=StepCode.ASSET_PARKED,
            waits_for=Waiting.OPERATOR,
            sentence=f"No money moves in {case.asset.symbol} until an operator has looked: "
            f"{parked.reason}.",
        )


def _finality(case: Case) -> Iterator[Step]:
    for observation in case.unsure:
        block = observation.block.number
        final = None if case.cursor is None else case.cursor.final.number
        togo = "" if final is None else f"; {max(block - final, 0)} blocks to go, {final} is final"
        money = getattr(observation.fact, "money", None)
        of = ""
        if isinstance(money, Money) and money.asset == case.intent.due.asset:
            of = f" of {case.shown(money.amount)}"
        yield Step(
            code=StepCode.WAITS_FOR_FINALITY,
            waits_for=Waiting.CHAIN,
            sentence=f"The payment{of} is in block {block}, which can still be replaced{togo}."
            f"{_large(case.held_by)}",
            money=money,
            block=block,
            final_block=final,
        )


def _large(rungs: Sequence[Rung]) -> str:
    """Say what is waited for because of an amount, of this payment or of those before it."""
    if not rungs:
        return ""
    wanted = []
    if confirmations := max(rung.confirmations for rung in rungs):
        wanted.append(f"at {confirmations} confirmations")
    if age := max(rung.age for rung in rungs):
        wanted.append(f"when it is {int(age.total_seconds())} seconds old")
    if (quorum := max(rung.quorum for rung in rungs)) > 1:
        wanted.append(f"when {quorum} providers name its block alike")
    return f" It is final {' and '.join(wanted)}, since the amount at stake is large."


def _payment(case: Case) -> Iterator[Step]:
    intent = case.intent
    if intent.status is not IntentStatus.REQUIRES_PAYMENT:
        return
    until = render_time(intent.expires_at)
    if case.at <= intent.expires_at:
        missing = case.shown(intent.remaining)
        more = f" more ({case.shown(intent.received)} has come)" if intent.received else ""
        yield Step(
            code=StepCode.WAITS_FOR_PAYMENT,
            waits_for=Waiting.PAYER,
            sentence=f"The payer has until {until} to pay {missing}{more}.",
            at=intent.expires_at,
            money=Money(intent.remaining, intent.due.asset),
        )
        return
    then = "goes to review" if intent.received else "expires"
    read = "Telegram's list" if not case.on_chain else "a final block"
    yield Step(
        code=StepCode.EXPIRES,
        waits_for=Waiting.CHAIN,
        sentence=f"The time to pay was over at {until}. It {then} when {read} of a later time "
        "has been read, for until then a payment may be there.",
        at=intent.expires_at,
        final_block=None if case.cursor is None else case.cursor.final.number,
    )


def _decisions(case: Case) -> Iterator[Step]:
    """Money in suspense: the merchant accepts what the intent counts, operators the rest."""
    intent = case.intent
    if _acceptable(case):
        extra = intent.final - intent.captured
        yield Step(
            code=StepCode.NEEDS_MERCHANT,
            waits_for=Waiting.MERCHANT,
            sentence=f"{case.shown(extra)} lies in suspense, because the payment is "
            f"{intent.exception.value}: accept it, or have an operator return it to the payer.",
            money=Money(extra, intent.due.asset),
        )
    for item in case.items:
        if item.state is ItemState.RETURNING:
            yield _item(item, StepCode.RETURNS_TO_PAYER, Waiting.CHAIN, "is on its way back.")
        elif item.state is ItemState.OPEN and item.why not in _COUNTED:
            words = f"lies in suspense ({item.why.value}); an operator returns or assigns it."
            yield _item(item, StepCode.NEEDS_OPERATOR, Waiting.OPERATOR, words)


def _item(item: SuspenseItem, code: StepCode, waits_for: Waiting, words: str) -> Step:
    return Step(
        code=code,
        waits_for=waits_for,
        sentence=f"What came with transaction {item.key.transaction} {words}",
        money=Money(item.left, item.money.asset),
    )


def _payout(case: Case) -> Iterator[Step]:
    intent = case.intent
    if not intent.captured:
        return
    if intent.method is Method.STARS:
        yield from _stars(case)
        return
    chain = chain_of(intent.due.asset)
    minimum = case.payouts.minimum(intent.due.asset)
    if not case.balance:
        words = "All that the merchant has earned in this asset has been settled."
        yield Step(code=StepCode.SETTLED, waits_for=Waiting.NOBODY, sentence=words)
    elif chain not in case.payouts.destinations:
        yield _by_hand(case, f"no address on {chain} is known to pay it to")
    elif case.balance < minimum:
        yield _by_hand(case, f"a payout is {case.shown(minimum.amount)} at least")
    else:
        by = case.at + case.settle_every
        approved = case.payouts.needs_approval(case.balance)
        then = "when an operator has approved it" if approved else "then"
        yield Step(
            code=StepCode.SETTLES,
            waits_for=Waiting.TIME,
            sentence=f"The merchant's balance, {case.shown(case.balance.amount)}, is settled by "
            f"{render_time(by)} and paid out {then}.",
            at=by,
            money=case.balance,
        )


def _by_hand(case: Case, why: str) -> Step:
    return Step(
        code=StepCode.PAID_OUT_BY_HAND,
        waits_for=Waiting.MERCHANT,
        sentence=f"The merchant's balance is {case.shown(case.balance.amount)} and is not "
        f"settled by itself: {why}.",
        money=case.balance,
    )


def _stars(case: Case) -> Iterator[Step]:
    payment = case.stars
    if payment is None:
        return
    if payment.state is PaymentState.HELD:
        yield Step(
            code=StepCode.MATURES,
            waits_for=Waiting.TIME,
            sentence=f"Telegram keeps the Stars until {render_time(payment.matures_at)}; "
            "they are pending until then.",
            at=payment.matures_at,
            money=payment.money,
        )
    elif payment.state is PaymentState.REFUNDING:
        yield Step(
            code=StepCode.RETURNS_TO_PAYER,
            waits_for=Waiting.CHAIN,
            sentence="The Stars are promised back; Telegram has not confirmed it yet.",
            money=payment.money,
        )
    elif payment.state is PaymentState.REFUND_REFUSED:
        yield Step(
            code=StepCode.NEEDS_OPERATOR,
            waits_for=Waiting.OPERATOR,
            sentence=f"Telegram refuses to refund the Stars: {payment.reason}.",
            money=payment.money,
        )
    elif payment.state is PaymentState.MATURED:
        yield _by_hand(case, "Stars are withdrawn in Telegram")


def _acceptable(case: Case) -> bool:
    intent = case.intent
    decided = intent.status in {IntentStatus.NEEDS_REVIEW, IntentStatus.SUCCEEDED}
    return decided and intent.method is not Method.ESCROW and intent.final > intent.captured
