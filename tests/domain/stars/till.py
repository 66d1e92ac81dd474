"""A till that takes Stars: one merchant, a bot in memory, and the use cases over a store."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from adapters.memory.clock import FakeClock
from adapters.memory.deposit_addresses import InMemoryDepositAddresses
from adapters.memory.escrow_contract import InMemoryEscrowContracts
from adapters.memory.ids import SequentialIds
from adapters.memory.rates import FixedRates
from adapters.memory.stars_bot import InMemoryStarsBot
from adapters.memory.store import Store
from domain.fees.model import FeeSchedule
from domain.intents.model import Method
from domain.intents.quotes import RateRules
from domain.intents.service import IntentService, PriceIn
from domain.ledger.accounts import available, pending
from domain.merchants.model import Merchant
from domain.merchants.service import MerchantService
from domain.shared.money import Asset, Assets
from domain.stars import booking
from domain.stars.model import STARS
from domain.stars.reconciliation import StarsReconciliation
from domain.stars.service import StarsService
from ports.unit_of_work import Begin
from tests.builders import CHAIN, USD, USDT, usd
from tests.domain.scene import PLACES
from tests.domain.services import RULES

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent
    from domain.ledger.accounts import Account
    from domain.merchants.model import PaymentPolicy
    from domain.shared.events import RecordedEvent
    from domain.stars.model import Charge, ChargeId, StarPayment

DUE = 1250
"""What an intent of 25.00 USD costs at two cents a Star."""
FEE = 12
"""1 %, rounded down to a whole Star."""
NET = DUE - FEE

ASSETS = Assets.of([USD, USDT, Asset(STARS, "XTR", decimals=0)])
LOOKED_AT_MAX = 1_000


@attrs.frozen(kw_only=True)
class Till:
    clock: FakeClock
    begin: Begin
    bot: InMemoryStarsBot
    intents: IntentService
    stars: StarsService
    reconciliation: StarsReconciliation
    merchant: Merchant

    async def intent(self) -> PaymentIntent:
        """Create an intent of 25.00 USD in Stars."""
        return await self.intents.create(
            merchant=self.merchant, method=Method.STARS, offer=PriceIn(usd(2500), STARS)
        )

    async def deliver(self, *, times: int = 1) -> None:
        """Deliver what the bot has been told so far, each update so often."""
        while self.bot.updates:
            update = self.bot.updates.popleft()
            for _ in range(times):
                await self.stars.receive(update)

    async def paid(self) -> tuple[PaymentIntent, Charge]:
        """Return an intent that was paid, and by what."""
        intent = await self.intent()
        charge = self.bot.charge(intent.id, DUE)
        await self.deliver()
        return await self.now(intent), charge

    async def now(self, intent: PaymentIntent) -> PaymentIntent:
        return await self.intents.get(owner=intent.merchant_id, intent_id=intent.id)

    async def payment(self, charge_id: ChargeId) -> StarPayment:
        async with self.begin() as work:
            found = await work.star_payments.find(charge_id)
        assert found is not None
        return found

    async def booked(self, account: Account) -> int:
        """Return what the books say an account holds, in Stars."""
        async with self.begin() as work:
            for balance in await work.ledger.balances(prefix=account):
                if (balance.account, balance.money.asset) == (account, STARS):
                    return balance.money.amount
        return 0

    async def books(self) -> dict[str, int]:
        """Return what every account holds in Stars that holds any."""
        accounts = {
            "held": booking.HELD,
            "withdrawable": booking.WITHDRAWABLE,
            "suspense": booking.SUSPENSE,
            "pending": pending(self.merchant.id),
            "available": available(self.merchant.id),
        }
        found = {name: await self.booked(account) for name, account in accounts.items()}
        return {name: amount for name, amount in found.items() if amount}

    async def told(self, object_id: str | None = None) -> list[str]:
        return [
            recorded.event.type
            for recorded in await self.feed()
            if object_id in {None, recorded.event.object_id}
        ]

    async def feed(self) -> list[RecordedEvent]:
        async with self.begin() as work:
            return list(
                await work.events.after(owner=self.merchant.id, sequence=0, limit=LOOKED_AT_MAX)
            )


async def new_till(begin: Begin | None = None, *, policy: PaymentPolicy | None = None) -> Till:
    """Return a till over a store of its own, or over another."""
    clock, ids = FakeClock(), SequentialIds()
    begin = begin or Store(clock=clock, ids=ids).begin
    bot = InMemoryStarsBot(clock)
    rates = [FixedRates(name=name, clock=clock) for name in ("north", "south", "west")]
    for source in rates:
        source.say(ASSETS.find(STARS), USD, "0.02")
        source.say(USDT, USD, "1")
    merchant = await MerchantService(begin, clock, ids).register(
        name="Ada's bicycles", fees=FeeSchedule(bps=100), payments=policy
    )
    return Till(
        clock=clock,
        begin=begin,
        bot=bot,
        intents=IntentService(
            begin=begin,
            clock=clock,
            ids=ids,
            assets=ASSETS,
            rates=rates,
            rate_rules=RateRules(),
            rules=RULES,
            addresses={CHAIN: InMemoryDepositAddresses()},
            contracts=InMemoryEscrowContracts(),
            places={CHAIN: PLACES},
        ),
        stars=StarsService(begin, clock, ids, ASSETS, bot),
        reconciliation=StarsReconciliation(begin, clock, ids, ASSETS, bot),
        merchant=merchant,
    )
