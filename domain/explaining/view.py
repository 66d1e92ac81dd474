"""An explanation as its merchant sees it."""

from __future__ import annotations

from typing import TYPE_CHECKING, assert_never

from domain.chains.addresses import shown
from domain.chains.model import EscrowPaid, Finality, Transfer
from domain.escrow.model import EscrowTerms
from domain.escrow.view import view_escrow
from domain.explaining.model import OptionCode
from domain.explaining.steps import next_steps, options
from domain.intents.model import DepositAddress, SharedAddress, StarsInvoice
from domain.intents.view import view_intent, view_quote
from domain.shared.money import Money
from domain.shared.rendering import render_amount, render_time, render_time_or_none
from domain.stars.view import view_payment

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from domain.chains.coverage import Stretch
    from domain.chains.model import Block, Cursor, Observation
    from domain.explaining.model import Beside, Case, Step
    from domain.intents.quotes import Quote
    from domain.ledger.model import BookedTransaction
    from domain.shared.events import Json, RecordedEvent
    from domain.shared.money import Assets
    from domain.suspense.model import SuspenseItem

_PATHS = {
    OptionCode.CANCEL: "cancel",
    OptionCode.ACCEPT: "accept",
    OptionCode.RELEASE: "escrow/release",
    OptionCode.REFUND: "escrow/refund",
    OptionCode.REFUND_STARS: "stars/refund",
}


def view_case(case: Case, assets: Assets) -> dict[str, Json]:
    """Show where an intent's money is, and what happens next."""
    intent = case.intent
    return {
        "object": "payment_intent_explanation",
        "payment_intent": view_intent(intent, assets),
        "as_of": render_time(case.at),
        "pay": _how_to_pay(case),
        "next": [_step(step, assets) for step in next_steps(case)],
        "options": [
            {
                "code": code.value,
                "method": "POST",
                "path": f"/v1/payment_intents/{intent.id}/{_PATHS[code]}",
            }
            for code in options(case)
        ],
        "chain": _chain(case.cursor),
        "scanned": [_stretch(each) for each in case.stretches],
        "gaps": [{"first": first, "last": last} for first, last in _gaps(case.stretches)],
        "observations": [_observation(each, case, assets) for each in case.observations],
        "quote": None if case.quote is None else _quote(case.quote, assets, at=case.at),
        "escrow": None if case.escrow is None else view_escrow(case.escrow, assets),
        "stars": None if case.stars is None else view_payment(case.stars, assets),
        "suspense": [_item(each, assets) for each in case.items],
        "postings": [each for booked in case.bookings for each in _postings(booked, assets)],
        "events": [_event(each) for each in case.events],
    }


def view_beside(beside: Beside, assets: Assets) -> dict[str, Json]:
    """Show what stands beside an intent; null where it was not asked for, or is not there."""
    quote, escrow = beside.quote, beside.escrow
    return {
        "quote": None if quote is None else view_quote(quote, assets),
        "escrow": None if escrow is None else view_escrow(escrow, assets),
    }


def _how_to_pay(case: Case) -> str:
    """Say in words where the intent is to be paid."""
    to, amount = case.intent.pay_to, case.shown(case.intent.due.amount)
    match to:
        case DepositAddress():
            where = shown(to.address, chain=to.chain)
            return f"{amount} to {where} on {to.chain}, an address of this payment alone."
        case SharedAddress():
            where = shown(to.wallet, chain=to.chain)
            return (
                f"{amount} to {where} on {to.chain} with the memo {to.memo}, by which alone "
                "the payment is known."
            )
        case EscrowTerms():
            return (
                f"{amount} into the escrow contract {to.contract} on {to.chain}, by the payer's "
                "wallet and with the terms of this payment."
            )
        case StarsInvoice():
            return f"{amount} by an invoice in Telegram, to which links are made when asked for."
        case _:
            assert_never(to)


def _step(step: Step, assets: Assets) -> dict[str, Json]:
    return {
        "code": step.code.value,
        "waits_for": step.waits_for.value,
        "sentence": step.sentence,
        "at": render_time_or_none(step.at),
        "amount": None if step.money is None else _money(step.money, assets),
        "block": step.block,
        "final_block": step.final_block,
    }


def _chain(cursor: Cursor | None) -> dict[str, Json] | None:
    if cursor is None:
        return None
    return {
        "id": cursor.chain,
        "parked": cursor.parked,
        "first_gap": cursor.gap,
        "newest_block": _block(cursor.seen),
        "final_block": _block(cursor.final),
    }


def _block(block: Block) -> dict[str, Json]:
    return {"number": block.number, "hash": block.hash, "time": render_time(block.time)}


def _stretch(stretch: Stretch) -> dict[str, Json]:
    return {
        "first": stretch.first,
        "last": stretch.last,
        "provider": stretch.provider,
        "began_at": render_time(stretch.began_at),
        "ended_at": render_time(stretch.ended_at),
    }


def _gaps(stretches: Sequence[Stretch]) -> Iterator[tuple[int, int]]:
    """Return the first and last blocks of what lies between stretches and was not read."""
    reached = None
    for stretch in stretches:
        if reached is not None and stretch.first > reached + 1:
            yield reached + 1, stretch.first - 1
        reached = max(reached or 0, stretch.last)


def _observation(observation: Observation, case: Case, assets: Assets) -> dict[str, Json]:
    fact = observation.fact
    if not isinstance(fact, Transfer | EscrowPaid):
        raise TypeError(fact)
    due = fact.money.asset == case.intent.due.asset
    return {
        "transaction": observation.key.transaction,
        "position": observation.key.position,
        "block": _block(observation.block),
        "source": fact.source if isinstance(fact, Transfer) else fact.payer,
        "memo": fact.memo if isinstance(fact, Transfer) else None,
        "amount": _money(fact.money, assets),
        "finality": observation.finality.value,
        "counts": due and observation.finality is not Finality.RETRACTED,
    }


def _quote(quote: Quote, assets: Assets, *, at: datetime) -> dict[str, Json]:
    ages: list[Json] = [
        {
            "source": each.source,
            "age_seconds": int((quote.created_at - each.observed_at).total_seconds()),
        }
        for each in quote.sources
    ]
    return {
        "quote": view_quote(quote, assets),
        "age_seconds": int((at - quote.created_at).total_seconds()),
        "source_ages": ages,
    }


def _item(item: SuspenseItem, assets: Assets) -> dict[str, Json]:
    return {
        "id": item.id,
        "state": item.state.value,
        "why": item.why.value,
        "transaction": item.key.transaction,
        "amount": _money(item.money, assets),
        "amount_left": _money(Money(item.left, item.money.asset), assets),
        "paid_at": render_time(item.paid_at),
        "payout": item.payout_id,
    }


def _postings(booked: BookedTransaction, assets: Assets) -> Iterator[dict[str, Json]]:
    for posting in booked.transaction.postings:
        money = posting.money
        yield {
            "transaction": booked.id,
            "kind": booked.transaction.kind,
            "account": posting.account,
            "side": "debit" if money.amount > 0 else "credit",
            "amount": _money(money if money.amount > 0 else -money, assets),
            "effective_at": render_time(booked.transaction.effective_at),
            "booked_at": render_time(booked.booked_at),
        }


def _event(recorded: RecordedEvent) -> dict[str, Json]:
    return {
        "id": recorded.id,
        "type": recorded.event.type,
        "sequence": recorded.sequence,
        "timestamp": render_time(recorded.event.occurred_at),
    }


def _money(money: Money, assets: Assets) -> dict[str, Json]:
    """Show an amount, also of an asset that is not on the list (any more)."""
    known = assets.by_id.get(money.asset)
    if known is not None:
        return render_amount(money.amount, known)
    amount = str(money.amount)
    return {"asset": money.asset, "amount": amount, "decimal": None, "symbol": None}
