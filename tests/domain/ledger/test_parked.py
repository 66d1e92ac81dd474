"""A parked asset: nothing of it moves, everything else does, and a person lets it go on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.chains.sending import LOOKED_AT_MAX
from domain.ledger.accounts import available
from domain.ledger.model import Transaction, credit, debit
from domain.ledger.parking import AssetParked, ParkedAsset
from domain.merchants.model import PayoutTerms
from domain.settlements.payouts import PayoutState
from domain.shared.money import Money
from tests.builders import CHAIN, USDT, usdt
from tests.chain_builders import a_submission
from tests.domain.ledger.divergences import final, planted, reconcile
from tests.domain.scene import HOT, NET, OTHER_TOKEN, PAYER, PLACES, TILL
from tests.domain.services import compose
from tests.domain.world import another_merchant

if TYPE_CHECKING:
    from domain.chains.instructions import Instruction
    from ports.chain import Prepared
    from tests.domain.world import World


OTHER = Money(1000, OTHER_TOKEN.id)


async def park(world: World) -> None:
    async with world.around.store.begin() as work:
        await work.parking.park(ParkedAsset(USDT.id, "a test", None, world.clock.now()))
        await work.commit()


async def other_asset_earned(world: World) -> None:
    """Have another merchant earn another token, which lies in the hot wallet."""
    merchant = await another_merchant(world)
    async with world.around.store.begin() as work:
        await work.ledger.book(
            Transaction(
                kind="capture",
                reference="by hand",
                postings=(debit(PLACES.hot, OTHER), credit(available(merchant.id), OTHER)),
                effective_at=world.clock.now(),
            )
        )
        await work.commit()
    world.chain.transfer(OTHER, source=PAYER, target=HOT)
    world.chain.mine()


async def other_asset_settled(world: World) -> None:
    await other_asset_earned(world)
    [settlement] = await world.services.settlements.run()
    assert settlement.money == OTHER


class TestParked:
    @pytest.fixture
    async def parked(self, world: World) -> World:
        await world.released()
        await planted(world, usdt(5))
        await final(world)
        assert [it.asset for it in await reconcile(world)] == [USDT.id]
        return world

    async def test_nothing_is_settled_and_no_intent_is_made(self, parked: World) -> None:
        assert await parked.services.settlements.run() == []
        with pytest.raises(AssetParked):
            await parked.intent()

    async def test_what_is_queued_waits_and_what_is_signed_goes_on(self, world: World) -> None:
        signed = await world.payout_under_way()
        await world.send()
        await world.released()
        [settlement] = await world.services.settlements.run()
        await planted(world, usdt(5))
        await final(world)
        assert await reconcile(world)

        sent = await world.send()
        await final(world)

        assert (sent.signed, sent.waiting) == (0, 1)
        assert (await world.payout(signed.id)).state is PayoutState.CONFIRMED
        assert settlement.payout_id is not None
        assert (await world.payout(settlement.payout_id)).state is PayoutState.APPROVED

        assert await world.services.conservation.resume(asset=USDT.id)
        assert (await world.send()).signed == 1

    async def test_one_that_is_parked_just_before_the_signature_is_not_signed(
        self, world: World
    ) -> None:
        payout = await world.payout_under_way()

        class Slow:
            """A node whose trial run takes until the asset is parked."""

            def __getattr__(self, name: str) -> object:
                return getattr(world.chain, name)

            async def prepare(self, instruction: Instruction) -> Prepared:
                prepared = await world.chain.prepare(instruction)
                await park(world)
                return prepared

        sender = compose(world.around, sender=Slow()).sender  # type: ignore[arg-type]  # A sender.

        assert (await sender.send(chain=CHAIN)).signed == 0
        assert (await world.payout(payout.id)).state is PayoutState.APPROVED

    async def test_a_queue_of_it_keeps_no_other_waiting_and_nothing_of_it_is_tried(
        self, world: World
    ) -> None:
        await park(world)
        async with world.around.store.begin() as work:
            for number in range(LOOKED_AT_MAX + 5):
                await work.chains.add_submission(a_submission(f"sub_{number:03}"))
            await work.commit()
        world.clock.advance(seconds=1)
        await other_asset_settled(world)
        tried: list[Instruction] = []

        class Tried:
            def __getattr__(self, name: str) -> object:
                return getattr(world.chain, name)

            async def prepare(self, instruction: Instruction) -> Prepared:
                tried.append(instruction)
                return await world.chain.prepare(instruction)

        sender = compose(world.around, sender=Tried()).sender  # type: ignore[arg-type]  # A sender.

        sent = await sender.send(chain=CHAIN)

        assert (sent.signed, sent.waiting) == (1, LOOKED_AT_MAX + 5)
        assert len(tried) == 1

    async def test_nothing_of_it_is_approved(self, world: World) -> None:
        payouts = PayoutTerms(destinations={CHAIN: TILL}, approval_above={USDT.id: 0})
        merchant = await another_merchant(world, payouts=payouts)
        await world.released(merchant=merchant)
        [settlement] = await world.services.settlements.run()
        await park(world)

        with pytest.raises(AssetParked):
            await world.services.settlements.approve(settlement_id=settlement.id)

        await world.services.conservation.resume(asset=USDT.id)
        approved = await world.services.settlements.approve(settlement_id=settlement.id)
        assert approved.payout_id is not None

    async def test_money_that_comes_in_is_watched_and_booked(self, world: World) -> None:
        intent = await world.intent()
        await planted(world, usdt(5))
        await final(world)
        assert await reconcile(world)

        world.pay(intent)
        await final(world)

        assert await world.earned() == NET

    async def test_other_assets_go_on(self, parked: World) -> None:
        await other_asset_earned(parked)

        [settlement] = await parked.services.settlements.run()
        sent = await parked.send()

        assert settlement.money == OTHER
        assert sent.signed == 1

    async def test_it_is_parked_again_as_long_as_they_differ(self, parked: World) -> None:
        assert await parked.services.conservation.resume(asset=USDT.id)
        assert not await parked.services.conservation.resume(asset=USDT.id)

        assert [it.asset for it in await reconcile(parked)] == [USDT.id]

    async def test_a_correction_lets_it_move_for_good(self, parked: World) -> None:
        [wrong] = [
            booked.id
            for booked in parked.around.store.tables.transactions
            if booked.transaction.kind == "mistake"
        ]
        await parked.services.books.reverse(transaction_id=wrong, reason="not on the chain")
        await parked.services.conservation.resume(asset=USDT.id)

        assert await reconcile(parked) == []

        await final(parked)
        assert await reconcile(parked) == []
        assert len(await parked.services.settlements.run()) == 1
