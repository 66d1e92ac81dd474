"""A customer's address on a real node: paid twice, swept, and paid again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from adapters.evm.addresses import XpubAddresses
from adapters.evm.node import EvmNode
from adapters.evm.reader import EvmChainReader
from adapters.evm.sender import EvmChainSender
from domain.customers.listing import Wanted
from domain.customers.model import DepositStatus
from domain.ledger.comparing import Comparing
from domain.sweeps.model import SweepState
from tests.adapters.evm.local_chain import CHAIN, DEPOSITS, NATIVE, OPERATOR, address
from tests.adapters.evm.shop import DUE, open_shop
from tests.domain.services import compose

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from domain.customers.model import CustomerAddress, Deposit
    from tests.adapters.evm.local_chain import LocalChain
    from tests.adapters.evm.shop import Shop

CONFIRMATIONS = 2


@pytest.fixture
async def shop(chain: LocalChain) -> AsyncIterator[Shop]:
    """A shop that has the key of its deposit addresses, and sends on the node."""
    async with (
        open_shop(chain, confirmations=CONFIRMATIONS) as shop,
        EvmNode(chain.settings(confirmations=CONFIRMATIONS)) as node,
    ):
        watcher = shop.services.watcher
        sender = EvmChainSender(node, chain.signer(), deposits=chain.deposit_signer())
        services = compose(
            shop.around,
            reader=EvmChainReader(node),
            sender=sender,
            places=watcher.places[CHAIN],
            assets=watcher.assets,
        )
        addresses = {CHAIN: XpubAddresses(DEPOSITS.xpub())}
        sweeps = attrs.evolve(services.sweeps, minimums={chain.usdt: DUE})
        services = attrs.evolve(
            services,
            customers=attrs.evolve(services.customers, addresses=addresses),
            sweeps=sweeps,
        )
        yield attrs.evolve(shop, services=services)


async def settled(shop: Shop) -> None:
    """Send what is queued, and read until it is final."""
    for _ in range(2):
        await shop.services.sender.send(chain=CHAIN)
        await shop.chain.mine(CONFIRMATIONS + 1)
        await shop.watch()


async def deposits(shop: Shop) -> Sequence[Deposit]:
    return await shop.services.customers.deposits(
        owner=shop.merchant.id, wanted=Wanted(customer="user-1"), limit=9
    )


async def pay(shop: Shop, customer: CustomerAddress, amount: int) -> None:
    await shop.payer.transfer(token=shop.chain.token, target=customer.address, amount=amount)


async def held(shop: Shop, at: str) -> int:
    [reader] = shop.services.watcher.readers.values()
    money = await reader.balance(at, shop.chain.usdt, at_block=await shop.chain.number())
    return money.amount


async def must_agree(shop: Shop) -> None:
    """Compare tokens; of the operator's coins the books were never told."""
    watcher = shop.services.watcher
    comparing = Comparing(shop.services.begin, watcher.assets, watcher.readers, watcher.places)
    compared = [it for it in await comparing.compare(chain=CHAIN) if it.asset != NATIVE]
    assert compared
    assert [it for it in compared if not it.agree and it.account.endswith(":deposits")] == []


async def test_an_address_is_paid_twice_swept_and_paid_again(shop: Shop) -> None:
    customer = await shop.services.customers.address(
        merchant=shop.merchant, customer="user-1", chain=CHAIN
    )
    hot_before = await held(shop, address(OPERATOR))
    for _ in range(2):
        await pay(shop, customer, DUE)
    await shop.watch()
    assert {it.status for it in await deposits(shop)} == {DepositStatus.PENDING}

    await shop.chain.mine(CONFIRMATIONS)
    await shop.watch()
    first, second = await deposits(shop)
    assert first.key.transaction != second.key.transaction
    assert {it.status for it in (first, second)} == {DepositStatus.SUCCEEDED}
    assert await shop.earned() == 2 * DUE
    await must_agree(shop)

    [sweep] = await shop.services.sweeps.sweep(chain=CHAIN)
    assert (sweep.index, sweep.money.amount) == (customer.index, 2 * DUE)
    await settled(shop)
    assert [it.state for it in shop.around.store.tables.sweeps] == [SweepState.DONE]
    assert await held(shop, customer.address) == 0
    assert await held(shop, address(OPERATOR)) == hot_before + 2 * DUE
    assert len(await deposits(shop)) == 2
    await must_agree(shop)

    await pay(shop, customer, 7)
    await settled(shop)
    assert (await deposits(shop))[0].money.amount == 7
    assert await shop.earned() == 2 * DUE + 7
    await must_agree(shop)


async def test_a_reorg_takes_a_deposit_back(shop: Shop) -> None:
    customer = await shop.services.customers.address(
        merchant=shop.merchant, customer="user-1", chain=CHAIN
    )
    await pay(shop, customer, DUE)
    await shop.watch()
    await shop.chain.reorg(1)
    await shop.chain.mine()
    await shop.watch()
    [gone] = await deposits(shop)
    assert gone.status is DepositStatus.RETRACTED

    await pay(shop, customer, DUE)
    await settled(shop)
    statuses = {it.id: it.status for it in await deposits(shop)}
    assert statuses.pop(gone.id) is DepositStatus.RETRACTED
    assert [*statuses.values()] == [DepositStatus.SUCCEEDED]
    assert await shop.earned() == DUE
    await must_agree(shop)
