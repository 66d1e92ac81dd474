from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.memory.clock import FakeClock
from adapters.memory.stars_bot import InMemoryStarsBot
from domain.stars.model import Charge, ChargeId, Recurrence
from tests.contracts.stars import StarsContract

if TYPE_CHECKING:
    from collections.abc import Mapping

    from domain.stars.model import StarUpdate
    from tests.contracts.stars import StarsWorld


@attrs.frozen
class InMemoryTelegram:
    bot: InMemoryStarsBot

    def ask(self, payload: str, amount: int, *, payer: int = 1) -> str:
        return self.bot.ask(payload, amount, payer=payer).id

    def charge(
        self, payload: str, amount: int, *, payer: int = 1, subscribed: bool = False
    ) -> str:
        recurrence = Recurrence.FIRST if subscribed else Recurrence.ONCE
        return self.bot.charge(payload, amount, payer=payer, recurrence=recurrence).id

    def take_back(self, charge_id: str) -> None:
        self.bot.take_back(ChargeId(charge_id))

    def move(self, amount: int) -> None:
        self.bot.move(amount)

    def refuse_refund(self, charge_id: str, why: str) -> None:
        self.bot.refusals[ChargeId(charge_id)] = why

    @property
    def answers(self) -> Mapping[str, str | None]:
        return self.bot.answers

    @property
    def links(self) -> set[str]:
        return set(self.bot.invoices)

    async def told(self) -> list[StarUpdate]:
        return list(self.bot.updates)

    def fail_next(self) -> None:
        self.bot.fail_next()

    def lose_next_answer(self) -> None:
        self.bot.lose_next_answer()


class TestInMemoryStarsBot(StarsContract):
    @pytest.fixture
    def world(self) -> StarsWorld:
        return InMemoryTelegram(InMemoryStarsBot(FakeClock()))


def test_a_charge_can_lie_in_the_past() -> None:
    clock = FakeClock()
    bot = InMemoryStarsBot(clock)
    then = clock.now()
    clock.advance(days=1)

    charge = bot.charge("pi_01", 50, at=then)

    assert isinstance(charge, Charge)
    assert charge.paid_at == then
