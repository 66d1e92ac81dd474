"""A world on a chain of another kind: one wallet for all payments, batches, and expiry.

Coins are seen to move there; payments are told apart by memos; the gateway's messages carry many
payouts each and have a last moment. There is no escrow contract. Storage is whatever the test
brings, so that the same stories are told over memory and over PostgreSQL.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import attrs

from adapters.memory.chain import InMemoryChain
from adapters.memory.chain_state import Nature
from adapters.memory.deposit_addresses import InMemoryDepositAddresses
from domain.chains.places import Places
from domain.fees.model import FeeSchedule
from domain.intents.model import Method, SharedAddress
from domain.intents.service import PriceIn
from domain.ledger.accounts import available, reserved
from domain.merchants.model import Merchant, PayoutTerms
from domain.shared.money import Asset, AssetId, Assets, ChainId, Money
from ports.unit_of_work import Begin
from tests.builders import USD, address_of, usd
from tests.domain.scene import CONTRACTS, DUE, GAS, HOT, PAYER
from tests.domain.services import Services, Surroundings, compose

if TYPE_CHECKING:
    from collections.abc import Sequence

    from domain.chains.submissions import Submission
    from domain.intents.model import PaymentIntent
    from domain.ledger.accounts import Account
    from domain.merchants.model import PaymentPolicy
    from domain.settlements.payouts import Payout, PayoutState
    from domain.shared.ids import PayoutId
    from ports.chain import ChainReader, ChainSender
    from ports.clock import Clock

CHAIN = ChainId("ton:memory")
COIN = Asset(AssetId(f"{CHAIN}/slip44:607"), "GRAM", decimals=9)
TOKEN = Asset(AssetId(f"{CHAIN}/jetton:usdt"), "USDT", decimals=18, peg=AssetId("iso4217:USD"))
OTHER = Asset(AssetId(f"{CHAIN}/jetton:other"), "OTHER", decimals=6)
VALID_FOR = timedelta(hours=1)
BATCH_MAX = 4
COIN_DUE = 25 * 10**9 // 2500
"""What 25.00 USD are in the coin, smallest units."""

PLACES = Places(
    chain=CHAIN,
    native=COIN.id,
    escrow_contract=None,
    hot_wallet=HOT,
    treasury=None,
    first_block=3,
    methods=frozenset({Method.MEMO, Method.ADDRESS}),
    shows_coins=True,
)
ASSETS = Assets.of([USD, TOKEN, COIN, OTHER])
ROUNDS_MAX = 1_000


def _chain(clock: Clock, nature: Nature) -> InMemoryChain:
    return InMemoryChain(
        chain=CHAIN,
        clock=clock,
        contracts=CONTRACTS,
        native=COIN.id,
        assets=[TOKEN.id, OTHER.id, COIN.id],
        contract=None,
        sender=HOT,
        arbiter="nobody",
        treasury=None,
        deposits=InMemoryDepositAddresses(),
        nature=nature,
    )


@attrs.frozen(kw_only=True)
class SharedWallet:
    """Everybody who takes part, and verbs for what they do."""

    around: Surroundings
    begin: Begin
    services: Services
    merchant: Merchant

    @property
    def chain(self) -> InMemoryChain:
        return self.around.chain

    def process(
        self,
        *,
        begin: Begin | None = None,
        reader: ChainReader | None = None,
        sender: ChainSender | None = None,
    ) -> Services:
        """Compose another process, with something between it and its ports."""
        return _composed(self.around, begin or self.begin, reader=reader, sender=sender)

    async def merchant_paid_at(
        self, till: str, *, payments: PaymentPolicy | None = None
    ) -> Merchant:
        return await _registered(self.services, till, payments=payments)

    async def intent(
        self,
        *,
        asset: AssetId = TOKEN.id,
        merchant: Merchant | None = None,
        method: Method = Method.MEMO,
    ) -> PaymentIntent:
        """Create an intent of 25.00 USD."""
        return await self.services.intents.create(
            merchant=merchant or self.merchant,
            method=method,
            offer=PriceIn(usd(2500), asset),
        )

    def pay(
        self,
        intent: PaymentIntent,
        amount: int = DUE,
        *,
        asset: AssetId = TOKEN.id,
        memo: str | None = None,
    ) -> str:
        return self.gift(amount, asset=asset, memo=memo or memo_of(intent))

    def gift(self, amount: int, *, asset: AssetId = TOKEN.id, memo: str | None = None) -> str:
        return self.chain.transfer(Money(amount, asset), source=PAYER, target=HOT, memo=memo)

    async def watch(self) -> None:
        for _ in range(ROUNDS_MAX):
            if not (await self.services.watcher.watch(chain=CHAIN)).behind:
                return
        raise AssertionError("the watcher never gets to the chain's head")

    async def settle_down(self) -> None:
        self.chain.mine()
        self.chain.finalize()
        await self.watch()

    async def send(self) -> None:
        await self.services.sender.send(chain=CHAIN)

    async def lapse(self) -> None:
        """Let the last moment of all that was signed pass, by the time of a final block."""
        self.around.clock.advance(seconds=int(VALID_FOR.total_seconds()) + 1)
        await self.settle_down()

    async def payouts_under_way(self, tills: Sequence[str]) -> list[Payout]:
        """Return a payout for each till, queued in this order."""
        payouts = []
        for till in tills:
            merchant = await self.merchant_paid_at(till)
            self.pay(await self.intent(merchant=merchant))
            await self.settle_down()
            [settlement] = await self.services.settlements.run()
            assert settlement.payout_id is not None
            self.around.clock.advance(seconds=1)
            payouts.append(await self.payout(settlement.payout_id))
        return payouts

    async def now(self, intent: PaymentIntent) -> PaymentIntent:
        return await self.services.intents.get(owner=intent.merchant_id, intent_id=intent.id)

    async def payout(self, id: PayoutId) -> Payout:
        async with self.begin() as work:
            return await work.settlements.lock_payout(id)

    async def states(self, payouts: Sequence[Payout]) -> list[PayoutState]:
        return [(await self.payout(payout.id)).state for payout in payouts]

    async def in_flight(self) -> list[Submission]:
        async with self.begin() as work:
            return [*await work.chains.in_flight(CHAIN, limit=ROUNDS_MAX)]

    async def queued(self) -> list[Submission]:
        async with self.begin() as work:
            return [*await work.chains.queued(CHAIN, limit=ROUNDS_MAX)]

    async def booked(self, account: Account, asset: AssetId = TOKEN.id) -> int:
        async with self.begin() as work:
            for balance in await work.ledger.balances(prefix=account):
                if balance.account == account and balance.money.asset == asset:
                    return balance.money.amount
        return 0

    async def earned(self, asset: AssetId = TOKEN.id) -> int:
        return await self.booked(available(self.merchant.id), asset)

    async def set_aside(self, payout: Payout) -> int:
        assert payout.merchant_id is not None
        return await self.booked(reserved(payout.merchant_id))

    async def suspense(self, asset: AssetId = TOKEN.id) -> int:
        return await self.booked(PLACES.suspense, asset)

    def held(self, address: str, asset: AssetId = TOKEN.id) -> int:
        return self.chain.state.balance(address, asset)

    async def must_be_right(self) -> None:
        """Check the books against themselves, and with the chain to the last unit."""
        findings = await self.services.books.check()
        assert [it for it in findings if "seal" not in it.what] == []
        compared = await self.services.books.compare(chain=CHAIN)
        assert [spot for spot in compared if not spot.agree] == []


def memo_of(intent: PaymentIntent) -> str:
    assert isinstance(intent.pay_to, SharedAddress)
    return intent.pay_to.memo


def till(name: str) -> str:
    return address_of(f"till of {name}")


def _composed(
    around: Surroundings,
    begin: Begin,
    *,
    reader: ChainReader | None = None,
    sender: ChainSender | None = None,
) -> Services:
    return compose(around, begin=begin, reader=reader, sender=sender, places=PLACES, assets=ASSETS)


async def _registered(
    services: Services, till: str, *, payments: PaymentPolicy | None = None
) -> Merchant:
    return await services.merchants.register(
        name="Ada's bicycles",
        fees=FeeSchedule(bps=100),
        payments=payments,
        payouts=PayoutTerms(destinations={CHAIN: till}),
    )


async def new_shared_wallet(*, begin: Begin | None = None, early: int = 0) -> SharedWallet:
    """Return a world in which payers have money, and the gas tank is booked.

    So many coins, ``early``, come in a block that is still to be read when the tank is booked.
    """
    around = Surroundings()
    nature = Nature(batch_max=BATCH_MAX, valid_for=VALID_FOR, shows_coins=True)
    around = attrs.evolve(around, chain=_chain(around.clock, nature))
    for source in around.rates:
        source.say(TOKEN, USD, "1")
        source.say(COIN, USD, "2500")
    around.chain.fund(HOT, Money(GAS, COIN.id))
    for asset in (TOKEN, OTHER, COIN):
        around.chain.fund(PAYER, Money(100 * DUE, asset.id))
    around.chain.mine(3)
    if early:
        around.chain.fund(HOT, Money(early, COIN.id))
    around.chain.finalize()
    begin = begin or around.store.begin
    services = _composed(around, begin)
    await services.books.book_gas(chain=CHAIN)
    merchant = await _registered(services, till("Ada"))
    world = SharedWallet(around=around, begin=begin, services=services, merchant=merchant)
    await world.watch()
    return world
