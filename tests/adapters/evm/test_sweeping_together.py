"""A gateway on a real node that sweeps many addresses at once, and its books."""

from __future__ import annotations

import secrets
from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.evm.addresses import XpubAddresses
from adapters.evm.node import EvmNode
from adapters.evm.private_keys import ExtendedPrivateKey
from adapters.evm.sender import EvmChainSender
from adapters.evm.wallet import PayerWallet
from domain.chains.submissions import SubmissionState
from domain.chains.sweeping import LEFT_ALONE
from domain.ledger.accounts import NETWORK_FEES
from domain.sweeps.model import SweepState
from tests.adapters.evm.local_chain import CHAIN, NATIVE, OPERATOR, STRANGER, address
from tests.adapters.evm.shop import DUE, Shop, open_shop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from domain.chains.submissions import Submission
    from domain.sweeps.model import Sweep
    from tests.adapters.evm.local_chain import LocalChain

FINAL_AFTER = 3


@attrs.frozen
class Sweeper:
    """A shop whose worker sweeps together."""

    shop: Shop
    account: ExtendedPrivateKey

    async def paid(self, count: int) -> None:
        for _ in range(count):
            await self.shop.pay(await self.shop.intent())
        await self.settle_down()

    async def sweep(self) -> list[Sweep]:
        return [*await self.shop.services.sweeps.sweep(chain=CHAIN)]

    async def send(self) -> None:
        await self.shop.services.sender.send(chain=CHAIN)

    async def settle_down(self) -> None:
        await self.shop.chain.mine(FINAL_AFTER)
        await self.shop.watch()

    @property
    def sweeps(self) -> list[Sweep]:
        return list(self.shop.around.store.tables.sweeps)

    @property
    def newest(self) -> Submission:
        return list(self.shop.around.store.tables.submissions)[-1]

    async def booked(self, account: str, asset: str) -> int:
        async with self.shop.around.store.begin() as work:
            balances = await work.ledger.balances(prefix=account)
        return sum(it.money.amount for it in balances if it.money.asset == asset)


@pytest.fixture
async def sweeper(chain: LocalChain) -> AsyncIterator[Sweeper]:

    account = ExtendedPrivateKey.master(secrets.token_bytes(32)).account(0)
    collector = await chain.deploy_collector()
    told = {"collector": collector, "collects_to": address(OPERATOR)}
    async with open_shop(chain, **told) as shop, EvmNode(chain.settings(**told)) as node:
        deposits = chain.deposit_signer(collector, deposits=account)
        senders = {CHAIN: EvmChainSender(node, chain.signer(), deposits=deposits)}
        services = shop.services
        services = attrs.evolve(
            services,
            intents=attrs.evolve(
                services.intents, addresses={CHAIN: XpubAddresses(account.xpub())}
            ),
            sweeps=attrs.evolve(services.sweeps, senders=senders, minimums={chain.usdt: 1}),
            sender=attrs.evolve(services.sender, senders=senders),
        )
        yield Sweeper(attrs.evolve(shop, services=services), account)


async def test_many_payments_come_in_by_one_transaction(sweeper: Sweeper) -> None:
    await sweeper.paid(4)
    places = sweeper.shop.services.sweeps.places[CHAIN]
    usdt = sweeper.shop.chain.usdt

    assert len(await sweeper.sweep()) == 4
    assert {it.state for it in sweeper.sweeps} == {SweepState.MOVING}
    await sweeper.send()
    await sweeper.settle_down()

    assert [it.state for it in sweeper.sweeps] == [SweepState.DONE] * 4
    assert sweeper.newest.state is SubmissionState.CONFIRMED
    assert await sweeper.booked(places.hot, usdt) == 4 * DUE
    assert await sweeper.booked(places.deposits, usdt) == 0
    # The hot wallet's tank has paid, and no deposit address has had any coin.
    fee = await sweeper.booked(NETWORK_FEES, NATIVE)
    assert fee > 0
    assert await sweeper.booked(places.gas, NATIVE) == -fee
    assert await sweeper.booked(places.deposits, NATIVE) == 0


async def test_one_that_is_gone_is_refused_and_the_others_are_swept(sweeper: Sweeper) -> None:
    await sweeper.paid(3)
    opened = await sweeper.sweep()
    chain = sweeper.shop.chain
    await chain.fund(opened[1].address)
    owner = PayerWallet(chain.url, sweeper.account.deposit_key(opened[1].index))
    async with owner as wallet:
        await wallet.transfer(token=chain.token, target=address(STRANGER), amount=DUE)
    await sweeper.send()
    await sweeper.settle_down()

    ended = {it.address: it for it in sweeper.sweeps}
    refused = ended.pop(opened[1].address)
    assert (refused.state, refused.reason) == (SweepState.REFUSED, LEFT_ALONE)
    assert {it.state for it in ended.values()} == {SweepState.DONE}


async def test_a_reorg_takes_a_batch_back_and_the_same_bytes_bring_it_again(
    sweeper: Sweeper,
) -> None:
    await sweeper.paid(2)
    await sweeper.sweep()
    await sweeper.send()
    await sweeper.shop.watch()
    signed = sweeper.newest.signed
    assert signed is not None
    await sweeper.shop.chain.reorg(1)
    await sweeper.shop.chain.mine()
    await sweeper.shop.watch()
    assert {it.state for it in sweeper.sweeps} == {SweepState.MOVING}

    sweeper.shop.around.clock.advance(minutes=1)
    await sweeper.send()
    await sweeper.settle_down()

    assert sweeper.newest.signed == signed
    assert [it.state for it in sweeper.sweeps] == [SweepState.DONE] * 2
