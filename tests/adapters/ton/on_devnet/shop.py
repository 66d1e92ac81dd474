"""A whole gateway on the devnet: every service over liteservers, with storage in memory.

A process can be thrown away at any moment, with its services, its connections and all that its
reader remembers; what is stored stays, and so does the chain.
"""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import attrs

from adapters.memory.clock import FakeClock
from adapters.ton.liteservers import Liteservers
from domain.chains.places import Places
from domain.fees.model import FeeSchedule
from domain.intents.model import DepositAddress, Method, SharedAddress
from domain.intents.service import PriceIn
from domain.ledger.accounts import available, reserved
from domain.merchants.model import PayoutTerms
from domain.shared.money import Assets, ChainId, Money
from tests.adapters.ton.on_devnet.gateway import (
    COIN,
    START,
    TIMEOUT,
    TON,
    USDT,
    Gateway,
    deposit_signer,
    reader_of,
    sender_of,
)
from tests.builders import USD, usd
from tests.crashes.steps import Trail, watched
from tests.domain.mishaps import Died
from tests.domain.services import Services, Surroundings, compose

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from domain.chains.submissions import Submission
    from domain.intents.model import PaymentIntent
    from domain.ledger.accounts import Account
    from domain.merchants.model import Merchant
    from domain.settlements.payouts import Payout, PayoutState
    from domain.shared.money import Asset
    from domain.sweeps.model import Sweep

CHAIN = ChainId("ton:-3")
DUE = 25 * 10**6
"""What an intent of 25.00 USD costs in the jetton, smallest units."""
COIN_DUE = TON // 100
"""The same in the coin."""
NET = DUE - DUE // 100
SWEEP_FROM = 10**6
COINS_SWEEP_FROM = TON // 10
MINIMUMS = {USDT.id: SWEEP_FROM, COIN.id: COINS_SWEEP_FROM}
ROUNDS_MAX = 1_000
OWNED = 4
"""How many deposit wallets the reader is told of: each is looked through by a new process."""

PURSE = 10**12


EFFECTS = ("after commit", "after sender.broadcast")
"""The steps after which the world is another one."""


@attrs.define
class Mortal(Trail):
    """The trail of a process that dies without ending the test: at a step, or after an effect."""

    effects_left: int = ROUNDS_MAX

    def passed(self, what: str) -> None:
        super().passed(what)
        self.effects_left -= what in EFFECTS
        if not self.effects_left:
            self.die()

    def die(self) -> None:
        raise Died


@attrs.frozen(kw_only=True)
class Shop:
    """Everybody who takes part, and verbs for what they do."""

    gate: Gateway
    around: Surroundings
    services: Services
    """Those of a process that lives as long as the test does."""

    @asynccontextmanager
    async def process(self, trail: Trail | None = None) -> AsyncIterator[Services]:
        """Compose another process, with connections and a memory of its own."""
        async with Liteservers(self.gate.settings) as servers:
            services = _composed(self.gate, servers, self.around)
            yield services if trail is None else watched(services, trail)

    # What merchants and payers do.

    async def merchant(self, *, till: str) -> Merchant:
        return await self.services.merchants.register(
            name="Ada's bicycles",
            fees=FeeSchedule(bps=100),
            payouts=PayoutTerms(destinations={CHAIN: till}),
        )

    async def intent(
        self,
        *,
        till: str = "Ada",
        method: Method = Method.MEMO,
        asset: Asset = USDT,
    ) -> PaymentIntent:
        """Create an intent of 25.00 USD, of a merchant of its own."""
        return await self.services.intents.create(
            merchant=await self.merchant(till=self.gate.somebody(till)),
            method=method,
            offer=PriceIn(usd(2500), asset.id),
        )

    def pay(self, intent: PaymentIntent, *, memo: str | None = None, asset: Asset = USDT) -> None:
        """Pay what an intent costs, with its memo unless told otherwise; it is under way."""
        amount = DUE if asset is USDT else COIN_DUE
        if isinstance(intent.pay_to, SharedAddress) and memo is None:
            memo = memo_of(intent)
        self.give(address_of(intent), Money(amount, asset.id), memo=memo)

    def give(self, target: str, money: Money, *, memo: str | None = None) -> None:
        self.gate.act(1, self.gate.payment(target=target, money=money, memo=memo))

    # What time and the worker do.

    async def watch(self) -> None:
        await watch(self.services)

    async def settle_down(self) -> None:
        """Mine until everything has arrived, and read that."""
        self.mine()
        await self.watch()

    def mine(self) -> None:
        """Mine until everything has arrived."""
        self.gate.devnet.mine_all()
        self.gate.devnet.mine(blocks=2)

    async def send(self) -> None:
        await self.services.sender.send(chain=CHAIN)

    def pass_time(self, seconds: int) -> None:
        """Move the chain's clock and the gateway's."""
        self.gate.devnet.advance(seconds=seconds)
        self.around.clock.move_to(_time(self.gate))

    async def lapse(self) -> None:
        """Let the last moment of all that was signed pass."""
        self.pass_time(TIMEOUT + 1)
        await self.settle_down()

    def lose_next(self) -> None:
        """Have the liteserver say that it took the next message, and lose it."""
        self.gate.devnet.liteservers[0].faults.messages_to_lose = 1

    async def payouts_under_way(self, tills: Sequence[str], asset: Asset = USDT) -> list[Payout]:
        """Return a payout for each till, queued in this order."""
        for till in tills:
            self.pay(await self.intent(till=till, asset=asset), asset=asset)
            self.gate.devnet.mine()
        await self.settle_down()
        payouts = []
        for settlement in await self.services.settlements.run():
            assert settlement.payout_id is not None
            async with self.around.store.begin() as work:
                payouts.append(await work.settlements.lock_payout(settlement.payout_id))
        assert len(payouts) == len(tills)
        return payouts

    # What there is to see.

    async def now(self, intent: PaymentIntent) -> PaymentIntent:
        return await self.services.intents.get(owner=intent.merchant_id, intent_id=intent.id)

    async def payout(self, payout: Payout) -> Payout:
        async with self.around.store.begin() as work:
            return await work.settlements.lock_payout(payout.id)

    async def states(self, payouts: Sequence[Payout]) -> list[PayoutState]:
        return [(await self.payout(each)).state for each in payouts]

    @property
    def submissions(self) -> list[Submission]:
        return list(self.around.store.tables.submissions)

    @property
    def sweeps(self) -> list[Sweep]:
        return list(self.around.store.tables.sweeps)

    async def held(self, till: str, asset: Asset = USDT) -> int:
        return await self.gate.held(self.gate.somebody(till), asset.id)

    async def booked(self, account: Account, asset: Asset = USDT) -> int:
        async with self.around.store.begin() as work:
            for balance in await work.ledger.balances(prefix=account):
                if balance.account == account and balance.money.asset == asset.id:
                    return balance.money.amount
        return 0

    async def earned(self, intent: PaymentIntent, asset: Asset = USDT) -> int:
        return await self.booked(available(intent.merchant_id), asset)

    async def set_aside(self, payout: Payout) -> int:
        assert payout.merchant_id is not None
        return await self.booked(reserved(payout.merchant_id))

    async def suspense(self, asset: Asset = USDT) -> int:
        return await self.booked(_places(self.gate).suspense, asset)

    @property
    def deposits(self) -> Account:
        return _places(self.gate).deposits

    async def must_be_conserved(self) -> None:
        """Check that nothing is amiss, though something may be under way."""
        assert await self.services.conservation.reconcile(chain=CHAIN) == ()
        assert await self.services.conservation.parked() == []

    async def must_be_right(self) -> None:
        """Check the books against themselves, and with the chain to the last unit."""
        findings = await self.services.books.check()
        assert [it for it in findings if "seal" not in it.what] == []
        compared = await self.services.books.compare(chain=CHAIN)
        assert [spot for spot in compared if not spot.agree] == []


async def watch(services: Services) -> None:
    for _ in range(ROUNDS_MAX):
        if not (await services.watcher.watch(chain=CHAIN)).behind:
            return
    raise AssertionError("the watcher never gets to the chain's head")


def address_of(intent: PaymentIntent) -> str:
    """Return where an intent is paid to."""
    if isinstance(intent.pay_to, SharedAddress):
        return intent.pay_to.wallet
    assert isinstance(intent.pay_to, DepositAddress)
    return intent.pay_to.address


def memo_of(intent: PaymentIntent) -> str:
    assert isinstance(intent.pay_to, SharedAddress)
    return intent.pay_to.memo


def _time(gate: Gateway) -> datetime:
    return datetime.fromtimestamp(gate.devnet.now, tz=UTC)


def _places(gate: Gateway) -> Places:
    return Places(
        chain=CHAIN,
        native=COIN.id,
        escrow_contract=None,
        hot_wallet=gate.watched,
        treasury=None,
        first_block=gate.first_block,
        methods=frozenset({Method.MEMO, Method.ADDRESS}),
        shows_coins=True,
    )


def _composed(gate: Gateway, servers: Liteservers, around: Surroundings) -> Services:
    services = compose(
        around,
        reader=reader_of(servers, gate.settings, owned=OWNED),
        sender=sender_of(servers, gate.settings, gate.devnet),
        places=_places(gate),
        assets=Assets.of([USD, USDT, COIN]),
    )
    return attrs.evolve(
        services,
        intents=attrs.evolve(services.intents, addresses={CHAIN: deposit_signer().wallets}),
        sweeps=attrs.evolve(services.sweeps, minimums=MINIMUMS),
    )


async def new_shop(gate: Gateway) -> Shop:
    """Return a gateway that has read all that happened on the chain, and a payer with money.

    What the hot wallet holds at first came without a memo, and lies in suspense.
    """
    gate.first_block = 2
    gate.mint(gate.purse.address, PURSE)
    around = Surroundings(clock=FakeClock(datetime.fromtimestamp(START, tz=UTC)))
    for source in around.rates:
        source.say(USDT, USD, "1")
        source.say(COIN, USD, "2500")
    shop = Shop(gate=gate, around=around, services=_composed(gate, gate.servers, around))
    await shop.settle_down()
    return shop
