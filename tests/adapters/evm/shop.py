"""A gateway in memory on a real node, one merchant, and a payer with tokens and coins."""

# What a setting of the chain is may be of any type.
# ruff: noqa: ANN401

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

import attrs

from adapters.evm.node import EvmNode
from adapters.evm.reader import EvmChainReader
from adapters.evm.wallet import PayerWallet
from adapters.memory.clock import FakeClock
from adapters.memory.deposit_addresses import InMemoryDepositAddresses
from domain.chains.places import Places
from domain.fees.model import FeeSchedule
from domain.intents.model import Method
from domain.intents.service import PriceIn
from domain.ledger.accounts import available
from domain.merchants.model import Merchant, PayoutTerms
from domain.shared.money import Asset, Assets
from tests.adapters.evm.local_chain import (
    CHAIN,
    MERCHANT,
    NATIVE,
    OPERATOR,
    TREASURY,
    LocalChain,
    address,
)
from tests.builders import COIN, USD, usd
from tests.domain.scene import ROUNDS_MAX
from tests.domain.services import Services, Surroundings, compose
from tests.domain.world import address_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.chains.model import Finality
    from domain.intents.model import PaymentIntent
    from domain.shared.money import AssetId

DUE = 25_000_000
"""What an intent costs in the token, smallest unit."""
DUE_COINS = 10**16
"""The same in the native coin, at 2,500 USD."""


@attrs.frozen
class Shop:
    """Verbs of the payer and the merchant."""

    chain: LocalChain
    services: Services
    merchant: Merchant
    payer: PayerWallet
    around: Surroundings

    async def intent(self, asset: AssetId | None = None) -> PaymentIntent:
        return await self.services.intents.create(
            merchant=self.merchant,
            method=Method.ADDRESS,
            offer=PriceIn(usd(2500), asset or self.chain.usdt),
        )

    async def pay(self, intent: PaymentIntent) -> None:
        target = address_for(intent)
        await self.payer.transfer(token=self.chain.token, target=target, amount=DUE)

    async def watch(self) -> None:
        for _ in range(ROUNDS_MAX):
            if not (await self.services.watcher.watch(chain=CHAIN)).behind:
                return
        raise AssertionError("the watcher never gets to the chain's head")

    async def now(self, intent: PaymentIntent) -> PaymentIntent:
        return await self.services.intents.get(owner=self.merchant.id, intent_id=intent.id)

    async def earned(self) -> int:
        async with self.around.store.begin() as work:
            balances = await work.ledger.balances(prefix=available(self.merchant.id))
        return sum(balance.money.amount for balance in balances)

    def finalities(self) -> list[Finality]:
        return sorted(it.finality for it in self.around.store.tables.observations)


@asynccontextmanager
async def open_shop(chain: LocalChain, **settings: Any) -> AsyncIterator[Shop]:
    """Open one on a chain with fresh contracts, read as the settings say."""
    around = Surroundings(clock=FakeClock(await chain.now()))
    token, coin = Asset(chain.usdt, "tUSDT", 6), attrs.evolve(COIN, id=NATIVE)
    for source in around.rates:
        source.say(token, USD, "1")
        source.say(coin, USD, "2500")
    shows_coins = settings.get("shows_coins", False)
    places = Places(
        chain=CHAIN,
        native=NATIVE,
        escrow_contract=chain.escrow,
        hot_wallet=address(OPERATOR),
        treasury=address(TREASURY),
        first_block=await chain.number() + 1,
        shows_coins=shows_coins,
        hides_coins=shows_coins,
    )
    payer = await chain.funded(10**12)
    async with EvmNode(chain.settings(**settings)) as node:
        services = compose(
            around,
            reader=EvmChainReader(node),
            places=places,
            assets=Assets.of([USD, token, coin]),
        )
        # Addresses of this shop's own: those of another may hold money.
        addresses = {CHAIN: InMemoryDepositAddresses(chain.token)}
        intents = attrs.evolve(services.intents, addresses=addresses)
        services = attrs.evolve(services, intents=intents)
        merchant = await services.merchants.register(
            name="Ada's bicycles",
            fees=FeeSchedule(bps=0),
            payouts=PayoutTerms(destinations={CHAIN: address(MERCHANT)}),
        )
        yield Shop(chain, services, merchant, payer, around)
