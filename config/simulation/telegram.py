"""Telegram: it tells of payments in Stars, or not, or twice, and answers, or does not."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from adapters.memory.stars_bot import InMemoryStarsBot
from config.simulation.process import ConnectionLost
from config.simulation.turns import Park
from domain.stars.model import Charge, PreCheckout
from ports.stars import StarsRefused, StarsUnavailable
from ports.unit_of_work import StorageUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from datetime import datetime
    from typing import Any, TypeVar

    from config.simulation.fleet import Fleet
    from config.simulation.process import Process
    from config.simulation.trace import Trace
    from config.simulation.world import Gateway, World
    from domain.stars.model import ChargeId, Invoice, Listed, StarUpdate, UserId

    _Answer = TypeVar("_Answer")

TELLINGS = 15
"""How often Telegram posts an update that is not taken, before it gives it up."""
ANSWER_WITHIN = timedelta(seconds=10)
"""How long Telegram waits for what is to be said to a payer (``answerPreCheckoutQuery``)."""


class Telegram:
    """The bot as Telegram keeps it, what is wrong with Telegram, and what it posts to us."""

    def __init__(self, world: World) -> None:
        self.bot = InMemoryStarsBot(world.clock)
        self.post_faults: list[tuple[str, int]] = []
        """What befalls the next updates: ``lost``, ``twice`` or ``late`` by so many seconds."""
        self.down_until: datetime | None = None
        self.refuses_until: datetime | None = None
        """Until when nothing is given back."""
        self.lost_answers = 0
        """How many requests are still to be carried out without an answer."""
        self.refused: set[ChargeId] = set()
        """The charges that it has ever refused to give back."""
        self._world = world
        self._tell: Callable[[StarUpdate], None] | None = None

    def heal(self) -> None:
        """Have everything be told once and each request be answered."""
        self.post_faults.clear()
        self.down_until = self.refuses_until = None
        self.lost_answers = 0

    def begin(self, tell: Callable[[StarUpdate], None]) -> None:
        """Have updates be told from now on."""
        self._tell = tell

    def post(self) -> None:
        """Tell what has happened, unless something befalls it."""
        while self.bot.updates:
            update = self.bot.updates.popleft()
            if self._tell is None:
                continue
            kind, seconds = self._fault_of(update)
            if kind == "lost":
                continue
            for _ in range(2 if kind == "twice" else 1):
                self._world.turns.start("telegram", self._post(update, seconds))

    def _fault_of(self, update: StarUpdate) -> tuple[str, int]:
        """Return what befalls an update. Who waits for an answer asks no later."""
        if isinstance(update, PreCheckout) or not self.post_faults:
            return "", 0
        return self.post_faults.pop(0)

    async def _post(self, update: StarUpdate, seconds: int) -> None:
        if seconds:
            await Park(until=self._world.clock.now() + timedelta(seconds=seconds))
        if self._tell is not None:
            self._tell(update)


class Posts:
    """Carries updates to the API, again and again until they are taken."""

    def __init__(
        self,
        world: World,
        fleet: Fleet,
        trace: Trace,
        *,
        unforeseen: Callable[[str, Exception], None],
    ) -> None:
        self._world = world
        self._fleet = fleet
        self._trace = trace
        self._unforeseen = unforeseen

    def tell(self, update: StarUpdate) -> None:
        """Begin to post an update."""
        self._world.turns.start("update", self._until_taken(update))

    async def _until_taken(self, update: StarUpdate) -> None:
        what = _named(update)
        began = self._world.clock.now()

        def verb(gateway: Gateway) -> Coroutine[Any, Any, None]:
            return gateway.stars.receive(update)

        for time in range(1, TELLINGS + 1):
            try:
                await self._fleet.request("api-1", what, verb)
            except (ConnectionLost, StorageUnavailable, StarsUnavailable) as error:
                self._trace.note("telegram", what, type(error).__name__)
            except StarsRefused as refusal:
                # The route says 200 to that: the same once more would change nothing.
                self._trace.note("telegram", what, refusal.reason)
                return
            except Exception as error:  # noqa: BLE001 (whatever nobody foresaw)
                self._unforeseen(what, error)
                return
            else:
                self._trace.note("telegram", what, "taken")
                return
            now = self._world.clock.now()
            if isinstance(update, PreCheckout) and now - began >= ANSWER_WITHIN:
                return
            await Park(until=now + timedelta(seconds=2 * time))


class BotLine:
    """One process's line to Telegram: its ``StarsBot``."""

    def __init__(self, telegram: Telegram, process: Process) -> None:
        self._telegram = telegram
        self._bot = telegram.bot
        self._process = process

    async def create_invoice_link(self, invoice: Invoice) -> str:
        """Return a link under which the invoice can be paid."""
        return await self._ask(self._bot.create_invoice_link(invoice))

    async def answer_pre_checkout(self, query_id: str, *, refusal: str | None) -> None:
        """Tell Telegram what to say to a payer who is waiting."""
        await self._ask(self._bot.answer_pre_checkout(query_id, refusal=refusal))

    async def refund(self, *, payer: UserId, charge_id: ChargeId) -> None:
        """Give a charge back."""
        until, now = self._telegram.refuses_until, self._process.turns.clock.now()
        try:
            if until is not None and now < until and not self._bot.is_back(charge_id):
                raise StarsRefused("BOT_STARS_NOT_ENOUGH")  # noqa: TRY301 (as the bot's own)
            await self._ask(self._bot.refund(payer=payer, charge_id=charge_id))
        except StarsRefused:
            self._telegram.refused.add(charge_id)
            raise

    async def transactions(self, *, offset: int, limit: int) -> Sequence[Listed]:
        """Return lines of the list, oldest first."""
        return await self._ask(self._bot.transactions(offset=offset, limit=limit))

    async def _ask(self, request: Coroutine[Any, Any, _Answer]) -> _Answer:
        """Have a request carried out, if Telegram can be reached; its answer may be lost."""
        telegram = self._telegram
        try:
            await self._process.stop()
            down = telegram.down_until
            if down is not None and self._process.turns.clock.now() < down:
                raise StarsUnavailable("the request did not arrive")
            answer = await request
        finally:
            request.close()
        telegram.post()
        await self._process.stop()
        if telegram.lost_answers:
            telegram.lost_answers -= 1
            raise StarsUnavailable("the answer was lost")
        return answer


def _named(update: StarUpdate) -> str:
    if isinstance(update, PreCheckout):
        return f"pre-checkout {update.id}"
    if isinstance(update, Charge):
        return f"charge {update.id}"
    return f"reversal of {update.charge_id}"
