"""Everything at once, for several merchants: nobody is turned away, and the books are right."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import attrs
import psycopg

from domain.escrow.model import EscrowActionInProgress, EscrowTransitionRefused
from domain.intents.model import IntentTransitionRefused, Method, PaymentIntent
from domain.merchants.model import PaymentPolicy, Verdict
from tests.builders import CHAIN
from tests.concurrency.gateway import Gateways, at_once
from tests.domain.scene import DUE
from tests.domain.world import another_merchant

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from domain.merchants.model import Merchant
    from domain.webhooks.service import WebhookService
    from tests.domain.services import Services

ROUNDS = range(4)
MERCHANTS = 3
INTENTS = 4
"""Of each merchant and method in each round."""


@attrs.frozen
class Everybody:
    """The tasks of one round: every use case that writes, half of each in each process."""

    gateways: Gateways
    deposits: Sequence[PaymentIntent]
    escrows: Sequence[PaymentIntent]

    def tasks(self) -> list[Coroutine[Any, Any, object]]:
        processes = [self.gateways.process(number) for number in range(4)]
        return [
            self.chain_goes_on(),
            *(self.accept(self.gateways.process(place), it) for place, it in self._each(0)),
            *(self.release(self.gateways.process(place), it) for place, it in self._each(1)),
            *(self.create(it) for it in processes[:2]),
            *(self.settle(it) for it in processes[:2]),
            *(self.send(it) for it in processes[:2]),
            *(self.watch(it) for it in processes[:2]),
            *(self.hand_over(it.webhooks) for it in processes[:2]),
        ]

    def _each(self, kind: int) -> list[tuple[int, PaymentIntent]]:
        return list(enumerate((self.deposits, self.escrows)[kind]))

    async def chain_goes_on(self) -> None:
        world = self.gateways.world
        for _ in range(2):
            for intent in self.deposits:
                world.pay(intent, 2 * DUE)  # Too much: the rest waits to be accepted.
            for _ in range(6):
                await self.gateways.hesitate.wait(times=4)
                world.chain.mine()

    async def accept(self, process: Services, intent: PaymentIntent) -> None:
        for _ in range(3):
            await self.gateways.hesitate.wait(times=16)
            try:
                await process.intents.accept(owner=intent.merchant_id, intent_id=intent.id)
            except IntentTransitionRefused:
                continue

    async def release(self, process: Services, intent: PaymentIntent) -> None:
        await self.gateways.hesitate.wait(times=16)
        try:
            await process.escrows.release(owner=intent.merchant_id, intent_id=intent.id)
        except (EscrowTransitionRefused, EscrowActionInProgress):
            return

    async def create(self, process: Services) -> None:
        for _ in range(6):
            await self.gateways.hesitate()
            await self.gateways.world.intent()
            await process.webhooks.feed(owner=self.gateways.merchant.id, after=0, limit=10)

    async def settle(self, process: Services) -> None:
        for _ in range(8):
            await self.gateways.hesitate.wait(times=6)
            await process.settlements.run()

    async def send(self, process: Services) -> None:
        for _ in range(8):
            await self.gateways.hesitate.wait(times=4)
            await process.sender.send(chain=CHAIN)

    async def watch(self, process: Services) -> None:
        for _ in range(8):
            await self.gateways.hesitate()
            await process.watcher.watch(chain=CHAIN)

    async def hand_over(self, webhooks: WebhookService) -> None:
        for _ in range(6):
            await self.gateways.hesitate.wait(times=4)
            await webhooks.hand_over(limit=20)


async def test_whatever_meets_whatever_nobody_is_turned_away(
    gateways: Gateways, postgres_dsn: str
) -> None:
    world = gateways.world
    policy = PaymentPolicy(overpaid=Verdict.REVIEW)
    merchants = [await another_merchant(world, payments=policy) for _ in range(MERCHANTS)]
    for merchant in merchants:
        await world.services.webhooks.register(owner=merchant.id, url="https://shop.example/all")
    for seed in ROUNDS:
        gateways.reseed(seed)
        deposits = await _intents(gateways, merchants, Method.ADDRESS)
        escrows = await _intents(gateways, merchants, Method.ESCROW)
        for intent in escrows:
            world.pay_escrow(intent)
        await world.settle_down()

        await at_once(Everybody(gateways, deposits, escrows).tasks(), seed=seed)

        await world.send_and_settle_down()
        await gateways.must_be_right()
    assert await _payouts(postgres_dsn) > 0


async def _intents(
    gateways: Gateways, merchants: Sequence[Merchant], method: Method
) -> list[PaymentIntent]:
    world = gateways.world
    return [
        await world.intent(method=method, merchant=merchant)
        for merchant in merchants
        for _ in range(INTENTS)
    ]


async def _payouts(dsn: str) -> int:
    async with await psycopg.AsyncConnection.connect(dsn, autocommit=True) as connection:
        cursor = await connection.execute("select count(*) from payout where state = 'confirmed'")
        row = await cursor.fetchone()
        assert row is not None
        return int(row[0])
