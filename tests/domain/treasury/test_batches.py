"""A chain where payouts share a transaction, what is signed expires, and coins are seen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.chains.submissions import SubmissionState
from domain.ledger.accounts import PAYOUTS_IN_FLIGHT
from domain.treasury.model import TransferState
from domain.treasury.service import TreasuryService
from tests.builders import address_of
from tests.domain.scene import GAS, HOT, NET
from tests.domain.services import compose
from tests.domain.shared_wallet import ASSETS, CHAIN, COIN, PLACES, TOKEN, new_shared_wallet, till
from tests.domain.vault import HOT_TARGET, TANK, THRESHOLDS, UNIT

if TYPE_CHECKING:
    from tests.domain.shared_wallet import SharedWallet

COLD = address_of("cold")
WITH_COLD = attrs.evolve(PLACES, cold_wallet=COLD)
MUCH = 250 * UNIT


@pytest.fixture
async def wallet() -> SharedWallet:
    """Return a world that knows of a cold wallet."""
    wallet = await new_shared_wallet()
    services = compose(wallet.around, places=WITH_COLD, assets=ASSETS)
    return attrs.evolve(wallet, services=services)


def treasury(wallet: SharedWallet) -> TreasuryService:
    return TreasuryService(
        begin=wallet.begin,
        clock=wallet.around.clock,
        ids=wallet.around.ids,
        assets=ASSETS,
        places={CHAIN: WITH_COLD},
        hot={TOKEN.id: THRESHOLDS},
        tanks={CHAIN: TANK},
    )


async def state(wallet: SharedWallet) -> TransferState:
    async with wallet.begin() as work:
        transfer = await work.treasury.latest(TOKEN.id)
    assert transfer is not None
    return transfer.state


async def test_a_transfer_and_payouts_share_a_transaction(wallet: SharedWallet) -> None:
    wallet.gift(MUCH)
    await wallet.settle_down()
    payouts = await wallet.payouts_under_way([till("Grace")])
    assert len(await treasury(wallet).rebalance(chain=CHAIN)) == 1

    assert (await wallet.services.sender.send(chain=CHAIN)).signed == 1
    await wallet.settle_down()

    assert wallet.held(till("Grace")) == NET
    assert wallet.held(HOT) == HOT_TARGET
    assert wallet.held(COLD) == await wallet.booked(WITH_COLD.cold)
    assert [it.value for it in await wallet.states(payouts)] == ["confirmed"]
    assert await state(wallet) is TransferState.DONE
    await wallet.must_be_right()


async def test_one_that_expires_is_tried_again_by_other_bytes(wallet: SharedWallet) -> None:
    wallet.gift(MUCH)
    await wallet.settle_down()
    await treasury(wallet).rebalance(chain=CHAIN)
    await wallet.send()
    wallet.chain.blocks.pool.clear()
    await wallet.lapse()

    [again] = await wallet.queued()
    assert (again.state, again.issue) == (SubmissionState.QUEUED, 2)
    assert await wallet.booked(WITH_COLD.moving) == MUCH - HOT_TARGET
    assert await wallet.booked(PAYOUTS_IN_FLIGHT) == 0
    assert await state(wallet) is TransferState.MOVING
    assert await treasury(wallet).rebalance(chain=CHAIN) == []
    await wallet.must_be_right()
    await wallet.send()
    await wallet.settle_down()

    assert (wallet.held(HOT), wallet.held(COLD)) == (HOT_TARGET, MUCH - HOT_TARGET)
    assert await state(wallet) is TransferState.DONE
    assert await wallet.booked(WITH_COLD.treasury_due) == 0
    await wallet.must_be_right()


async def test_coins_that_somebody_is_owed_are_not_in_the_gas_tank(wallet: SharedWallet) -> None:
    wallet.gift(70, asset=COIN.id)
    await wallet.settle_down()

    [found] = await treasury(wallet).gas_tanks()

    assert await wallet.booked(WITH_COLD.gas, COIN.id) == GAS + 70
    assert found.tank.held == GAS
