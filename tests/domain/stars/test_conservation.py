"""Whatever is paid, told, lost and taken back, in any order: the books are Telegram's list."""

from __future__ import annotations

import asyncio
import inspect
from contextlib import suppress
from typing import TYPE_CHECKING

import attrs
from hypothesis import given, settings
from hypothesis import strategies as st

from domain.intents.model import PaymentIntent
from domain.ledger.accounts import PLATFORM_FEES
from domain.ledger.model import InsufficientFunds
from domain.stars.model import (
    OURS,
    Charge,
    PaymentRole,
    PaymentState,
    Recurrence,
    Reversal,
)
from ports.stars import StarsUnavailable
from ports.unit_of_work import NotFound
from tests.domain.stars.till import DUE, Till, new_till

if TYPE_CHECKING:
    from domain.stars.model import ChargeId

ENDED = {PaymentState.REFUNDED, PaymentState.TAKEN_BACK}


@attrs.frozen
class Acts:
    """What can happen at a till. Each act takes a number, which says to what or how much."""

    till: Till
    intents: list[PaymentIntent]

    async def charge(self, n: int) -> None:
        self.till.bot.charge(self.intents[n % len(self.intents)].id, DUE)

    async def subscribe(self, n: int) -> None:
        intent = self.intents[n % len(self.intents)]
        recurrence = Recurrence.RENEWAL if n % 3 else Recurrence.FIRST
        self.till.bot.charge(intent.id, DUE, recurrence=recurrence)

    async def stray(self, n: int) -> None:
        self.till.bot.charge(f"nobody's {n}", 1 + n)

    async def tell(self, n: int) -> None:
        await self.till.deliver(times=1 + n % 2)

    async def tell_last_first(self, _: int) -> None:
        self.till.bot.updates.reverse()
        await self.till.deliver()

    async def lose(self, _: int) -> None:
        self.till.bot.updates.clear()

    async def refund(self, n: int) -> None:
        charged = self._charged()
        with suppress(NotFound):
            if charged:
                await self.till.stars.refund_charge(charge_id=charged[n % len(charged)])

    async def carry_out(self, _: int) -> None:
        await self.till.stars.carry_out_refunds()

    async def fail(self, n: int) -> None:
        self.till.bot.fail_next(after=n % 3)

    async def lose_answer(self, _: int) -> None:
        self.till.bot.lose_next_answer()

    async def take_back(self, n: int) -> None:
        charged = self._charged()
        if charged:
            self.till.bot.take_back(charged[n % len(charged)])

    async def mature(self, _: int) -> None:
        await self.till.stars.mature()

    async def reconcile(self, _: int) -> None:
        await self.till.reconciliation.reconcile()

    async def wait(self, n: int) -> None:
        self.till.clock.advance(days=n)

    def _charged(self) -> list[ChargeId]:
        return [line.id for line in self.till.bot.lines if isinstance(line, Charge)]


ACTS = tuple(name for name in vars(Acts) if inspect.iscoroutinefunction(getattr(Acts, name)))


async def play(script: list[tuple[str, int]]) -> None:
    till = await new_till()
    intents = [await till.intent() for _ in range(2)]
    acts = Acts(till, intents)
    for what, n in script:
        with suppress(StarsUnavailable, InsufficientFunds):
            await getattr(acts, what)(n)
    till.bot.work_again()
    await till.reconciliation.reconcile()
    await till.stars.carry_out_refunds()
    report = await till.reconciliation.reconcile()
    assert (report.found, report.missing, report.complete) == ((), (), True)

    lines = till.bot.lines
    charges = {line.id: line for line in lines if isinstance(line, Charge)}
    back = {line.charge_id for line in lines if isinstance(line, Reversal)}
    payments = {id: await till.payment(id) for id in charges}
    assert {id for id, it in payments.items() if it.state in ENDED} == back
    assert all(it.state in OURS for id, it in payments.items() if id not in back)
    assert all(payments[id].role is not PaymentRole.SURPLUS for id in charges.keys() - back)

    books = await till.books()
    here = sum(it.money.amount for id, it in charges.items() if id not in back)
    assert books.get("held", 0) + books.get("withdrawable", 0) == here
    owed = sum(books.get(name, 0) for name in ("pending", "available", "suspense"))
    assert owed + await till.booked(PLATFORM_FEES) == here
    assert min(books.values(), default=0) >= 0
    of_intents = [
        it for it in payments.values() if it.role is PaymentRole.PAYMENT and it.state in OURS
    ]
    page = await till.intents.page(owner=till.merchant.id, limit=100)
    assert sum(it.received for it in page) == sum(it.money.amount for it in of_intents)


@settings(max_examples=150)
@given(st.lists(st.tuples(st.sampled_from(ACTS), st.integers(0, 40)), max_size=25))
def test_the_books_come_to_what_telegram_lists(script: list[tuple[str, int]]) -> None:
    asyncio.run(play(script))
