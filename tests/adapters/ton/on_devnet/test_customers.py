"""A customer's own wallet on the devnet: jettons and coins, paid twice, swept, and paid again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.customers.listing import Wanted
from domain.customers.model import DepositStatus
from domain.customers.view import view_address
from domain.ledger.accounts import available
from domain.shared.money import Money
from tests.adapters.ton.on_devnet.gateway import COIN, TON, USDT, deposit_signer
from tests.adapters.ton.on_devnet.shop import CHAIN, DUE, NET, new_shop

if TYPE_CHECKING:
    from domain.customers.model import CustomerAddress
    from domain.merchants.model import Merchant
    from domain.shared.money import AssetId
    from tests.adapters.ton.on_devnet.gateway import Gateway
    from tests.adapters.ton.on_devnet.shop import Shop


@pytest.fixture
async def shop(gate: Gateway) -> Shop:
    shop = await new_shop(gate)
    wallets = {CHAIN: deposit_signer().wallets}
    customers = attrs.evolve(shop.services.customers, addresses=wallets)
    return attrs.evolve(shop, services=attrs.evolve(shop.services, customers=customers))


@pytest.fixture
async def merchant(shop: Shop) -> Merchant:
    return await shop.merchant(till=shop.gate.somebody("Ada"))


@pytest.fixture
async def customer(shop: Shop, merchant: Merchant) -> CustomerAddress:
    return await shop.services.customers.address(merchant=merchant, customer="user-1", chain=CHAIN)


async def standing(shop: Shop, merchant: Merchant) -> list[tuple[DepositStatus, Money]]:
    found = await shop.services.customers.deposits(owner=merchant.id, wanted=Wanted(), limit=9)
    return [(it.status, it.money) for it in found][::-1]


def credited(amount: int, asset: AssetId = USDT.id) -> tuple[DepositStatus, Money]:
    return DepositStatus.SUCCEEDED, Money(amount, asset)


def test_people_are_shown_an_address_that_wallets_take(customer: CustomerAddress) -> None:
    shown = view_address(customer, [CHAIN])["address"]
    assert isinstance(shown, str)
    assert shown.startswith("0Q")


async def test_a_wallet_is_paid_twice_swept_and_paid_again(
    shop: Shop, merchant: Merchant, customer: CustomerAddress
) -> None:
    before = await shop.gate.held(shop.gate.watched, USDT.id)
    for _ in range(2):
        shop.give(customer.address, Money(DUE, USDT.id))
        await shop.settle_down()
    assert await standing(shop, merchant) == [credited(DUE)] * 2
    assert await shop.booked(available(merchant.id)) == 2 * NET
    await shop.must_be_right()

    await shop.services.sweeps.sweep(chain=CHAIN)
    for _ in range(2):
        await shop.send()
        await shop.settle_down()
    assert await shop.gate.held(customer.address, USDT.id) == 0
    assert await shop.gate.held(shop.gate.watched, USDT.id) == before + 2 * DUE
    assert await standing(shop, merchant) == [credited(DUE)] * 2
    await shop.must_be_right()

    shop.give(customer.address, Money(7, USDT.id))
    await shop.settle_down()
    assert await standing(shop, merchant) == [*[credited(DUE)] * 2, credited(7)]
    await shop.must_be_right()


async def test_coins_are_taken_too(
    shop: Shop, merchant: Merchant, customer: CustomerAddress
) -> None:
    shop.give(customer.address, Money(TON, COIN.id))
    await shop.settle_down()

    assert await standing(shop, merchant) == [credited(TON, COIN.id)]
    assert await shop.booked(available(merchant.id), COIN) == TON - TON // 100
    await shop.must_be_right()
