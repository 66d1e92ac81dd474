"""What the escrow contract does becomes in the books: held, earned, given back, split."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.chains.contract_moves import ChainDisagrees
from domain.chains.model import EscrowReleased
from domain.escrow.model import ARBITER_TIMEOUT, EscrowState
from domain.intents.model import IntentStatus, Method, PaymentException
from domain.intents.service import PriceIn
from domain.ledger.accounts import PLATFORM_FEES
from domain.ledger.accounts import escrow as held_by
from tests.builders import COIN, USDT, address_of, coins, usd
from tests.domain.scene import CONTRACTS, DUE, FEE, HOT, NET, PAYER, PLACES, TREASURY
from tests.domain.world import address_for, terms_for

if TYPE_CHECKING:
    from tests.domain.world import World


class TestEscrows:
    async def test_held_money_is_nobodys_yet(self, world: World) -> None:
        intent = await world.paid_escrow()

        escrow = await world.escrow(intent)
        assert (escrow.state, escrow.payer) == (EscrowState.HELD, PAYER)
        assert intent.status is IntentStatus.PROCESSING
        assert (intent.final, intent.captured) == (DUE, 0)
        assert await world.booked(held_by(escrow.id)) == DUE
        assert await world.earned() == await world.suspense() == 0
        await world.must_be_right()

    async def test_a_release_by_the_payer_earns_the_merchant_the_money(self, world: World) -> None:
        intent = await world.paid_escrow()
        world.chain.release(terms_for(intent), by=PAYER)
        await world.settle_down()

        done = await world.now(intent)
        escrow = await world.escrow(intent)
        assert (done.status, done.captured) == (IntentStatus.SUCCEEDED, DUE)
        assert escrow.state is EscrowState.RELEASED
        assert await world.booked(held_by(escrow.id)) == 0
        assert (await world.earned(), await world.booked(PLATFORM_FEES)) == (NET, FEE)
        assert await world.told(escrow.id) == ["escrow.held", "escrow.released"]
        await world.must_be_right()

    async def test_a_reclaim_gives_the_payer_the_money_back(self, world: World) -> None:
        before = world.held(PAYER)
        intent = await world.paid_escrow()
        world.clock.move_to(terms_for(intent).refund_until)
        world.chain.reclaim(terms_for(intent), by=PAYER)
        await world.settle_down()

        assert (await world.now(intent)).status is IntentStatus.CANCELED
        assert (await world.escrow(intent)).state is EscrowState.REFUNDED
        assert world.held(PAYER) == before
        assert await world.earned() == await world.booked(PLATFORM_FEES) == 0
        await world.must_be_right()

    @pytest.mark.parametrize("to_payer", [0, 1, DUE // 3, DUE - 1, DUE])
    async def test_a_dispute_is_split_as_the_arbiter_decides(
        self, world: World, to_payer: int
    ) -> None:
        intent = await world.paid_escrow()
        before = world.held(PAYER)
        world.chain.dispute(terms_for(intent), by=PAYER)
        await world.settle_down()
        assert (await world.escrow(intent)).state is EscrowState.DISPUTED
        assert (await world.now(intent)).status is IntentStatus.PROCESSING
        await world.must_be_right()

        world.chain.resolve(terms_for(intent), payer_amount=to_payer)
        await world.settle_down()

        gross = DUE - to_payer
        fee = gross // 100
        done, escrow = await world.now(intent), await world.escrow(intent)
        assert escrow.state is EscrowState.RESOLVED
        assert (escrow.payer_amount, escrow.merchant_amount) == (to_payer, gross - fee)
        assert done.status is (IntentStatus.SUCCEEDED if gross else IntentStatus.CANCELED)
        assert done.captured == gross
        assert await world.earned() == gross - fee
        assert await world.booked(PLATFORM_FEES) == fee
        assert world.held(PAYER) - before == to_payer
        await world.must_be_right()

    async def test_a_dispute_that_nobody_decides_goes_back_to_the_payer(
        self, world: World
    ) -> None:
        intent = await world.paid_escrow()
        world.chain.dispute(terms_for(intent), by=PAYER)
        await world.settle_down()
        world.clock.advance(days=ARBITER_TIMEOUT.days)
        world.chain.claim_unresolved(terms_for(intent))
        await world.settle_down()

        assert (await world.escrow(intent)).state is EscrowState.REFUNDED
        assert (await world.now(intent)).status is IntentStatus.CANCELED
        await world.must_be_right()

    async def test_a_push_to_the_merchant_that_is_rejected_can_be_withdrawn(
        self, world: World
    ) -> None:
        intent = await world.paid_escrow()
        world.chain.reject_pushes_to(HOT)
        world.chain.release(terms_for(intent), by=PAYER)
        await world.settle_down()

        assert (await world.now(intent)).status is IntentStatus.SUCCEEDED
        assert await world.earned() == NET
        assert (await world.booked(PLACES.escrow), await world.booked(PLACES.hot)) == (DUE, 0)
        await world.must_be_right()

        world.chain.withdraw(USDT.id, by=HOT, to=HOT)
        await world.settle_down()

        assert (await world.booked(PLACES.escrow), await world.booked(PLACES.hot)) == (FEE, NET)
        await world.must_be_right()

    async def test_a_push_to_the_payer_that_is_rejected_waits_in_suspense(
        self, world: World
    ) -> None:
        intent = await world.paid_escrow()
        world.chain.reject_pushes_to(PAYER)
        world.chain.refund(terms_for(intent), by=HOT)
        await world.settle_down()

        assert (await world.escrow(intent)).state is EscrowState.REFUNDED
        assert await world.suspense() == DUE
        await world.must_be_right()

        world.chain.withdraw(USDT.id, by=PAYER, to=address_of("another wallet"))
        await world.settle_down()

        assert await world.suspense() == await world.booked(PLACES.escrow) == 0
        await world.must_be_right()

    @pytest.mark.parametrize("rejecting", [(PAYER,), (HOT,), (PAYER, HOT)])
    async def test_a_split_whose_pushes_are_rejected_stays_in_the_contract(
        self, world: World, rejecting: tuple[str, ...]
    ) -> None:
        intent = await world.paid_escrow()
        world.chain.dispute(terms_for(intent), by=PAYER)
        world.chain.mine()
        for address in rejecting:
            world.chain.reject_pushes_to(address)
        world.chain.resolve(terms_for(intent), payer_amount=DUE // 2)
        await world.settle_down()

        assert await world.suspense() == (DUE // 2 if PAYER in rejecting else 0)
        await world.must_be_right()

        for address in rejecting:
            world.chain.withdraw(USDT.id, by=address, to=address)
        await world.settle_down()

        assert await world.suspense() == 0
        assert await world.booked(PLACES.escrow) == FEE // 2
        await world.must_be_right()

    async def test_the_treasury_takes_its_fees_out(self, world: World) -> None:
        intent = await world.paid_escrow()
        world.chain.release(terms_for(intent), by=PAYER)
        await world.settle_down()
        world.chain.withdraw(USDT.id, by=TREASURY, to=address_of("bank"))
        await world.settle_down()

        assert await world.booked(PLATFORM_FEES) == await world.booked(PLACES.escrow) == 0
        await world.must_be_right()

    async def test_fees_that_are_withdrawn_to_the_hot_wallet_are_in_the_books(
        self, world: World
    ) -> None:
        intent = await world.paid_escrow()
        world.chain.release(terms_for(intent), by=PAYER)
        await world.settle_down()
        world.chain.withdraw(USDT.id, by=TREASURY, to=HOT)
        await world.settle_down()

        assert await world.booked(PLACES.hot) == NET + FEE
        await world.must_be_right()

    async def test_a_credit_that_is_withdrawn_to_a_deposit_address_pays_its_intent(
        self, world: World
    ) -> None:
        refunded, intent = await world.paid_escrow(), await world.intent()
        world.chain.reject_pushes_to(PAYER)
        world.chain.refund(terms_for(refunded), by=HOT)
        await world.settle_down()
        world.chain.withdraw(USDT.id, by=PAYER, to=address_for(intent))
        await world.settle_down()

        assert (await world.now(intent)).status is IntentStatus.SUCCEEDED
        assert await world.earned() == NET
        await world.must_be_right()

    async def test_the_merchants_credit_that_is_withdrawn_elsewhere_is_not_in_the_hot_wallet(
        self, world: World
    ) -> None:
        intent = await world.paid_escrow()
        world.chain.reject_pushes_to(HOT)
        world.chain.release(terms_for(intent), by=PAYER)
        world.chain.mine()
        world.chain.withdraw(USDT.id, by=HOT, to=address_of("cold store"))
        await world.settle_down()

        assert await world.booked(PLACES.hot) == 0
        await world.must_be_right()

    async def test_an_escrow_for_a_canceled_intent_waits_for_a_person(self, world: World) -> None:
        intent = await world.escrow_intent()
        await world.services.intents.cancel(owner=world.merchant.id, intent_id=intent.id)
        world.pay_escrow(intent)
        await world.settle_down()

        late = await world.now(intent)
        assert (late.status, late.exception) == (
            IntentStatus.NEEDS_REVIEW,
            PaymentException.LATE,
        )
        assert (await world.escrow(intent)).state is EscrowState.HELD
        await world.must_be_right()

        world.chain.refund(terms_for(intent), by=HOT)
        await world.settle_down()

        assert (await world.now(intent)).status is IntentStatus.CANCELED
        await world.must_be_right()

    async def test_paid_and_released_in_one_block_is_both(self, world: World) -> None:
        intent = await world.escrow_intent()
        world.pay_escrow(intent)
        world.chain.release(terms_for(intent), by=PAYER)
        await world.settle_down()

        assert (await world.now(intent)).status is IntentStatus.SUCCEEDED
        assert await world.earned() == NET
        await world.must_be_right()

    async def test_a_contract_that_computes_otherwise_is_parked(self, world: World) -> None:
        intent = await world.paid_escrow()
        before = world.snapshot()
        id = CONTRACTS.escrow_id(terms_for(intent))
        wrong = EscrowReleased(id, merchant_amount=NET + 1, fee=FEE - 1, pushed=True)
        world.chain._submit(lambda _: world.chain.state.facts.append(wrong))
        world.chain.mine()
        world.chain.finalize()

        with pytest.raises(ChainDisagrees) as disagreement:
            await world.watch()

        assert (disagreement.value.expected, disagreement.value.got) == (
            (NET, FEE),
            (NET + 1, FEE - 1),
        )
        assert {**world.snapshot(), "cursors": before["cursors"]} == before

    async def test_an_escrow_in_the_native_coin_ends_in_the_gas_tank(self, world: World) -> None:
        world.chain.fund(PAYER, coins(10**18))
        await world.settle_down()
        intent = await world.services.intents.create(
            merchant=world.merchant,
            method=Method.ESCROW,
            offer=PriceIn(usd(1), COIN.id),
        )
        world.pay_escrow(intent)
        world.chain.mine()
        world.chain.release(terms_for(intent), by=PAYER)
        await world.settle_down()

        assert (await world.now(intent)).status is IntentStatus.SUCCEEDED
        await world.must_be_right()
