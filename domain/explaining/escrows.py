"""What happens next with money that the escrow contract holds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.escrow.claims import WITHDRAW, WITHDRAW_TO, Side
from domain.escrow.model import ARBITER_TIMEOUT, EscrowState
from domain.explaining.model import Step, StepCode, Waiting
from domain.intents.model import IntentStatus
from domain.shared.money import Money
from domain.shared.rendering import render_time

if TYPE_CHECKING:
    from collections.abc import Iterator

    from domain.escrow.model import Escrow
    from domain.explaining.model import Case


def escrow_steps(case: Case) -> Iterator[Step]:
    """Return what an escrow waits for: a request's end, a clock, an arbiter, the merchant."""
    escrow = case.escrow
    if escrow is None:
        return
    if escrow.state is EscrowState.DISPUTED and escrow.disputed_at is not None:
        until = escrow.disputed_at + ARBITER_TIMEOUT
        yield Step(
            code=StepCode.WAITS_FOR_ARBITER,
            waits_for=Waiting.ARBITER,
            sentence="The payment is disputed. An arbiter splits it; undecided at "
            f"{render_time(until)}, it can go back to the payer.",
            at=until,
            money=escrow.terms.money,
        )
    yield from _claims(case, escrow)
    if escrow.state is not EscrowState.HELD:
        return
    if escrow.requested is not None:
        yield Step(
            code=StepCode.WAITS_FOR_ESCROW,
            waits_for=Waiting.CHAIN,
            sentence=f"The contract has been asked to {escrow.requested.value} the money; it "
            "is done when the chain has done it for good.",
            money=escrow.terms.money,
        )
        return
    yield from _clocks(case, escrow)


def _claims(case: Case, escrow: Escrow) -> Iterator[Step]:
    terms = escrow.terms
    for claim in escrow.claims:
        if not claim.is_open:
            continue
        of_merchant = claim.side is Side.MERCHANT
        money = Money(claim.amount, terms.money.asset)
        yield Step(
            code=StepCode.WAITS_FOR_WITHDRAWAL,
            waits_for=Waiting.OPERATOR if of_merchant else Waiting.PAYER,
            sentence=f"The contract {terms.contract} could not send {case.shown(claim.amount)} to "
            f"{claim.account} and keeps it: that address alone takes it out, by {WITHDRAW} or "
            f"{WITHDRAW_TO}." + (" The merchant's balance has it already." if of_merchant else ""),
            money=money,
        )


def _clocks(case: Case, escrow: Escrow) -> Iterator[Step]:
    terms = escrow.terms
    failure = escrow.failure
    if failure is not None:
        yield Step(
            code=StepCode.REQUEST_FAILED,
            waits_for=Waiting.MERCHANT,
            sentence=f"The last {failure.action.value} came to nothing: {failure.reason}. It can "
            "be asked for again; a release that is due is tried again by itself, from "
            f"{render_time(failure.try_again_at)} on.",
            at=failure.try_again_at,
            money=terms.money,
        )
    if case.intent.status is IntentStatus.NEEDS_REVIEW:
        yield Step(
            code=StepCode.NEEDS_MERCHANT,
            waits_for=Waiting.MERCHANT,
            sentence="The payment was late. Release the money, or refund it to the payer.",
            money=terms.money,
        )
    yield Step(
        code=StepCode.RELEASED_AUTOMATICALLY,
        waits_for=Waiting.TIME,
        sentence="The contract holds the money. It is released to the merchant at "
        f"{render_time(escrow.auto_release_at)}, or before if the merchant asks for it.",
        at=escrow.auto_release_at,
        money=terms.money,
    )
    yield Step(
        code=StepCode.MAY_BE_RECLAIMED,
        waits_for=Waiting.PAYER,
        sentence="What is still held at "
        f"{render_time(terms.refund_until)} the payer can take back alone.",
        at=terms.refund_until,
        money=terms.money,
    )
