"""One merchant's balance, and everybody at once: earned, spent, settled, paid out, looked at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from domain.ledger.accounts import available
from domain.ledger.model import InsufficientFunds, movement
from domain.merchants.model import Merchant
from domain.settlements.model import SettlementState, SettlementTransitionRefused
from domain.settlements.payouts import PayoutState
from tests.builders import CHAIN, USDT, address_of, usdt
from tests.concurrency.gateway import Gateways, at_once, with_approval
from tests.concurrency.history import History, Refused
from tests.concurrency.linearizable import linearization
from tests.domain.scene import HOT, PLACES

if TYPE_CHECKING:
    from collections.abc import Coroutine, Hashable, Iterable, Sequence

    from domain.ledger.model import Balance
    from domain.settlements.model import Settlement
    from tests.concurrency.history import Call
    from tests.domain.services import Services

SEEDS = range(8)
TILL = address_of("other till")
LIMIT = 60
"""Above this a person approves."""
ROUNDS_MAX = 20


def sequential(state: int, call: Call) -> Iterable[int]:
    """What can be paid out of, in the smallest unit: never below zero, and spent once."""
    [amount] = call.arguments or (call.answer,)
    assert isinstance(amount, int)
    match call.verb:
        case "earn":
            return [state + amount]
        case "spend" if isinstance(call.answer, Refused):
            return [] if amount <= state else [state]
        case "spend":
            return [state - amount] if amount <= state else []
        case "settle":
            return [0] if state == amount else []
        case _:
            return [state] if state == amount else []


def _available(balances: Sequence[Balance]) -> int:
    return sum(it.money.amount for it in balances if it.account.endswith(":available"))


@attrs.frozen
class Everybody:
    """The tasks of one round, half of them in each process."""

    history: History
    gateways: Gateways
    merchant: Merchant

    def tasks(self) -> list[Coroutine[Any, Any, object]]:
        processes = [self.gateways.process(number) for number in range(4)]
        return [
            self.chain_goes_on(),
            *(self.earn(it, amount) for it, amount in zip(processes, (30, 70), strict=False)),
            *(self.spend(it, amount) for it, amount in zip(processes, (20, 45), strict=False)),
            *(self.spend_under_lock(it, 25) for it in processes[:2]),
            *(self.settle(it) for it in processes[:3]),
            *(self.approve_and_try_again(it) for it in processes[:2]),
            *(self.send_and_watch(it) for it in processes[:2]),
            *(self.look(it) for it in processes[:2]),
        ]

    async def chain_goes_on(self) -> None:
        for _ in range(8):
            await self.gateways.hesitate.wait(times=4)
            self.gateways.around.chain.mine()

    async def earn(self, process: Services, amount: int) -> None:
        for _ in range(2):
            await self.gateways.hesitate.wait(times=4)
            doing = self._book(process, amount)
            await self.history.call("earn", amount, doing=doing)

    async def spend(self, process: Services, amount: int) -> None:
        for _ in range(2):
            await self.gateways.hesitate.wait(times=4)
            doing, refusals = self._book(process, -amount), (InsufficientFunds,)
            await self.history.call("spend", amount, doing=doing, refusals=refusals)

    async def spend_under_lock(self, process: Services, amount: int) -> None:
        for _ in range(2):
            await self.gateways.hesitate.wait(times=4)
            doing, refusals = self._look_and_book(process, amount), (InsufficientFunds,)
            await self.history.call("spend", amount, doing=doing, refusals=refusals)

    async def settle(self, process: Services) -> None:
        for _ in range(2):
            await self.gateways.hesitate.wait(times=6)
            await self.history.batch(
                "settle", doing=process.settlements.run(), answers=self._settled
            )

    async def approve_and_try_again(self, process: Services) -> None:
        for _ in range(3):
            await self.gateways.hesitate.wait(times=6)
            await approve_and_try_again(process, self.merchant)

    async def send_and_watch(self, process: Services) -> None:
        for _ in range(3):
            await self.gateways.hesitate.wait(times=4)
            await process.sender.send(chain=CHAIN)
            await process.watcher.watch(chain=CHAIN)

    async def look(self, process: Services) -> None:
        for _ in range(4):
            await self.gateways.hesitate.wait(times=4)
            doing = process.books.merchant_balances(owner=self.merchant.id)
            await self.history.call("balance", doing=doing, answer=_available)

    def _settled(self, made: Sequence[Settlement]) -> list[Hashable]:
        """Return what was settled, or that at some moment there was nothing to settle."""
        amounts: list[Hashable] = [
            it.money.amount for it in made if it.merchant_id == self.merchant.id
        ]
        return amounts or [0]

    async def _book(self, process: Services, amount: int) -> None:
        inbox, purse = PLACES.suspense, available(self.merchant.id)
        source, target = (inbox, purse) if amount > 0 else (purse, inbox)
        async with process.begin() as work:
            await work.ledger.book(
                movement(
                    kind="transfer",
                    reference="by hand",
                    source=source,
                    target=target,
                    money=usdt(abs(amount)),
                    at=self.gateways.around.clock.now(),
                )
            )
            await work.commit()

    async def _look_and_book(self, process: Services, amount: int) -> None:
        async with process.begin() as work:
            purse = available(self.merchant.id)
            if (await work.ledger.lock_balance(purse, USDT.id)).amount < amount:
                raise InsufficientFunds(purse, USDT.id)
            await self.gateways.hesitate()
            await work.ledger.book(
                movement(
                    kind="transfer",
                    reference="by hand",
                    source=purse,
                    target=PLACES.suspense,
                    money=usdt(amount),
                    at=self.gateways.around.clock.now(),
                )
            )
            await work.commit()


async def approve_and_try_again(process: Services, merchant: Merchant) -> None:
    """Do for every settlement what a person would, who does not know of any other person."""
    book = process.settlements
    for settlement in await book.page(owner=merchant.id, limit=ROUNDS_MAX):
        try:
            if settlement.state is SettlementState.READY:
                await book.approve(settlement_id=settlement.id)
            elif settlement.payout_id is not None:
                await book.retry_payout(payout_id=settlement.payout_id)
        except SettlementTransitionRefused:
            continue


async def test_a_balance_is_spent_once_whoever_spends_it(gateways: Gateways) -> None:
    world = gateways.world
    merchant = await with_approval(gateways, till=TILL, above=LIMIT)
    world.chain.fund(HOT, usdt(10_000 * len(SEEDS)))
    await world.settle_down()
    left = 0
    for seed in SEEDS:
        gateways.reseed(seed)
        gateways.chain.refusals = seed % 3
        history = History()

        await at_once(Everybody(history, gateways, merchant).tasks(), seed=seed)

        assert linearization(history.calls, initial=left, step=sequential) is not None, history
        for call in history.calls:
            if call.verb == "earn":
                left += _number(call.arguments[0])
            elif call.verb == "settle":
                left -= _number(call.answer)
            elif call.verb == "spend" and not isinstance(call.answer, Refused):
                left -= _number(call.arguments[0])
        await gateways.must_be_right()
        balances = await world.services.books.merchant_balances(owner=merchant.id)
        assert _available(balances) == left
    await _pay_everything(gateways, merchant)


async def _pay_everything(gateways: Gateways, merchant: Merchant) -> None:
    """Bring every settlement to its end: each was paid, once, and nothing else was."""
    world, book = gateways.world, gateways.process(0).settlements
    settlements: Sequence[Settlement] = ()
    for _ in range(ROUNDS_MAX):
        await approve_and_try_again(world.services, merchant)
        await world.send_and_settle_down()
        settlements = await book.page(owner=merchant.id, limit=1000)
        if all(it.state is SettlementState.PAID_OUT for it in settlements):
            break
    for settlement in settlements:
        assert settlement.payout_id is not None
        payout = await book.payout(owner=merchant.id, payout_id=settlement.payout_id)
        assert payout.state is PayoutState.CONFIRMED
    assert world.held(TILL) == sum(it.money.amount for it in settlements) > 0
    await gateways.must_be_right()


def _number(value: Hashable) -> int:
    assert isinstance(value, int)
    return value
