"""One intent, and everybody at once: canceled, expired, paid, accepted, looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.chains.model import Transfer
from domain.intents.model import IntentStatus, IntentTransitionRefused, PaymentIntent
from tests.builders import CHAIN
from tests.concurrency.gateway import Gateways, at_once
from tests.concurrency.history import History, Refused
from tests.concurrency.linearizable import linearization
from tests.domain.scene import DUE
from tests.domain.world import address_for

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable
    from datetime import datetime
    from typing import Any

    from domain.chains.service import Progress
    from tests.concurrency.history import Call
    from tests.domain.services import Services

SEEDS = range(6)
BLOCKS = 8
"""How many blocks come while everybody is at it: enough for the first few to be final."""

UNPAID, PROCESSING = IntentStatus.REQUIRES_PAYMENT, IntentStatus.PROCESSING
CANCELED, EXPIRED = IntentStatus.CANCELED, IntentStatus.EXPIRED
REVIEW, SUCCEEDED = IntentStatus.NEEDS_REVIEW, IntentStatus.SUCCEEDED


@attrs.frozen
class Shown:
    """The intent, and how far the chain has been read."""

    seen: int
    final: int
    status: IntentStatus = UNPAID
    received: int = 0
    captured: int = 0
    final_money: int = 0


@attrs.frozen
class Sequential:
    """What an intent is when one thing comes after the other, written down a second time."""

    paid_in: int | None
    """The block in which all that is due is paid."""
    late_from: int
    """The first block after the deadline."""

    def step(self, state: Shown, call: Call) -> Iterable[Shown]:
        match call.verb:
            case "cancel":
                return self._one_of(call, state.status is UNPAID and not state.received, state)
            case "accept":
                wanted = state.status in {REVIEW, SUCCEEDED}
                may = wanted and state.final_money > state.captured
                return self._one_of(call, may, state)
            case "expire":
                may = state.status is UNPAID and state.final >= self.late_from
                after = attrs.evolve(state, status=REVIEW if state.received else EXPIRED)
                return [after if may else state] if call.answer == int(may) else []
            case "watch":
                return self._watch(state, call)
            case _:
                return [state] if call.answer == _shown(state) else []

    def _one_of(self, call: Call, may: bool, state: Shown) -> Iterable[Shown]:  # noqa: FBT001 (read where it is called)
        if isinstance(call.answer, Refused):
            return [] if may else [state]
        if call.verb == "cancel":
            after = attrs.evolve(state, status=CANCELED)
        else:
            after = attrs.evolve(state, status=SUCCEEDED, captured=state.final_money)
        return [after] if may and call.answer == _shown(after) else []

    def _watch(self, state: Shown, call: Call) -> Iterable[Shown]:
        assert isinstance(call.answer, tuple)
        seen, final = call.answer
        if seen < state.seen or final < state.final:
            return []
        after = attrs.evolve(state, seen=seen, final=final)
        if self.paid_in is not None and state.seen < self.paid_in <= seen:
            in_time = state.status is UNPAID and self.paid_in < self.late_from
            after = attrs.evolve(
                after, received=DUE, status=PROCESSING if in_time else state.status
            )
        if self.paid_in is not None and state.final < self.paid_in <= final:
            captured = DUE if after.status is PROCESSING else 0
            after = attrs.evolve(
                after,
                status=SUCCEEDED if captured else REVIEW,
                captured=captured,
                final_money=DUE,
            )
        return [after]


def _shown(state: Shown) -> tuple[IntentStatus, int, int, int]:
    return state.status, state.received, state.final_money, state.captured


def _of(intent: PaymentIntent) -> tuple[IntentStatus, int, int, int]:
    return intent.status, intent.received, intent.final, intent.captured


def _read_up_to(progress: Progress) -> tuple[int, int]:
    return progress.seen, progress.final


def _block_of_payment(gateways: Gateways, intent: PaymentIntent) -> int | None:
    for mined in gateways.around.chain.blocks.mined:
        for seen in mined.observations:
            if isinstance(seen.fact, Transfer) and seen.fact.target == address_for(intent):
                return mined.block.number
    return None


def _first_block_after(gateways: Gateways, deadline: datetime) -> int:
    blocks = (mined.block for mined in gateways.around.chain.blocks.mined)
    return next(block.number for block in blocks if block.time > deadline)


@attrs.frozen
class Everybody:
    """The tasks of one round, half of them in each process."""

    history: History
    gateways: Gateways
    intent: PaymentIntent
    patience: int
    """For how long nobody thinks of canceling; only then the others have something to do."""

    def tasks(self, *, pays: bool, late: bool) -> list[Coroutine[Any, Any, object]]:
        processes = [self.gateways.process(number) for number in range(4)]
        return [
            self.chain_goes_on(pays=pays, late=late),
            *(self.cancel(it) for it in processes[:2]),
            *(self.accept(it) for it in processes[:2]),
            *(self.expire(it) for it in processes[:2]),
            *(self.watch(it) for it in processes[:3]),
            *(self.look(it) for it in processes),
        ]

    async def chain_goes_on(self, *, pays: bool, late: bool) -> None:
        world = self.gateways.world
        if pays and not late:
            world.pay(self.intent)
            world.chain.mine()
        world.clock.advance(hours=2)
        world.chain.mine()
        if pays and late:
            world.pay(self.intent)
        for _ in range(BLOCKS):
            await self.gateways.hesitate()
            world.chain.mine()

    async def cancel(self, process: Services) -> None:
        await self.gateways.hesitate.wait(times=self.patience)
        await self._change("cancel", process.intents.cancel(**self._named))

    async def accept(self, process: Services) -> None:
        for _ in range(3):
            await self.gateways.hesitate.wait(times=8)
            await self._change("accept", process.intents.accept(**self._named))

    async def expire(self, process: Services) -> None:
        for _ in range(3):
            await self.gateways.hesitate.wait(times=8)
            await self.history.call("expire", doing=process.intents.expire_due(chain=CHAIN))

    async def watch(self, process: Services) -> None:
        for _ in range(4):
            await self.history.call(
                "watch", doing=process.watcher.watch(chain=CHAIN), answer=_read_up_to
            )

    async def look(self, process: Services) -> None:
        for _ in range(4):
            await self.gateways.hesitate(times=2)
            await self.history.call("get", doing=process.intents.get(**self._named), answer=_of)

    async def _change(self, verb: str, doing: Coroutine[Any, Any, PaymentIntent]) -> None:
        await self.history.call(verb, doing=doing, answer=_of, refusals=(IntentTransitionRefused,))

    @property
    def _named(self) -> Any:  # noqa: ANN401 (options by name)
        return {"owner": self.intent.merchant_id, "intent_id": self.intent.id}


@pytest.mark.parametrize(
    ("pays", "late"), [(True, False), (True, True), (False, True)], ids=["paid", "late", "unpaid"]
)
async def test_an_intent_is_as_if_one_had_come_after_the_other(
    gateways: Gateways,
    pays: bool,  # noqa: FBT001 (a parameter of a test)
    late: bool,  # noqa: FBT001 (as above)
) -> None:
    for seed in SEEDS:
        gateways.reseed(seed)
        world = gateways.world
        await world.settle_down()
        intent = await world.intent()
        begin = await world.watch()
        history = History()
        everybody = Everybody(history, gateways, intent, patience=seed % 4 * 16)

        await at_once(everybody.tasks(pays=pays, late=late), seed=seed)

        model = Sequential(
            paid_in=_block_of_payment(gateways, intent),
            late_from=_first_block_after(gateways, intent.expires_at),
        )
        initial = Shown(seen=begin.seen, final=begin.final)
        assert linearization(history.calls, initial=initial, step=model.step) is not None, history
        await gateways.must_be_right()
