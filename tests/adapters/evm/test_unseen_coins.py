"""Coins for an unpaid intent: by a plain transaction, by a contract, or by both."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import attrs
import pytest

from adapters.memory.deposit_addresses import InMemoryDepositAddresses
from domain.customers.listing import Wanted
from domain.fees.model import FeeSchedule
from domain.intents.model import IntentStatus
from domain.shared.ids import SubmissionId, SweepId
from domain.shared.money import Money
from domain.sweeps.model import Sweep, SweepState
from tests.adapters.evm.local_chain import CHAIN, NATIVE, OPERATOR, PAYER
from tests.adapters.evm.shop import DUE_COINS, open_shop
from tests.domain.world import address_for

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from domain.intents.model import PaymentIntent
    from domain.shared.money import AssetId
    from ports.chain import ChainReader
    from tests.adapters.evm.local_chain import LocalChain
    from tests.adapters.evm.shop import Shop

CONFIRMATIONS = 2


@pytest.fixture
async def shop(chain: LocalChain) -> AsyncIterator[Shop]:
    async with open_shop(chain, confirmations=CONFIRMATIONS, shows_coins=True) as shop:
        yield shop


async def sent_plainly(shop: Shop, intent: PaymentIntent, wei: int) -> None:
    await shop.payer.transfer_native(target=address_for(intent), wei=wei)


async def sent_by_a_contract(shop: Shop, intent: PaymentIntent, wei: int) -> None:
    await paid_by_a_contract(shop, address_for(intent), wei)


async def paid_by_a_contract(shop: Shop, target: str, wei: int) -> None:
    """Have an escrow of other people's pay out to a deposit address."""
    terms = await shop.chain.terms(
        reference=f"other {wei}",
        merchant=target,
        money=Money(wei, NATIVE),
        fees=FeeSchedule(bps=0),
    )
    await shop.chain.pay(terms)
    await shop.chain.act(PAYER, "release", terms)


async def made_final(shop: Shop) -> int:
    """Mine until all is final, read it, and return at how many addresses more was found."""
    await shop.chain.mine(CONFIRMATIONS)
    await shop.watch()
    return await shop.services.watcher.find_coins(chain=CHAIN)


async def test_what_a_block_shows_is_not_found_again(shop: Shop) -> None:
    intent = await shop.intent(NATIVE)
    await sent_plainly(shop, intent, DUE_COINS // 2)

    assert await made_final(shop) == 0

    assert (await shop.now(intent)).final == DUE_COINS // 2


async def test_what_a_contract_sends_is_found_once_when_it_is_final(shop: Shop) -> None:
    intent = await shop.intent(NATIVE)
    await sent_by_a_contract(shop, intent, DUE_COINS // 2)
    await shop.watch()
    assert await shop.services.watcher.find_coins(chain=CHAIN) == 0

    assert await made_final(shop) == 1
    assert (await shop.now(intent)).final == DUE_COINS // 2
    for _ in range(2):
        assert await made_final(shop) == 0

    await sent_by_a_contract(shop, intent, DUE_COINS // 2 + 1)
    assert await made_final(shop) == 1
    paid = await shop.now(intent)
    assert (paid.status, paid.final) == (IntentStatus.SUCCEEDED, DUE_COINS + 1)


async def test_both_ways_at_once_are_told_apart(shop: Shop) -> None:
    intent = await shop.intent(NATIVE)
    await sent_plainly(shop, intent, 3)
    await sent_by_a_contract(shop, intent, 4)
    await sent_plainly(shop, intent, 5)

    assert await made_final(shop) == 1

    assert (await shop.now(intent)).final == 12


async def test_what_comes_after_the_final_block_is_counted_in_its_turn(shop: Shop) -> None:
    intent = await shop.intent(NATIVE)
    await sent_by_a_contract(shop, intent, 4)
    await shop.chain.mine(CONFIRMATIONS)
    await sent_plainly(shop, intent, 5)
    await shop.watch()

    await shop.services.watcher.find_coins(chain=CHAIN)
    seen = await shop.now(intent)
    assert (seen.received, seen.final) == (9, 4)

    assert await made_final(shop) == 0
    assert (await shop.now(intent)).final == 9


async def test_gas_of_ours_is_nobody_s_payment(shop: Shop) -> None:
    intent = await shop.intent(NATIVE)
    at, gas = shop.around.clock.now(), Money(7, NATIVE)
    async with shop.around.store.begin() as work:
        await work.sweeps.add(
            Sweep(
                id=SweepId("swp_1"),
                chain=CHAIN,
                address=address_for(intent),
                index=0,
                money=Money(1, shop.chain.usdt),
                created_at=at,
                changed_at=at,
                state=SweepState.FUNDING,
                submission_id=SubmissionId("sub_1"),
            )
        )
        await work.commit()
    hot_wallet = await shop.chain.wallet(OPERATOR)
    await hot_wallet.transfer_native(target=address_for(intent), wei=gas.amount)

    assert await made_final(shop) == 0

    assert (await shop.now(intent)).received == 0


async def test_nothing_is_looked_for_where_coins_are_not_watched(shop: Shop) -> None:
    intent = await shop.intent(NATIVE)
    await sent_by_a_contract(shop, intent, 4)
    await shop.chain.mine(CONFIRMATIONS)
    await shop.watch()
    watcher = shop.services.watcher
    quiet = {CHAIN: attrs.evolve(watcher.places[CHAIN], hides_coins=False)}

    assert await attrs.evolve(watcher, places=quiet).find_coins(chain=CHAIN) == 0


async def test_a_customer_is_credited_each_time(shop: Shop) -> None:
    addresses = {CHAIN: InMemoryDepositAddresses(f"customers of {shop.chain.token}")}
    customers = attrs.evolve(shop.services.customers, addresses=addresses)
    customer = await customers.address(merchant=shop.merchant, customer="user-1", chain=CHAIN)
    await shop.payer.transfer_native(target=customer.address, wei=3)
    for wei in (4, 5):
        await paid_by_a_contract(shop, customer.address, wei)
        assert [await made_final(shop) for _ in range(2)] == [1, 0]

    found = await customers.deposits(owner=shop.merchant.id, wanted=Wanted(), limit=9)
    assert sorted(it.money.amount for it in found) == [3, 4, 5]
    assert await shop.earned() == 12


async def test_where_another_watcher_goes_on_meanwhile_nothing_is_booked(shop: Shop) -> None:
    intent = await shop.intent(NATIVE)
    await sent_by_a_contract(shop, intent, 4)
    await shop.chain.mine(CONFIRMATIONS)
    await shop.watch()
    watcher = shop.services.watcher
    reader = watcher.readers[CHAIN]

    class Slow:
        chain = CHAIN

        def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the reader has)
            return getattr(reader, name)

        async def balances(
            self, addresses: Sequence[str], asset: AssetId, *, at_block: int
        ) -> Sequence[Money]:
            held = await reader.balances(addresses, asset, at_block=at_block)
            await shop.chain.mine()
            await shop.watch()
            return held

    slow = attrs.evolve(watcher, readers={CHAIN: cast("ChainReader", Slow())})

    assert await slow.find_coins(chain=CHAIN) == 0
    assert await watcher.find_coins(chain=CHAIN) == 1
