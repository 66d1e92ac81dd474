"""What must hold of payments in Telegram Stars: every charge is one, and somebody's."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from config.simulation.broken import must
from domain.ledger.accounts import custody, suspense
from domain.stars.model import (
    OURS,
    STARS,
    Charge,
    PaymentRole,
    PaymentState,
    Reversal,
    Unexplained,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from config.simulation.world import World
    from domain.intents.model import PaymentIntent
    from domain.ledger.accounts import Account
    from domain.stars.model import ChargeId, StarPayment

MATURE_AFTER = timedelta(days=21)
"""How long Stars cannot be withdrawn, by Telegram's word."""
SKEW_MAX = timedelta(minutes=10)
"""By how much a machine's clock is off, and more."""
MATURED_WITHIN = timedelta(days=3)
"""How long it may take at most to free Stars that nobody has to decide on."""
GONE = frozenset({PaymentState.REFUNDED, PaymentState.TAKEN_BACK})
OURS_HELD: Account = custody("stars", "held")
OURS_FREE: Account = custody("stars", "withdrawable")
SUSPENSE: Account = suspense("stars")


class StarRules:
    """Looks at charges: what each commit has changed, and all of them together."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._tables = world.store.tables

    def payment(
        self, key: ChargeId, before: StarPayment | None, after: StarPayment | None
    ) -> None:
        """Look at what a commit has made of a charge.

        Raises:
            Broken: an invariant does not hold any more.
        """
        must(after is not None, "a charge is kept", key)
        telegram = self._world.telegram
        if after is None or telegram is None:
            return
        charge = telegram.bot.charged(key)
        told = charge is not None and (charge.payload, charge.money) == (
            after.payload,
            after.money,
        )
        must(told, "a charge is as Telegram has it", key)
        if before is not None and before.state in GONE:
            must(after.state is before.state, "a charge ends once", key)
        if after.state in GONE:
            must(telegram.bot.is_back(key), "what is called given back is", key)
        if after.state is PaymentState.REFUND_REFUSED:
            must(key in telegram.refused, "what is called refused was refused", key)
        if after.role is PaymentRole.SURPLUS:
            must(after.state not in OURS, "a second charge goes back", key)
        if after.state is PaymentState.MATURED:
            now = self._world.clock.now() + SKEW_MAX
            must(now >= after.paid_at + MATURE_AFTER, "Stars are free after 21 days", key)
        pays = after.intent_id if after.role is PaymentRole.PAYMENT else None
        if pays is not None:
            paying = self._tables.star_payments.where(intent=pays)
            must(len(paying) == 1, "an intent is paid by one charge", pays)
        held = self._booked(after)
        wanted = 0 if after.state in GONE else after.money.amount
        must(held == wanted, "a charge is credited once", f"{key} {held} of {wanted}")
        intent = None if pays is None else self._tables.intents.get(pays)
        if intent is not None:
            self.intent(intent)

    def intent(self, intent: PaymentIntent) -> None:
        """See that an intent has received what its charge brought, while that is ours.

        Raises:
            Broken: it has not.
        """
        ours = sum(it.money.amount for it in self._paying(intent))
        right = intent.received == intent.final == ours
        must(right, "received is what was charged", f"{intent.id} {intent.received} of {ours}")

    def is_earned(self, intent: PaymentIntent) -> bool:
        """Tell whether an intent's charge is nobody's but its merchant's."""
        return bool(self._paying(intent))

    def at_rest(self) -> None:
        """Set the books, the charges and Telegram's list against each other.

        Raises:
            Broken: they do not fit.
        """
        telegram = self._world.telegram
        if telegram is None:
            return
        for line in telegram.bot.lines[: self._read]:
            if isinstance(line, Unexplained):
                continue
            id = line.charge_id if isinstance(line, Reversal) else line.id
            payment = self._tables.star_payments.get(id)
            must(payment is not None, "what the list has is claimed", id)
            if payment is not None and isinstance(line, Reversal):
                must(payment.state in GONE, "what the list has taken back is gone", id)
        payments, sums = list(self._tables.star_payments), self._tables.sums
        here = sum(it.money.amount for it in payments if it.state not in GONE)
        booked = sum(sums.get((account, STARS)) or 0 for account in (OURS_HELD, OURS_FREE))
        must(booked == here, "the books have the charges", f"{booked} of {here}")
        captured = sum(
            intent.captured
            for it in payments
            if it.role is PaymentRole.PAYMENT and it.state in OURS and it.intent_id is not None
            if (intent := self._tables.intents.get(it.intent_id)) is not None
        )
        waiting = -(sums.get((SUSPENSE, STARS)) or 0)
        right = waiting == here - captured
        must(right, "no Star is lost in suspense", f"{waiting} of {here} - {captured}")

    def left(self) -> Iterator[str]:
        """Name what still waits for something."""
        telegram = self._world.telegram
        if telegram is None:
            return
        if self._read < len(telegram.bot.lines):
            yield f"the list was read up to line {self._read} of {len(telegram.bot.lines)}"
        for it in self._tables.star_payments:
            if it.state in {PaymentState.REFUNDING, PaymentState.REFUND_REFUSED}:
                yield f"{it.id} is {it.state}"
            elif it.state is PaymentState.HELD and self._is_overdue(it):
                yield f"{it.id} is held for too long"

    def all_is_there(self) -> None:
        """See that the books have what the bot has, at the very end.

        Raises:
            Broken: they have not.
        """
        telegram = self._world.telegram
        if telegram is None:
            return
        others = sum(it.money.amount for it in telegram.bot.lines if isinstance(it, Unexplained))
        wanted = telegram.bot.balance - others
        sums = self._tables.sums
        booked = sum(sums.get((account, STARS)) or 0 for account in (OURS_HELD, OURS_FREE))
        must(booked == wanted, "the books equal the bot's balance", f"{booked} of {wanted}")
        charges = [it for it in telegram.bot.lines if isinstance(it, Charge)]
        for charge in charges:
            claimed = self._tables.star_payments.get(charge.id) is not None
            must(claimed, "every charge is claimed", charge.id)

    @property
    def _read(self) -> int:
        return sum(it.lines for it in self._tables.star_readings)

    def _paying(self, intent: PaymentIntent) -> list[StarPayment]:
        found = self._tables.star_payments.where(intent=intent.id)
        return [it for it in found if it.state in OURS]

    def _is_overdue(self, payment: StarPayment) -> bool:
        return self._world.clock.now() >= payment.matures_at + MATURED_WITHIN

    def _booked(self, payment: StarPayment) -> int:
        """Return what the bookings of a charge say that we hold of it."""
        return sum(
            posting.money.amount
            for it in self._tables.transactions.where(reference=payment.reference)
            for posting in it.transaction.postings
            if posting.account in {OURS_HELD, OURS_FREE}
        )
