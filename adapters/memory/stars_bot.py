"""A bot that takes Stars, and Telegram around it, in memory: with verbs for payers and faults."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from itertools import count
from typing import TYPE_CHECKING, TypeVar

import attrs

from domain.shared.money import Money
from domain.stars.model import (
    STARS,
    Charge,
    ChargeId,
    Invoice,
    Listed,
    PreCheckout,
    Recurrence,
    Reversal,
    StarUpdate,
    Unexplained,
    UserId,
)
from ports.clock import Clock
from ports.stars import LINES_MAX, StarsRefused, StarsUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime


_Answer = TypeVar("_Answer")


@attrs.define(eq=False)
class InMemoryStarsBot:
    """Keeps invoices, charges and the list of transactions; ``updates`` is what was told."""

    clock: Clock
    invoices: dict[str, Invoice] = attrs.field(factory=dict, init=False)
    """By their links."""
    answers: dict[str, str | None] = attrs.field(factory=dict, init=False)
    """What was said to pre-checkouts: None let the payer pay."""
    lines: list[Listed] = attrs.field(factory=list, init=False)
    updates: deque[StarUpdate] = attrs.field(factory=deque, init=False)
    refusals: dict[ChargeId, str] = attrs.field(factory=dict, init=False)
    """Charges that are not given back, and why."""
    _open: dict[str, PreCheckout] = attrs.field(factory=dict, init=False)
    _charges: dict[ChargeId, Charge] = attrs.field(factory=dict, init=False)
    _back: set[ChargeId] = attrs.field(factory=set, init=False)
    _faults: deque[bool | None] = attrs.field(factory=deque, init=False)
    _numbers: Iterator[int] = attrs.field(factory=lambda: count(1), init=False)

    # The port.

    async def create_invoice_link(self, invoice: Invoice) -> str:
        """Return a link under which the invoice can be paid."""

        def make() -> str:
            link = f"https://t.me/$invoice-{next(self._numbers)}"
            self.invoices[link] = invoice
            return link

        return self._answer(make)

    async def answer_pre_checkout(self, query_id: str, *, refusal: str | None) -> None:
        """Note what was said to a payer who is waiting."""

        def note() -> None:
            if self._open.pop(query_id, None) is None:
                raise StarsRefused("query is too old or query ID is invalid")
            self.answers[query_id] = refusal

        self._answer(note)

    async def refund(self, *, payer: UserId, charge_id: ChargeId) -> None:
        """Give a charge back, once."""

        def give_back() -> None:
            charge = self._charges.get(charge_id)
            if charge is None or charge.payer != payer:
                raise StarsRefused("CHARGE_ID_INVALID")
            if charge_id in self.refusals:
                raise StarsRefused(self.refusals[charge_id])
            self._reverse(charge_id)

        self._answer(give_back)

    async def transactions(self, *, offset: int, limit: int) -> Sequence[Listed]:
        """Return lines of the list, oldest first."""
        return self._answer(lambda: self.lines[offset : offset + min(limit, LINES_MAX)])

    # What is so, whatever was told.

    @property
    def balance(self) -> int:
        """How many Stars the bot has, by its own list."""
        return sum(self._moved(line) for line in self.lines)

    def charged(self, charge_id: ChargeId) -> Charge | None:
        """Return a charge, or None where nobody has made one of that name."""
        return self._charges.get(charge_id)

    def is_back(self, charge_id: ChargeId) -> bool:
        """Tell whether a charge's Stars are with the payer again."""
        return charge_id in self._back

    # Payers, and Telegram by itself.

    def ask(
        self, payload: str, amount: int, *, payer: int = 1, currency: str = "XTR"
    ) -> PreCheckout:
        """Have a payer be about to pay."""
        asked = PreCheckout(
            id=f"query-{next(self._numbers)}",
            payer=UserId(payer),
            payload=payload,
            currency=currency,
            amount=amount,
        )
        self._open[asked.id] = asked
        self.updates.append(asked)
        return asked

    def stop_waiting(self, query_id: str) -> None:
        """Have the ten seconds be over; who answers later is refused."""
        self._open.pop(query_id, None)

    def charge(
        self,
        payload: str,
        amount: int,
        *,
        payer: int = 1,
        recurrence: Recurrence = Recurrence.ONCE,
        at: datetime | None = None,
    ) -> Charge:
        """Have a payer pay, whatever the pre-checkout said."""
        charge = Charge(
            id=ChargeId(f"charge-{next(self._numbers)}"),
            payer=UserId(payer),
            payload=payload,
            money=Money(amount, STARS),
            paid_at=at or self.clock.now(),
            recurrence=recurrence,
        )
        self._charges[charge.id] = charge
        once = recurrence is Recurrence.ONCE
        unsaid = charge if once else attrs.evolve(charge, recurrence=Recurrence.UNSAID)
        self.lines.append(unsaid)
        self.updates.append(charge)
        return charge

    def take_back(self, charge_id: ChargeId) -> None:
        """Have a payer get the Stars back without the bot's doing."""
        self._reverse(charge_id)

    def move(self, amount: int) -> Unexplained:
        """Have Stars move in another way: out where ``amount`` is negative."""
        moved = Unexplained(
            id=f"other-{next(self._numbers)}", at=self.clock.now(), money=Money(amount, STARS)
        )
        self.lines.append(moved)
        return moved

    # Faults.

    def fail_next(self, *, after: int = 0) -> None:
        """Have a request not arrive: the next one, or one after so many that do."""
        self._faults.extend([*[None] * after, False])

    def lose_next_answer(self) -> None:
        """Have the next request carried out and its answer be lost."""
        self._faults.append(True)

    def work_again(self) -> None:
        """Have no request fail that was to fail."""
        self._faults.clear()

    def _moved(self, line: Listed) -> int:
        """Return by how much a line of the list has changed the balance."""
        if isinstance(line, Reversal):
            return -self._charges[line.charge_id].money.amount
        return line.money.amount

    def _reverse(self, charge_id: ChargeId) -> None:
        if charge_id not in self._back:
            self._back.add(charge_id)
            reversal = Reversal(charge_id=charge_id, at=self.clock.now())
            self.lines.append(reversal)
            self.updates.append(reversal)

    def _answer(self, carry_out: Callable[[], _Answer]) -> _Answer:
        arrives = self._faults.popleft() if self._faults else None
        if arrives is False:
            raise StarsUnavailable("the request did not arrive")
        answer = carry_out()
        if arrives:
            raise StarsUnavailable("the answer was lost")
        return answer
