"""Money that is nobody's here: kept in suspense, told apart, and let go again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.fees.model import FeeSchedule
from domain.intents.model import IntentStatus
from domain.ledger.accounts import PLATFORM_FEES
from tests.builders import COIN, CONTRACT, USDT, address_of, coins, usdt
from tests.domain.scene import DUE, HOT, PAYER, PLACES, STRANGER, TREASURY
from tests.domain.world import address_for, terms_for

if TYPE_CHECKING:
    from tests.domain.world import World


class TestStrangers:
    async def test_altered_terms_pay_nothing_and_are_kept(self, world: World) -> None:
        intent = await world.escrow_intent()
        altered = attrs.evolve(terms_for(intent), fees=FeeSchedule(bps=0))
        world.chain.pay_escrow(altered, payer=PAYER)
        await world.settle_down()

        assert (await world.now(intent)).received == 0
        assert await world.suspense() == DUE
        assert "payment.received" not in await world.told(intent.id)
        await world.must_be_right()

        world.chain.release(altered, by=PAYER)
        await world.settle_down()

        # To the hot wallet, as the terms say, but not as anybody's payment.
        assert await world.suspense() == await world.booked(PLACES.hot) == DUE
        assert await world.earned() == 0
        await world.must_be_right()

    async def test_a_strangers_escrow_comes_and_goes(self, world: World) -> None:
        intent = await world.escrow_intent()
        foreign = attrs.evolve(
            terms_for(intent), reference="not ours", merchant=STRANGER, money=usdt(777)
        )
        world.chain.pay_escrow(foreign, payer=PAYER)
        await world.settle_down()
        assert await world.suspense() == 777
        await world.must_be_right()

        world.chain.release(foreign, by=PAYER)
        await world.settle_down()

        # The fee stays in the contract, and is the platform's whoever the merchant is.
        assert await world.suspense() == 0
        assert await world.booked(PLATFORM_FEES) == await world.booked(PLACES.escrow) == 7
        await world.must_be_right()

    async def test_a_strangers_fee_is_the_platforms_when_the_treasury_takes_it(
        self, world: World
    ) -> None:
        intent = await world.escrow_intent()
        foreign = attrs.evolve(
            terms_for(intent), reference="not ours", merchant=STRANGER, money=usdt(777)
        )
        world.chain.pay_escrow(foreign, payer=PAYER)
        world.chain.mine()
        world.chain.release(foreign, by=PAYER)
        world.chain.mine()
        world.chain.withdraw(USDT.id, by=TREASURY, to=address_of("bank"))
        await world.settle_down()

        assert await world.suspense() == await world.booked(PLATFORM_FEES) == 0
        await world.must_be_right()

    async def test_a_strangers_escrow_is_refunded_disputed_and_split(self, world: World) -> None:
        template = terms_for(await world.escrow_intent())
        one, two = (
            attrs.evolve(template, reference=name, merchant=STRANGER, money=usdt(1000))
            for name in ("one", "two")
        )
        for terms in (one, two):
            world.chain.pay_escrow(terms, payer=PAYER)
        await world.settle_down()
        world.chain.refund(one, by=STRANGER)
        world.chain.dispute(two, by=PAYER)
        world.chain.mine()
        world.chain.resolve(two, payer_amount=400)
        await world.settle_down()

        assert await world.suspense() == 0
        assert await world.booked(PLATFORM_FEES) == 6
        await world.must_be_right()

    async def test_a_strangers_escrow_in_the_native_coin_leaves_without_a_trace_in_the_books(
        self, world: World
    ) -> None:
        world.chain.fund(PAYER, coins(5_000))
        template = terms_for(await world.escrow_intent())
        foreign = attrs.evolve(
            template, reference="not ours", merchant=STRANGER, money=coins(1_000)
        )
        world.chain.mine()
        world.chain.pay_escrow(foreign, payer=PAYER)
        await world.settle_down()
        await world.must_be_right()

        world.chain.release(foreign, by=PAYER)
        await world.settle_down()

        assert await world.suspense(COIN.id) == 0
        assert await world.booked(PLATFORM_FEES, COIN.id) == 10
        await world.must_be_right()

    @pytest.mark.parametrize("target", [CONTRACT, HOT])
    async def test_a_gift_is_kept_in_suspense(self, world: World, target: str) -> None:
        world.chain.transfer(usdt(123), source=STRANGER, target=target)
        await world.settle_down()

        assert await world.suspense() == 123
        assert await world.earned() == 0
        await world.must_be_right()

    async def test_a_gift_in_the_block_of_a_payment_is_told_apart(self, world: World) -> None:
        intent = await world.escrow_intent()
        world.pay_escrow(intent)
        world.chain.transfer(usdt(DUE), source=PAYER, target=CONTRACT)
        await world.settle_down()

        assert (await world.now(intent)).final == DUE
        assert await world.suspense() == DUE
        await world.must_be_right()

    async def test_money_between_others_is_no_concern_of_ours(self, world: World) -> None:
        booked = len(world.around.store.tables.transactions)
        world.chain.transfer(usdt(5), source=STRANGER, target=PAYER)
        await world.settle_down()

        assert len(world.around.store.tables.transactions) == booked
        await world.must_be_right()

    async def test_a_transfer_of_nothing_stops_nobody(self, world: World) -> None:
        intent = await world.intent()
        for target in (address_for(intent), HOT, CONTRACT):
            world.chain.transfer(usdt(0), source=STRANGER, target=target)
        world.chain.transfer(usdt(0), source=CONTRACT, target=STRANGER)
        world.pay(intent)
        await world.settle_down()

        assert (await world.now(intent)).status is IntentStatus.SUCCEEDED
        await world.must_be_right()
