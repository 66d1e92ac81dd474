"""What comes into suspense, and what of it an intent takes out: one item for each observation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.intents.model import PaymentException
from domain.suspense.model import SuspenseItem, Why

if TYPE_CHECKING:
    from datetime import datetime

    from domain.chains.model import Observation, Transfer
    from domain.chains.places import Places
    from domain.intents.model import PaymentIntent
    from domain.shared.ids import CustomerAddressId, IntentId
    from ports.unit_of_work import UnitOfWork


def unassigned(observation: Observation, fact: Transfer, places: Places) -> SuspenseItem:
    """Return the item of money of which nothing says whose it is."""
    if fact.target == places.escrow_contract:
        why = Why.IN_CONTRACT
    else:
        why = Why.UNKNOWN_MEMO if fact.memo else Why.NO_MEMO
    return _item(observation, fact, why)


def of_other_asset(
    observation: Observation, fact: Transfer, intent: PaymentIntent
) -> SuspenseItem:
    """Return the item of money that came to an intent and is not what it is to be paid in."""
    return _item(observation, fact, Why.WRONG_ASSET, paid_to=intent.id)


def of_customer(
    observation: Observation, fact: Transfer, why: Why, *, to: CustomerAddressId
) -> SuspenseItem:
    """Return the item of money that came to a customer's address and is credited to nobody."""
    return _item(observation, fact, why, paid_to=to)


def counted(observation: Observation, fact: Transfer, intent: PaymentIntent) -> SuspenseItem:
    """Return the item of money that an intent counts, as if it had captured none of it."""
    why = why_counted(intent)
    return _item(observation, fact, why, paid_to=intent.id, counted_by=intent.id)


def why_counted(intent: PaymentIntent) -> Why:
    """Tell why an intent has not captured all that it counts."""
    if intent.exception is PaymentException.LATE:
        return Why.LATE
    over = intent.captured or intent.final > intent.due.amount
    return Why.OVERPAID if over else Why.UNDERPAID


async def keep(
    work: UnitOfWork,
    before: PaymentIntent,
    after: PaymentIntent,
    new: SuspenseItem | None = None,
    *,
    at: datetime,
) -> None:
    """Take what an intent has captured off its items, the oldest first; keep what is left.

    The intent is locked. ``new`` is an item that is not stored yet: it is, where anything of it
    stays in suspense.
    """
    gained = after.captured - before.captured
    if gained > 0 and before.final > before.captured:
        for item in await work.suspense.lock_counted(by=after.id):
            taken = min(gained, item.left)
            if not taken:
                break
            gained -= taken
            await work.suspense.save(item.capture(taken, at=at))
    if new is None:
        return
    taken = max(min(gained, new.left), 0)
    rest = new.capture(taken, at=at) if taken else new
    if rest.left:
        await work.suspense.add(rest)


def _item(
    observation: Observation,
    fact: Transfer,
    why: Why,
    *,
    paid_to: IntentId | CustomerAddressId | None = None,
    counted_by: IntentId | None = None,
) -> SuspenseItem:
    return SuspenseItem(
        key=observation.key,
        money=fact.money,
        left=fact.money.amount,
        source=fact.source,
        target=fact.target,
        memo=fact.memo,
        why=why,
        paid_to=paid_to,
        counted_by=counted_by,
        paid_at=observation.block.time,
        changed_at=observation.block.time,
    )
