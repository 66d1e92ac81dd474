"""One escrow, and everybody at once: released, refunded, released by time, disputed, sent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.chains.model import EscrowDisputed, EscrowRefunded, EscrowReleased
from domain.escrow.model import (
    EscrowAction,
    EscrowActionInProgress,
    EscrowState,
    EscrowTransitionRefused,
)
from domain.intents.model import PaymentIntent
from tests.builders import CHAIN
from tests.concurrency.gateway import Gateways, at_once
from tests.concurrency.history import History, Refused
from tests.concurrency.linearizable import linearization
from tests.domain.scene import PAYER
from tests.domain.world import terms_for

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from domain.chains.service import Progress
    from domain.escrow.model import Escrow
    from tests.concurrency.history import Call
    from tests.domain.services import Services

SEEDS = range(6)
ENDS = {
    EscrowDisputed: EscrowState.DISPUTED,
    EscrowReleased: EscrowState.RELEASED,
    EscrowRefunded: EscrowState.REFUNDED,
}


@attrs.frozen
class Shown:
    """The escrow, and up to which block the chain's word is final and read."""

    final: int
    state: EscrowState = EscrowState.HELD
    requested: EscrowAction | None = None
    failed: bool = False
    """Whether a request was taken back: no release follows by itself as long as these rounds."""


@attrs.frozen
class Sequential:
    """What an escrow is when one thing comes after the other, and what the contract did in which
    block: at most one thing, as it had been in the contract's hands alone.
    """

    moves: Mapping[int, EscrowState]
    due: bool
    """Whether the time to release it by itself has come."""

    def step(self, state: Shown, call: Call) -> Iterable[Shown]:
        yield from self._answered(state, call)
        if self.moves and state.requested is not None:
            # The contract does not do what was asked any more, so the sender takes that back.
            taken_back = attrs.evolve(state, requested=None, failed=True)
            yield from self._answered(taken_back, call)

    def _answered(self, state: Shown, call: Call) -> Iterable[Shown]:
        match call.verb:
            case "release" | "refund":
                return self._asked(state, call)
            case "release_due":
                held = state.state is EscrowState.HELD and state.requested is None
                may = self.due and held and not state.failed
                after = attrs.evolve(state, requested=EscrowAction.RELEASE)
                return [after if may else state] if call.answer == int(may) else []
            case "watch":
                return self._watched(state, call)
            case _:
                return [state] if call.answer == (state.state, state.requested) else []

    def _asked(self, state: Shown, call: Call) -> Iterable[Shown]:
        if call.answer == Refused("EscrowTransitionRefused"):
            return [] if state.state is EscrowState.HELD else [state]
        if state.state is not EscrowState.HELD:
            return []
        if call.answer == Refused("EscrowActionInProgress"):
            return [state] if state.requested else []
        return [] if state.requested else [attrs.evolve(state, requested=EscrowAction(call.verb))]

    def _watched(self, state: Shown, call: Call) -> Iterable[Shown]:
        final = call.answer
        assert isinstance(final, int)
        if final < state.final:
            return []
        after = attrs.evolve(state, final=final)
        for number, end in self.moves.items():
            if state.final < number <= final:
                after = attrs.evolve(after, state=end, requested=None)
        return [after]


def _of(escrow: Escrow) -> tuple[EscrowState, EscrowAction | None]:
    return escrow.state, escrow.requested


def _final(progress: Progress) -> int:
    return progress.final


@attrs.frozen
class Everybody:
    """The tasks of one round, half of them in each process."""

    history: History
    gateways: Gateways
    intent: PaymentIntent

    def tasks(self, *, disputes: bool) -> list[Coroutine[Any, Any, object]]:
        processes = [self.gateways.process(number) for number in range(4)]
        return [
            self.chain_goes_on(disputes=disputes),
            *(self.ask(it, EscrowAction.RELEASE) for it in processes[:2]),
            *(self.ask(it, EscrowAction.REFUND) for it in processes[:2]),
            *(self.release_due(it) for it in processes[:2]),
            *(self.send(it) for it in processes[:2]),
            *(self.watch(it) for it in processes[:3]),
            *(self.look(it) for it in processes[:3]),
        ]

    async def chain_goes_on(self, *, disputes: bool) -> None:
        chain = self.gateways.around.chain
        await self.gateways.hesitate.wait(times=4)
        if disputes:
            chain.dispute(terms_for(self.intent), by=PAYER)
        for _ in range(10):
            await self.gateways.hesitate(times=2)
            chain.mine()

    async def ask(self, process: Services, action: EscrowAction) -> None:
        ask = getattr(process.escrows, action.value)
        for _ in range(2):
            await self.gateways.hesitate.wait(times=10)
            await self.history.call(
                action.value,
                doing=ask(**self._named),
                answer=_of,
                refusals=(EscrowTransitionRefused, EscrowActionInProgress),
            )

    async def release_due(self, process: Services) -> None:
        for _ in range(2):
            await self.gateways.hesitate.wait(times=10)
            await self.history.call("release_due", doing=process.escrows.release_due())

    async def send(self, process: Services) -> None:
        for _ in range(4):
            await self.gateways.hesitate.wait(times=4)
            await process.sender.send(chain=CHAIN)

    async def watch(self, process: Services) -> None:
        for _ in range(4):
            await self.gateways.hesitate(times=4)
            await self.history.call(
                "watch", doing=process.watcher.watch(chain=CHAIN), answer=_final
            )

    async def look(self, process: Services) -> None:
        for _ in range(4):
            await self.gateways.hesitate.wait(times=6)
            await self.history.call("get", doing=process.escrows.get(**self._named), answer=_of)

    @property
    def _named(self) -> Any:  # noqa: ANN401 (options by name)
        return {"owner": self.intent.merchant_id, "intent_id": self.intent.id}


def _moves(gateways: Gateways, escrow: Escrow) -> dict[int, EscrowState]:
    """Return what the contract has done with an escrow, by the number of the block."""
    return {
        mined.block.number: ENDS[type(seen.fact)]
        for mined in gateways.around.chain.blocks.mined
        for seen in mined.observations
        if isinstance(seen.fact, EscrowDisputed | EscrowReleased | EscrowRefunded)
        and seen.fact.escrow_id == escrow.id
    }


@pytest.mark.parametrize("disputes", [False, True], ids=["undisputed", "disputed"])
@pytest.mark.parametrize("due", [False, True], ids=["early", "due"])
async def test_an_escrow_is_as_if_one_had_come_after_the_other(
    gateways: Gateways,
    disputes: bool,  # noqa: FBT001 (a parameter of a test)
    due: bool,  # noqa: FBT001 (as above)
) -> None:
    for seed in SEEDS:
        gateways.reseed(seed)
        world = gateways.world
        intent = await world.paid_escrow()
        escrow = await world.escrow(intent)
        if due:
            world.clock.advance(days=7, hours=2)
        begin = await world.watch()
        history = History()

        await at_once(Everybody(history, gateways, intent).tasks(disputes=disputes), seed=seed)

        model = Sequential(_moves(gateways, escrow), due=due)
        found = linearization(history.calls, initial=Shown(begin.final), step=model.step)
        assert found is not None, history
        for _ in range(2):  # What the chain refused is asked for again, if it can be.
            await world.send_and_settle_down()
        moves = _moves(gateways, escrow)
        assert [(await world.escrow(intent)).state] == list(moves.values()), history
        await gateways.must_be_right()
