"""A world for use cases: one chain, one merchant, and every service over the in-memory adapters.

Money moves in three steps, as outside: somebody sends it (``world.pay``), a block takes it in and
the watcher reads that (``world.read``), and enough blocks follow for it to be final
(``world.settle_down``).
"""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import attrs

from domain.escrow.model import EscrowTerms
from domain.fees.model import FeeSchedule
from domain.intents.model import DepositAddress, Method
from domain.intents.service import PriceIn
from domain.ledger.accounts import available, reserved
from domain.merchants.model import Merchant, PayoutTerms
from domain.shared.money import Money
from domain.shared.platform import PLATFORM
from tests.builders import CHAIN, USDT, address_of, coins, usd, usdt

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from adapters.memory.chain import InMemoryChain
    from adapters.memory.clock import FakeClock
    from domain.chains.sending import Sent
    from domain.chains.service import Progress
    from domain.escrow.model import Escrow
    from domain.intents.model import PaymentIntent
    from domain.ledger.accounts import Account
    from domain.merchants.model import PaymentPolicy
    from domain.settlements.payouts import Payout
    from domain.shared.events import RecordedEvent
    from domain.shared.ids import PayoutId
    from domain.shared.money import AssetId
    from domain.sweeps.model import Sweep
from tests.domain.scene import (
    ASSETS,
    DUE,
    GAS,
    HOT,
    OTHER_TOKEN,
    PAYER,
    PLACES,
    ROUNDS_MAX,
    STRANGER,
    TILL,
)
from tests.domain.services import Services, Surroundings, compose


@attrs.frozen(kw_only=True)
class World:
    """Everybody who takes part, and verbs for what they do."""

    around: Surroundings
    services: Services
    merchant: Merchant

    @property
    def chain(self) -> InMemoryChain:
        return self.around.chain

    @property
    def clock(self) -> FakeClock:
        return self.around.clock

    # Asking to be paid.

    async def intent(
        self, *, method: Method = Method.ADDRESS, merchant: Merchant | None = None
    ) -> PaymentIntent:
        """Create an intent of 25.00 USD in the test token."""
        return await self.services.intents.create(
            merchant=merchant or self.merchant,
            method=method,
            offer=PriceIn(usd(2500), USDT.id),
        )

    async def escrow_intent(self, *, merchant: Merchant | None = None) -> PaymentIntent:
        return await self.intent(method=Method.ESCROW, merchant=merchant)

    # What others do on the chain. Nothing of it is in a block yet.

    def pay(self, intent: PaymentIntent, amount: int = DUE, *, asset: AssetId = USDT.id) -> str:
        return self.chain.transfer(Money(amount, asset), source=PAYER, target=address_for(intent))

    def pay_escrow(self, intent: PaymentIntent, *, payer: str = PAYER) -> str:
        return self.chain.pay_escrow(terms_for(intent), payer=payer)

    # What time and the worker do.

    async def read(self, blocks: int = 1) -> Progress:
        """Mine blocks and read the chain up to its newest."""
        self.chain.mine(blocks)
        return await self.watch()

    async def watch(self) -> Progress:
        for _ in range(ROUNDS_MAX):
            progress = await self.services.watcher.watch(chain=CHAIN)
            if not progress.behind:
                return progress
        raise AssertionError("the watcher never gets to the chain's head")

    async def settle_down(self) -> None:
        """Mine and read until everything sent so far is final, block by block."""
        self.chain.mine()
        self.chain.finalize()
        await self.watch()

    async def send(self) -> Sent:
        return await self.services.sender.send(chain=CHAIN)

    async def send_and_settle_down(self) -> None:
        await self.send()
        await self.settle_down()

    async def sweep(self) -> Sequence[Sweep]:
        return await self.services.sweeps.sweep(chain=CHAIN)

    # Stories that tests begin with.

    async def paid_escrow(self, *, merchant: Merchant | None = None) -> PaymentIntent:
        """Return an intent whose money the contract holds, for good."""
        intent = await self.escrow_intent(merchant=merchant)
        self.pay_escrow(intent)
        await self.settle_down()
        return await self.now(intent)

    async def released(self, *, merchant: Merchant | None = None) -> PaymentIntent:
        """Return an intent whose money has come to the hot wallet: it can be paid out."""
        intent = await self.paid_escrow(merchant=merchant)
        await self.services.escrows.release(owner=intent.merchant_id, intent_id=intent.id)
        await self.send_and_settle_down()
        return await self.now(intent)

    async def payout_under_way(self) -> Payout:
        """Return a payout that waits to be signed."""
        await self.released()
        [settlement] = await self.services.settlements.run()
        assert settlement.payout_id is not None
        return await self.payout(settlement.payout_id)

    # What there is to see.

    async def now(self, intent: PaymentIntent) -> PaymentIntent:
        """Return an intent as it is by now."""
        return await self.services.intents.get(owner=intent.merchant_id, intent_id=intent.id)

    async def escrow(self, intent: PaymentIntent) -> Escrow:
        return await self.services.escrows.get(owner=intent.merchant_id, intent_id=intent.id)

    async def payout(self, payout_id: PayoutId) -> Payout:
        return await self.services.settlements.payout(owner=self.merchant.id, payout_id=payout_id)

    async def booked(self, account: Account, asset: AssetId = USDT.id) -> int:
        """Return what the books say an account holds, in the smallest unit."""
        async with self.around.store.begin() as work:
            for balance in await work.ledger.balances(prefix=account):
                if balance.account == account and balance.money.asset == asset:
                    return balance.money.amount
        return 0

    async def earned(self) -> int:
        return await self.booked(available(self.merchant.id))

    async def set_aside(self) -> int:
        return await self.booked(reserved(self.merchant.id))

    async def suspense(self, asset: AssetId = USDT.id) -> int:
        return await self.booked(PLACES.suspense, asset)

    def held(self, address: str, asset: AssetId = USDT.id) -> int:
        """Return what an address holds by the chain's newest block, in the smallest unit."""
        return self.chain.state.balance(address, asset)

    async def feed(self, merchant: Merchant | None = None) -> Sequence[RecordedEvent]:
        return await self.services.webhooks.feed(
            owner=(merchant or self.merchant).id, after=0, limit=ROUNDS_MAX
        )

    async def told(self, object_id: str | None = None) -> list[str]:
        """Return the types of the events the merchant was told, of one object or of all."""
        return [
            recorded.event.type
            for recorded in await self.feed()
            if object_id in {None, recorded.event.object_id}
        ]

    async def must_be_right(self) -> None:
        """Check the books against themselves, and with the chain to the last unit."""
        for booked in self.around.store.tables.transactions:
            by_asset: dict[AssetId, int] = {}
            for posting in booked.transaction.postings:
                money = posting.money
                by_asset[money.asset] = by_asset.get(money.asset, 0) + money.amount
            assert not any(by_asset.values()), booked
        await self.services.sealing.seal(limit=ROUNDS_MAX)
        assert await self.services.books.check() == []
        compared = await self.services.books.compare(chain=CHAIN)
        assert [spot for spot in compared if not spot.agree] == []
        held = Counter(dict.fromkeys(ASSETS.by_id, 0))
        for (_, _, asset), money in self.around.store.tables.holdings.items():
            held[asset] += money.amount
        for asset, amount in held.items():
            assert await self.booked(PLACES.deposits, asset) == amount, asset

    def snapshot(self) -> Mapping[str, object]:
        """Return what everything has come to, without the names that were given on the way."""
        tables = self.around.store.tables
        return {
            "intents": [
                (it.id, it.status, it.exception, it.received, it.final, it.captured)
                for it in tables.intents
            ],
            "attempts": [it.attempt.state for it in tables.intents],
            "escrows": [(it.id, it.state, it.requested) for it in tables.escrows],
            "observations": sorted(
                (it.key.transaction, it.key.position, it.finality) for it in tables.observations
            ),
            "settlements": [(it.state, it.money) for it in tables.settlements],
            "payouts": [(it.state, it.money, it.transaction) for it in tables.payouts],
            "sweeps": [(it.state, it.address, it.money) for it in tables.sweeps],
            "holdings": dict(tables.holdings.items()),
            "submissions": [(it.state, it.signed) for it in tables.submissions],
            "books": {key: total for key, total in sorted(tables.sums.items()) if total},
            "booked": sorted(
                f"{it.transaction.kind} {it.transaction.postings}" for it in tables.transactions
            ),
            "events": sorted(
                (it.event.object_id.partition("_")[0], it.event.type)
                for it in tables.events
                if it.event.merchant_id != PLATFORM
            ),
            "cursors": list(tables.cursors),
        }


def address_for(intent: PaymentIntent) -> str:
    assert isinstance(intent.pay_to, DepositAddress)
    return intent.pay_to.address


def terms_for(intent: PaymentIntent) -> EscrowTerms:
    assert isinstance(intent.pay_to, EscrowTerms)
    return intent.pay_to


async def new_world() -> World:
    """Return a world in which payers have money, the gas tank is booked, and a block is final."""
    around = Surroundings()
    chain = around.chain
    chain.fund(HOT, coins(GAS))
    for purse in (PAYER, STRANGER):
        chain.fund(purse, usdt(100 * DUE))
        chain.fund(purse, Money(10**12, OTHER_TOKEN.id))
    chain.mine(3)
    chain.finalize()
    services = compose(around)
    merchant = await services.merchants.register(
        name="Ada's bicycles",
        fees=FeeSchedule(bps=100),
        payouts=PayoutTerms(destinations={CHAIN: TILL}),
    )
    world = World(around=around, services=services, merchant=merchant)
    await services.books.book_gas(chain=CHAIN)
    await world.watch()
    return world


async def another_merchant(
    world: World,
    *,
    fees: FeeSchedule | None = None,
    payments: PaymentPolicy | None = None,
    payouts: PayoutTerms | None = None,
) -> Merchant:
    """Return a merchant with rules of its own."""
    return await world.services.merchants.register(
        name="Grace's clocks",
        fees=fees or FeeSchedule(bps=100),
        payments=payments,
        payouts=payouts or PayoutTerms(destinations={CHAIN: address_of("other till")}),
    )


async def with_policy(world: World, policy: PaymentPolicy) -> World:
    """Return the world as a merchant with another policy sees it."""
    return attrs.evolve(world, merchant=await another_merchant(world, payments=policy))
