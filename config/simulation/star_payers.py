"""Payers in Telegram: they tap on invoices, are let through or not, and want their Stars back."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from config.simulation.telegram import ANSWER_WITHIN
from config.simulation.turns import Park
from domain.stars.model import Charge

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from config.simulation.scenario import Act
    from config.simulation.telegram import Telegram
    from config.simulation.trace import Trace
    from config.simulation.world import World
    from domain.intents.model import PaymentIntent

UNANSWERED = "unanswered"


class StarPayers:
    """Everybody who pays Stars."""

    def __init__(
        self,
        world: World,
        trace: Trace,
        *,
        intent: Callable[[Act], PaymentIntent | None],
        links: Mapping[int, str],
    ) -> None:
        self._world = world
        self._trace = trace
        self._intent = intent
        self._links = links

    async def tap(self, act: Act) -> None:
        """Ask to pay an invoice, and pay where the gateway says that this is right in time."""
        telegram, clock = self._telegram, self._world.clock
        link = self._links.get(-1 if act.of is None else act.of)
        if link is None:
            return
        invoice = telegram.bot.invoices[link]
        payer, amount = int(act.detail["payer"]), invoice.money.amount
        asked = telegram.bot.ask(invoice.payload, amount, payer=payer)
        telegram.post()
        tries = 10
        for _ in range(tries):
            await Park(until=clock.now() + ANSWER_WITHIN / tries)
            if asked.id in telegram.bot.answers:
                break
        telegram.bot.stop_waiting(asked.id)
        said = telegram.bot.answers.get(asked.id, UNANSWERED)
        self._trace.note(f"#{act.number}", "is told", said or "that all is right")
        if said is not None:
            return
        await Park(until=clock.now() + timedelta(seconds=int(act.detail["seconds"])))
        telegram.bot.charge(invoice.payload, amount, payer=payer)
        telegram.post()
        self._trace.counts["payments"] += 1

    async def stray_charge(self, act: Act) -> None:
        """Pay for something else that the same bot sells."""
        self._telegram.bot.charge(f"something else {act.number}", int(act.detail["stars"]))
        self._telegram.post()

    async def take_back(self, act: Act) -> None:
        """Get back what was paid for an intent, without the gateway's doing."""
        intent = self._intent(act)
        for line in list(self._telegram.bot.lines):
            if isinstance(line, Charge) and intent is not None and line.payload == intent.id:
                self._telegram.bot.take_back(line.id)
                self._telegram.post()
                return

    @property
    def _telegram(self) -> Telegram:
        if self._world.telegram is None:
            raise RuntimeError("nobody takes Stars")
        return self._world.telegram
