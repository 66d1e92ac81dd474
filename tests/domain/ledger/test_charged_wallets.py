"""What the network takes from a wallet by itself: booked twice, or not at all, it is named."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import attrs
import pytest

from domain.chains.model import WalletCharged
from domain.intents.model import DepositAddress, Method
from domain.ledger.model import Transaction
from domain.settlements import booking
from domain.shared.money import Money
from domain.sweeps import booking as sweep_booking
from tests.domain.scene import PAYER
from tests.domain.shared_wallet import CHAIN, COIN, COIN_DUE, PLACES, new_shared_wallet, till

if TYPE_CHECKING:
    from domain.ledger.parking import ParkedAsset
    from tests.domain.shared_wallet import SharedWallet

RENT = 77


@attrs.frozen
class Charged:
    """Whose coins are taken, and by which booking."""

    of: str | None
    network_fee: Callable[..., Transaction]


@pytest.fixture
async def wallet() -> SharedWallet:
    """Return a wallet that has agreed with its books, and has been paid and charged since."""
    wallet = await new_shared_wallet()
    assert await reconcile(wallet) == []
    await trade(wallet)
    return wallet


@pytest.fixture(params=["hot wallet", "deposit address"])
async def charged(request: pytest.FixtureRequest, wallet: SharedWallet) -> Charged:
    if request.param == "hot wallet":
        return Charged(None, booking.network_fee)
    intent = await wallet.intent(asset=COIN.id, method=Method.ADDRESS)
    assert isinstance(intent.pay_to, DepositAddress)
    wallet.around.clock.advance(seconds=60)
    money = Money(COIN_DUE, COIN.id)
    wallet.chain.transfer(money, source=PAYER, target=intent.pay_to.address)
    await wallet.settle_down()
    return Charged(intent.pay_to.address, sweep_booking.network_fee)


async def trade(wallet: SharedWallet) -> None:
    """Have a payout be made, coins come and rent be taken, in several blocks."""
    await wallet.payouts_under_way([till("Grace")])
    await wallet.send()
    for step in range(3):
        wallet.around.clock.advance(seconds=60)
        wallet.pay(await wallet.intent(asset=COIN.id), COIN_DUE + step, asset=COIN.id)
        wallet.chain.take_rent(RENT + step + 1)
        await wallet.settle_down()


async def reconcile(wallet: SharedWallet) -> list[ParkedAsset]:
    return [*await wallet.services.conservation.reconcile(chain=CHAIN)]


async def charged_once_more(wallet: SharedWallet, charged: Charged, times: int) -> str:
    """Have rent be taken that is booked so many times; return its transaction."""
    wallet.around.clock.advance(seconds=60)
    transaction = wallet.chain.take_rent(RENT, of=charged.of)
    wallet.chain.mine()
    mined = wallet.chain.blocks.mined[-1]
    [rent] = [it for it in mined.observations if isinstance(it.fact, WalletCharged)]
    if not times:
        # As by a reader of ours that does not know the fact: it is seen by nobody.
        wallet.chain.blocks.mined[-1] = attrs.evolve(mined, observations=())
    await wallet.watch()
    wallet.chain.finalize()
    await wallet.watch()
    if not times:
        wallet.chain.blocks.mined[mined.block.number] = mined
    async with wallet.begin() as work:
        for _ in range(times - 1):
            cost = Money(RENT, COIN.id)
            at = rent.block.time
            await work.ledger.book(charged.network_fee(cost, PLACES, reference=transaction, at=at))
        await work.commit()
    return transaction


async def test_rent_fees_and_coins_that_are_booked_park_nothing(
    wallet: SharedWallet, charged: Charged
) -> None:
    await charged_once_more(wallet, charged, 1)
    assert await reconcile(wallet) == []
    await wallet.must_be_right()


async def test_rent_that_is_not_booked_is_named(wallet: SharedWallet, charged: Charged) -> None:
    transaction = await charged_once_more(wallet, charged, 0)

    [parked] = await reconcile(wallet)
    assert parked.asset == COIN.id
    assert parked.entry is not None
    assert f"chain transaction {transaction} position 0 moves {-RENT}" in parked.entry
    assert parked.entry.endswith("and is not booked")


async def test_rent_that_is_booked_twice_is_named(wallet: SharedWallet, charged: Charged) -> None:
    transaction = await charged_once_more(wallet, charged, 2)

    [parked] = await reconcile(wallet)
    assert parked.asset == COIN.id
    assert parked.entry is not None
    assert f"(network_fee {transaction}) says {-RENT}" in parked.entry
    assert parked.entry.endswith("and is not on the chain")
