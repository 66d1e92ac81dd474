"""Money that a token will not let the contract push, on a real EVM: booked, shown, withdrawn."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import attrs
import pytest

from adapters.evm.abi import address_word, selector
from adapters.evm.escrow_contract import EvmEscrowContracts
from adapters.evm.node import EvmNode
from adapters.evm.reader import EvmChainReader
from adapters.evm.sender import EvmChainSender
from adapters.memory.clock import FakeClock
from domain.chains.instructions import ReleaseEscrow, ReleaseMany
from domain.chains.places import Places
from domain.escrow.model import EscrowState
from domain.escrow.view import view_escrow
from domain.fees.model import FeeSchedule
from domain.intents.model import Method
from domain.intents.service import PriceIn
from domain.ledger.accounts import available
from domain.merchants.model import Merchant, PayoutTerms
from domain.shared.money import Asset, Assets
from tests.adapters.evm.denying_token import deny, deploy
from tests.adapters.evm.local_chain import (
    CHAIN,
    MERCHANT,
    NATIVE,
    OPERATOR,
    PAYER,
    TREASURY,
    LocalChain,
    address,
)
from tests.builders import COIN, USD, usd
from tests.domain.scene import ROUNDS_MAX
from tests.domain.services import Services, Surroundings, compose
from tests.domain.world import terms_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.intents.model import PaymentIntent

DUE, NET, FEE = 25_000_000, 24_750_000, 250_000
"""What an intent of 25.00 USD costs in the token, and what of it is the merchant's and ours."""
HOT = address(OPERATOR)


@attrs.frozen
class Gateway:
    """A gateway in memory on a real node, whose contract is paid in a token that denies."""

    chain: LocalChain
    services: Services
    merchant: Merchant
    around: Surroundings
    places: Places
    assets: Assets

    async def held(self, count: int) -> list[PaymentIntent]:
        """Return intents whose money the contract holds for good."""
        intents = []
        for _ in range(count):
            intent = await self.services.intents.create(
                merchant=self.merchant,
                method=Method.ESCROW,
                offer=PriceIn(usd(2500), self.chain.usdt),
            )
            await self.chain.pay(terms_for(intent))
            intents.append(intent)
        await self.settle_down()
        return intents

    async def settle_down(self) -> None:
        await self.chain.mine(3)
        for _ in range(ROUNDS_MAX):
            if not (await self.services.watcher.watch(chain=CHAIN)).behind:
                return
        raise AssertionError("the watcher never gets to the chain's head")

    async def send(self) -> None:
        await self.services.sender.send(chain=CHAIN)
        for submission in self.around.store.tables.submissions:
            if submission.signed is not None:
                await self.chain.mined(submission.signed.hash)
        await self.settle_down()

    async def withdraw(self, place: int, call: str, *arguments: str) -> None:
        """Have an account take its credit out by a call of the contract's."""
        data = selector(call) + b"".join(address_word(it) for it in arguments)
        wallet = await self.chain.wallet(place)
        await wallet.call(target=self.chain.escrow, data="0x" + data.hex())
        await self.settle_down()

    async def shown(self, intent: PaymentIntent) -> Any:  # noqa: ANN401 (JSON is of many types)
        escrow = await self.services.escrows.get(owner=self.merchant.id, intent_id=intent.id)
        return view_escrow(escrow, self.assets)

    async def told(self, object_id: str) -> list[str]:
        feed = await self.services.webhooks.feed(owner=self.merchant.id, after=0, limit=ROUNDS_MAX)
        return [it.event.type for it in feed if it.event.object_id == object_id]

    async def booked(self, account: str) -> int:
        async with self.around.store.begin() as work:
            for balance in await work.ledger.balances(prefix=account):
                if (balance.account, balance.money.asset) == (account, self.chain.usdt):
                    return balance.money.amount
        return 0

    async def must_be_right(self) -> None:
        """Check the token's books with the chain to the last unit."""
        compared = await self.services.books.compare(chain=CHAIN)
        of_token = [spot for spot in compared if spot.asset == self.chain.usdt]
        assert of_token
        assert [spot for spot in of_token if not spot.agree] == []


@asynccontextmanager
async def opened(chain: LocalChain) -> AsyncIterator[Gateway]:
    around = Surroundings(clock=FakeClock(await chain.now()))
    token, coin = Asset(chain.usdt, "tUSDC", 6), attrs.evolve(COIN, id=NATIVE)
    for source in around.rates:
        source.say(token, USD, "1")
    places = Places(
        chain=CHAIN,
        native=NATIVE,
        escrow_contract=chain.escrow,
        hot_wallet=HOT,
        treasury=address(TREASURY),
        first_block=await chain.number() + 1,
    )
    assets, contracts = Assets.of([USD, token, coin]), EvmEscrowContracts()
    async with EvmNode(chain.settings()) as node:
        services = compose(
            around,
            reader=EvmChainReader(node),
            sender=EvmChainSender(node, chain.signer()),
            places=places,
            assets=assets,
        )
        services = attrs.evolve(
            services,
            intents=attrs.evolve(services.intents, contracts=contracts),
            watcher=attrs.evolve(services.watcher, contracts=contracts),
        )
        merchant = await services.merchants.register(
            name="Ada's bicycles",
            fees=FeeSchedule(bps=100),
            payouts=PayoutTerms(destinations={CHAIN: address(MERCHANT)}),
        )
        yield Gateway(chain, services, merchant, around, places, assets)


@pytest.fixture
async def gateway(chain: LocalChain) -> AsyncIterator[Gateway]:
    chain.token = await deploy(chain)
    await chain.funded(10**9, PAYER)
    async with opened(chain) as gateway:
        yield gateway


async def test_a_release_to_whom_the_token_denies_is_a_claim_until_it_is_withdrawn(
    gateway: Gateway,
) -> None:
    [intent] = await gateway.held(1)
    await deny(gateway.chain, gateway.chain.token, HOT)
    await gateway.services.escrows.release(owner=gateway.merchant.id, intent_id=intent.id)
    await gateway.send()

    escrow = await gateway.shown(intent)
    [claim] = escrow["claims"]
    assert (escrow["state"], claim["side"], claim["account"]) == ("released", "merchant", HOT)
    assert claim["amount"]["amount"] == str(NET)
    assert (await gateway.told(escrow["id"]))[-2:] == ["escrow.released", "escrow.credited"]
    assert await gateway.booked(available(gateway.merchant.id)) == NET
    assert await gateway.booked(gateway.places.escrow) == DUE
    await gateway.must_be_right()

    await deny(gateway.chain, gateway.chain.token, HOT, yes=False)
    await gateway.withdraw(OPERATOR, "withdraw(address)", gateway.chain.token)

    [claim] = (await gateway.shown(intent))["claims"]
    assert (claim["withdrawn_to"], claim["withdrawn_at"] is None) == (HOT, False)
    assert (await gateway.told(escrow["id"]))[-1] == "escrow.withdrawn"
    assert await gateway.booked(gateway.places.hot) == NET
    assert await gateway.booked(gateway.places.escrow) == FEE
    await gateway.must_be_right()


async def test_so_are_all_of_a_batch_and_one_call_takes_them_out(gateway: Gateway) -> None:
    [first, *rest] = await gateway.held(3)
    gateway.around.clock.move_to(terms_for(rest[-1]).auto_release_at + timedelta(minutes=1))
    assert await gateway.services.escrows.release_due() == 3
    await deny(gateway.chain, gateway.chain.token, HOT)
    await gateway.send()

    kinds = [type(it.instruction) for it in gateway.around.store.tables.submissions if it.signed]
    assert kinds == [ReleaseMany]
    shown = [await gateway.shown(it) for it in (first, *rest)]
    assert [it["state"] for it in shown] == [EscrowState.RELEASED] * 3
    assert [len(it["claims"]) for it in shown] == [1, 1, 1]
    assert await gateway.booked(gateway.places.escrow) == 3 * DUE
    await gateway.must_be_right()

    # The token still denies him: he has it sent elsewhere, and all claims are taken at once.
    elsewhere = address(MERCHANT)
    await gateway.withdraw(OPERATOR, "withdrawTo(address,address)", gateway.chain.token, elsewhere)

    for intent in (first, *rest):
        [claim] = (await gateway.shown(intent))["claims"]
        assert claim["withdrawn_to"] == elsewhere
    assert await gateway.booked(gateway.places.escrow) == 3 * FEE
    await gateway.must_be_right()


async def test_a_payer_who_is_denied_is_refunded_by_a_claim(gateway: Gateway) -> None:
    [intent, other] = await gateway.held(2)
    await deny(gateway.chain, gateway.chain.token, address(PAYER))
    await gateway.services.escrows.refund(owner=gateway.merchant.id, intent_id=intent.id)
    await gateway.services.escrows.release(owner=gateway.merchant.id, intent_id=other.id)
    await gateway.send()

    sent = [type(it.instruction) for it in gateway.around.store.tables.submissions]
    assert ReleaseEscrow in sent
    [claim] = (await gateway.shown(intent))["claims"]
    assert (claim["side"], claim["account"]) == ("payer", address(PAYER))
    assert (await gateway.shown(other))["claims"] == []
    assert await gateway.booked(gateway.places.suspense) == DUE
    await gateway.must_be_right()

    elsewhere = address(MERCHANT)
    await gateway.withdraw(PAYER, "withdrawTo(address,address)", gateway.chain.token, elsewhere)

    [claim] = (await gateway.shown(intent))["claims"]
    assert claim["withdrawn_to"] == elsewhere
    assert await gateway.booked(gateway.places.suspense) == 0
    await gateway.must_be_right()
