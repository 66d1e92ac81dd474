"""One settlement, and everybody at once: approved, sent, refused, tried again, watched."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import psycopg
import pytest

from domain.settlements.model import Settlement, SettlementState, SettlementTransitionRefused
from domain.settlements.payouts import PayoutState
from domain.shared.ids import PayoutId
from tests.builders import CHAIN, address_of
from tests.concurrency.gateway import Gateways, at_once, with_approval
from tests.concurrency.history import History, Refused
from tests.concurrency.linearizable import linearization

if TYPE_CHECKING:
    from collections.abc import Coroutine, Iterable

    from domain.settlements.payouts import Payout
    from tests.concurrency.history import Call
    from tests.domain.services import Services

SEEDS = range(6)
TILL = address_of("other till")
ROUNDS_MAX = 20
LATER = {
    PayoutState.APPROVED: set(PayoutState) - {PayoutState.SCHEDULED},
    PayoutState.SIGNED: {PayoutState.SIGNED, PayoutState.BROADCAST, PayoutState.CONFIRMED},
    PayoutState.BROADCAST: {PayoutState.BROADCAST, PayoutState.CONFIRMED},
    PayoutState.CONFIRMED: {PayoutState.CONFIRMED},
    PayoutState.REFUSED: {PayoutState.REFUSED},
}
"""What a payout may be by the next look at it, by sender and watcher, who tell nobody."""


@attrs.frozen
class Shown:
    """The settlement's payouts by their age, and what they were when they were last seen."""

    payouts: tuple[tuple[str, PayoutState], ...] = ()

    def seen(self, payout_id: object, state: PayoutState) -> Iterable[Shown]:
        """Return what this is after one more look at a payout."""
        before = dict(self.payouts)
        if not isinstance(payout_id, str) or payout_id not in before:
            return []
        if state not in LATER[before[payout_id]]:
            return []
        return [Shown(tuple({**before, payout_id: state}.items()))]

    def followed_by(self, payout_id: object) -> Shown:
        assert isinstance(payout_id, str)
        return Shown((*self.payouts, (payout_id, PayoutState.APPROVED)))


def sequential(state: Shown, call: Call) -> Iterable[Shown]:
    """Approve once; try again once after each payout that was refused; pay once."""
    match call.verb:
        case "approve":
            return _approve(state, call)
        case "retry":
            return _retry(state, call)
        case "payout":
            assert isinstance(call.answer, PayoutState)
            return state.seen(call.arguments[0], call.answer)
        case _:
            return _settlement(state, call)


def _approve(state: Shown, call: Call) -> Iterable[Shown]:
    if isinstance(call.answer, Refused):
        return [state] if state.payouts else []
    return [] if state.payouts else [state.followed_by(call.answer)]


def _retry(state: Shown, call: Call) -> Iterable[Shown]:
    if not state.payouts:
        return []
    newest, was = state.payouts[-1]
    if isinstance(call.answer, Refused):
        may = newest == call.arguments[0] and was is PayoutState.REFUSED
        return [] if may else [state]
    if newest != call.arguments[0]:
        return []
    return [it.followed_by(call.answer) for it in state.seen(newest, PayoutState.REFUSED)]


def _settlement(state: Shown, call: Call) -> Iterable[Shown]:
    newest = state.payouts[-1][0] if state.payouts else None
    if call.answer == (SettlementState.PAID_OUT, newest):
        return state.seen(newest, PayoutState.CONFIRMED)
    now = SettlementState.APPROVED if state.payouts else SettlementState.READY
    return [state] if call.answer == (now, newest) else []


def _id(payout: Payout) -> str:
    return payout.id


def _payout_id(settlement: Settlement) -> str | None:
    return settlement.payout_id


def _state(payout: Payout) -> PayoutState:
    return payout.state


def _of(page: list[Settlement]) -> tuple[SettlementState, str | None]:
    return page[0].state, page[0].payout_id


@attrs.frozen
class Everybody:
    """The tasks of one round, half of them in each process."""

    history: History
    gateways: Gateways
    settlement: Settlement

    def tasks(self) -> list[Coroutine[Any, Any, object]]:
        processes = [self.gateways.process(number) for number in range(4)]
        return [
            self.chain_goes_on(),
            *(self.approve(it) for it in processes[:3]),
            *(self.try_again(it) for it in processes[:4]),
            *(self.send(it) for it in processes[:4]),
            *(self.watch(it) for it in processes[:3]),
        ]

    async def chain_goes_on(self) -> None:
        for _ in range(12):
            await self.gateways.hesitate.wait(times=4)
            self.gateways.around.chain.mine()

    async def approve(self, process: Services) -> None:
        await self.gateways.hesitate.wait(times=3)
        doing = process.settlements.approve(settlement_id=self.settlement.id)
        refusals = (SettlementTransitionRefused,)
        await self.history.call("approve", doing=doing, answer=_payout_id, refusals=refusals)

    async def try_again(self, process: Services) -> None:
        owner, book = self.settlement.merchant_id, process.settlements
        for _ in range(4):
            await self.gateways.hesitate.wait(times=6)
            page = book.page(owner=owner, limit=1)
            found = await self.history.call("settlement", doing=page, answer=_of)
            assert isinstance(found, tuple)
            if found[1] is None:
                continue
            id = PayoutId(found[1])
            again = book.retry_payout(payout_id=id)
            refusals = (SettlementTransitionRefused,)
            await self.history.call("retry", id, doing=again, answer=_id, refusals=refusals)
            look = book.payout(owner=owner, payout_id=id)
            await self.history.call("payout", id, doing=look, answer=_state)

    async def send(self, process: Services) -> None:
        for _ in range(4):
            await self.gateways.hesitate.wait(times=3)
            await process.sender.send(chain=CHAIN)

    async def watch(self, process: Services) -> None:
        for _ in range(4):
            await self.gateways.hesitate.wait(times=3)
            await process.watcher.watch(chain=CHAIN)


@pytest.mark.parametrize("refusals", [0, 2])
async def test_a_settlement_is_paid_once_whoever_does_what_when(
    gateways: Gateways, postgres_dsn: str, refusals: int
) -> None:
    merchant = await with_approval(gateways, till=TILL)
    world = gateways.world
    for seed in SEEDS:
        gateways.reseed(seed)
        await world.released(merchant=merchant)
        [settlement] = await world.services.settlements.run()
        had = world.held(TILL)
        gateways.chain.refusals = refusals
        history = History()

        await at_once(Everybody(history, gateways, settlement).tasks(), seed=seed)

        assert linearization(history.calls, initial=Shown(), step=sequential) is not None, history
        await _carry_through(gateways, settlement)
        assert world.held(TILL) - had == settlement.money.amount
        await gateways.must_be_right()
    assert await _sequences(postgres_dsn) == list(range(len(SEEDS) * 2))


async def _carry_through(gateways: Gateways, settlement: Settlement) -> None:
    world, book = gateways.world, gateways.process(0).settlements
    for _ in range(ROUNDS_MAX):
        [now] = await book.page(owner=settlement.merchant_id, limit=1)
        if now.state is SettlementState.PAID_OUT:
            return
        assert now.payout_id is not None
        payout = await book.payout(owner=now.merchant_id, payout_id=now.payout_id)
        if payout.state is PayoutState.REFUSED:
            await book.retry_payout(payout_id=payout.id)
        await world.send_and_settle_down()
    raise AssertionError("it is never paid")


async def _sequences(dsn: str) -> list[int]:
    """Return the places in the wallet's sequence that bytes were signed for."""
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        cursor = await connection.execute(
            "select sequence from submission where sequence is not null order by sequence"
        )
        return [row[0] for row in await cursor.fetchall()]
