"""Coins at deposit addresses on the devnet: a wallet that has code pays for whatever it takes in.

The books must know of it after every step: what they have more than the chain stops all payouts.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.ton.addresses import TonAddress
from adapters.ton.internal import InternalMessage
from adapters.ton.messages import Excesses
from domain.chains.instructions import FundGas, SweepDeposit
from domain.chains.model import WalletCharged
from domain.chains.submissions import SubmissionState
from domain.intents.model import Method
from domain.ledger.accounts import NETWORK_FEES, gas
from domain.shared.money import Money
from domain.sweeps.model import SweepState
from tests.adapters.ton.on_devnet.gateway import COIN, TON, USDT
from tests.adapters.ton.on_devnet.shop import CHAIN, COIN_DUE, DUE, address_of, new_shop

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent
    from domain.shared.money import Asset
    from tests.adapters.ton.on_devnet.gateway import Gateway
    from tests.adapters.ton.on_devnet.shop import Shop

PAID = 2 * TON
COST_MAX = TON // 100
"""More than a sweep of coins costs and leaves behind, by far."""
LEFT_MIN = TON // 100
"""Less than jettons leave of the gas that they were given."""
YEAR = 365 * 24 * 3600


@pytest.fixture
async def shop(gate: Gateway) -> Shop:
    return await new_shop(gate)


async def at_address(shop: Shop, asset: Asset) -> PaymentIntent:
    """Return an intent that is paid for good, at an address of its own."""
    intent = await shop.intent(method=Method.ADDRESS, asset=asset)
    shop.pay(intent, asset=asset)
    await settled(shop)
    return intent


async def settled(shop: Shop) -> None:
    await shop.settle_down()
    await shop.must_be_right()


async def given(shop: Shop, intent: PaymentIntent, money: Money) -> None:
    shop.give(address_of(intent), money)
    await settled(shop)


async def swept(shop: Shop) -> list[type]:
    """Open what sweeps there are to be, see them to their end, and return what was sent."""
    before = len(shop.submissions)
    await shop.services.sweeps.sweep(chain=CHAIN)
    for _ in range(2):
        await shop.send()
        await settled(shop)
    assert {it.state for it in shop.sweeps} == {SweepState.DONE}
    assert {it.state for it in shop.submissions} == {SubmissionState.CONFIRMED}
    return [type(it.instruction) for it in shop.submissions[before:]]


async def coins_at(shop: Shop, intent: PaymentIntent) -> int:
    return await shop.gate.held(address_of(intent))


def moved(shop: Shop) -> int:
    """Return what the newest sweep has moved: all that is there, gas of ours that is left too."""
    money = shop.sweeps[-1].money
    assert money.asset == COIN.id
    return money.amount


def charged(shop: Shop, intent: PaymentIntent) -> list[int]:
    """Return what an address was charged besides what its own transactions cost, in order."""
    facts = [it.fact for it in shop.around.store.tables.observations]
    told = [it for it in facts if isinstance(it, WalletCharged)]
    return [it.cost.amount for it in told if it.wallet == address_of(intent)]


async def test_coins_arrive_but_for_what_that_costs_twice_in_a_row(shop: Shop) -> None:
    intent = await at_address(shop, COIN)
    tank = await shop.booked(gas(CHAIN), COIN)
    fees = await shop.booked(NETWORK_FEES, COIN)

    for count in (1, 2):
        await given(shop, intent, Money(PAID, COIN.id))
        assert await swept(shop) == [SweepDeposit]
        left = await coins_at(shop, intent)
        arrived = await shop.booked(gas(CHAIN), COIN) - tank
        cost = await shop.booked(NETWORK_FEES, COIN) - fees
        assert arrived + left + cost == COIN_DUE + count * PAID
        assert 0 < left < COST_MAX
        assert 0 < cost < count * COST_MAX

    assert await shop.gate.held(shop.gate.watched) == await shop.booked(gas(CHAIN), COIN)
    [for_the_second] = charged(shop, intent)
    assert for_the_second > 0
    assert await swept(shop) == []


async def test_coins_are_swept_between_jettons_at_the_same_address(shop: Shop) -> None:
    before = await shop.gate.held(shop.gate.watched, USDT.id)
    intent = await at_address(shop, USDT)
    assert await swept(shop) == [FundGas, SweepDeposit]

    for again in (False, True):
        await given(shop, intent, Money(PAID, COIN.id))
        assert await swept(shop) == [SweepDeposit]
        assert moved(shop) > PAID + (-COST_MAX if again else LEFT_MIN)

    await given(shop, intent, Money(DUE, USDT.id))
    assert await swept(shop) == [FundGas, SweepDeposit]
    assert await shop.gate.held(shop.gate.watched, USDT.id) == before + 2 * DUE
    assert len(charged(shop, intent)) == 3
    await shop.must_be_conserved()


async def test_customers_coins_pay_for_jettons_way_and_are_swept_after_them(shop: Shop) -> None:
    intent = await at_address(shop, COIN)
    await given(shop, intent, Money(PAID, COIN.id))
    await given(shop, intent, Money(DUE, USDT.id))

    assert await swept(shop) == [SweepDeposit]
    assert await shop.gate.held(address_of(intent), USDT.id) == 0
    assert await swept(shop) == [SweepDeposit]
    assert await coins_at(shop, intent) < COST_MAX
    await shop.must_be_conserved()


@pytest.mark.parametrize("blocks", [0, 2])
async def test_coins_that_come_while_jettons_are_on_their_way(shop: Shop, blocks: int) -> None:
    intent = await at_address(shop, USDT)
    await shop.services.sweeps.sweep(chain=CHAIN)
    await shop.send()
    await settled(shop)
    await shop.send()
    shop.gate.devnet.mine(blocks=blocks)
    await given(shop, intent, Money(PAID, COIN.id))

    assert [it.state for it in shop.sweeps] == [SweepState.DONE]
    assert await shop.suspense(COIN) >= PAID
    assert await swept(shop) == [SweepDeposit]
    assert moved(shop) > PAID + LEFT_MIN
    await shop.must_be_conserved()


async def test_coins_that_come_before_the_gas_pay_their_own_run(shop: Shop) -> None:
    intent = await at_address(shop, USDT)
    await swept(shop)
    await given(shop, intent, Money(DUE, USDT.id))
    await shop.services.sweeps.sweep(chain=CHAIN)
    shop.give(address_of(intent), Money(PAID, COIN.id))
    await shop.send()
    await settled(shop)
    await shop.send()
    await settled(shop)

    assert len(charged(shop, intent)) == 2
    assert await swept(shop) == [SweepDeposit]


async def test_a_gift_as_large_as_what_was_charged_with_it_stops_nothing(shop: Shop) -> None:
    intent = await at_address(shop, COIN)
    await given(shop, intent, Money(PAID, COIN.id))
    await swept(shop)
    await shop.must_be_conserved()
    shop.pass_time(60)
    await given(shop, intent, Money(PAID, COIN.id))

    # The runs alone: the payment just before has paid what rent was due.
    cost, cost_of_gift = 310_000, 396_400
    unseen = InternalMessage(
        destination=TonAddress.parse(address_of(intent)),
        value=cost + cost_of_gift,
        bounce=False,
        body=Excesses(query_id=0).to_cell(),
    )
    paid = shop.gate.payment(target=address_of(intent), money=Money(PAID, COIN.id))
    shop.gate.act(0, unseen)
    shop.gate.act(1, paid)
    await shop.settle_down()
    more = await coins_at(shop, intent) - await shop.booked(shop.deposits, COIN)
    assert more == 0
    assert charged(shop, intent)[-2:] == [-cost, cost]
    await shop.must_be_conserved()


async def test_rent_that_is_taken_with_a_payment_is_booked(shop: Shop) -> None:
    intent = await at_address(shop, COIN)
    shop.pass_time(10 * YEAR)
    await given(shop, intent, Money(PAID, COIN.id))
    [before_it_had_code] = charged(shop, intent)

    await swept(shop)
    shop.pass_time(10 * YEAR)
    await given(shop, intent, Money(PAID, COIN.id))
    [_, since] = charged(shop, intent)
    assert 0 < before_it_had_code < since
    await shop.must_be_conserved()
