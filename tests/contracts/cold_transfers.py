"""How money goes to the cold wallet and comes back, over every storage."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs
import pytest

from domain.chains.submissions import SubmissionState
from domain.ledger.accounts import NETWORK_FEES, PAYOUTS_IN_FLIGHT, available
from domain.settlements.payouts import PayoutState
from domain.suspense.service import NotInHotWallet, OwnAddress
from domain.treasury.model import RETRY_AFTER, TransferState
from ports.chain import InstructionRefused
from tests.builders import CHAIN, COIN, USDT, usdt
from tests.domain.inbox import ADA, items
from tests.domain.scene import DUE, GAS, HOT, NET, PAYER, STRANGER, TILL
from tests.domain.sweeping import FEE, paid, swept
from tests.domain.vault import COLD, DUE_IN_COLD, HOT_MAX, HOT_TARGET, UNIT, WITH_COLD, process

if TYPE_CHECKING:
    from domain.settlements.payouts import Payout
    from domain.shared.ids import PayoutId
    from tests.domain.vault import Vault

MUCH = 250 * UNIT


class Refusing:
    """A chain whose trial runs fail."""

    def __init__(self, chain: object) -> None:
        self._chain = chain

    async def prepare(self, *_: object, **__: object) -> object:
        raise InstructionRefused("on a block list")

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 (whatever the chain has there)
        return getattr(self._chain, name)


async def payout_of(vault: Vault, id: PayoutId) -> Payout:
    async with vault.begin() as work:
        return await work.settlements.lock_payout(id)


class Moving:
    """A suite over a vault."""

    @pytest.fixture
    def vault(self) -> Vault:
        raise NotImplementedError


class ColdTransfersContract(Moving):
    async def test_what_is_too_much_goes_down_to_the_target(self, vault: Vault) -> None:
        await vault.gift(MUCH)

        [transfer] = await vault.rebalance()

        assert (transfer.money, transfer.target) == (usdt(MUCH - HOT_TARGET), COLD)
        assert await vault.booked(WITH_COLD.moving) == transfer.money.amount
        await vault.must_be_right()
        await vault.world.send()
        assert await vault.booked(WITH_COLD.moving) == 0
        assert await vault.booked(PAYOUTS_IN_FLIGHT) == transfer.money.amount
        await vault.must_be_right()
        await vault.world.settle_down()

        assert vault.there() == (HOT_TARGET, MUCH - HOT_TARGET)
        assert await vault.booked(WITH_COLD.hot) == HOT_TARGET
        assert await vault.booked(WITH_COLD.cold) == MUCH - HOT_TARGET
        for empty in (PAYOUTS_IN_FLIGHT, WITH_COLD.moving, DUE_IN_COLD):
            assert await vault.booked(empty) == 0
        assert await vault.booked(NETWORK_FEES, COIN.id) == FEE
        assert await vault.booked(WITH_COLD.gas, COIN.id) == GAS - FEE
        assert (await vault.latest()).state is TransferState.DONE
        await vault.must_be_right()
        assert await vault.rebalance() == []

    async def test_it_takes_effect_at_the_time_of_its_block(self, vault: Vault) -> None:
        await vault.gift(MUCH)
        [transfer] = await vault.rebalance()
        await vault.world.send()
        vault.world.chain.mine()
        vault.world.chain.finalize()
        of_block = vault.world.clock.now()
        vault.world.clock.advance(minutes=5)
        await vault.world.watch()

        async with vault.begin() as work:
            booked = await work.ledger.transactions(reference=transfer.id)
        [arrived] = [it.transaction for it in booked if it.transaction.kind == "to_cold"]
        assert arrived.effective_at == of_block

    async def test_up_to_the_maximum_all_stays(self, vault: Vault) -> None:
        await vault.gift(HOT_MAX)
        assert await vault.rebalance() == []

        await vault.gift(1)
        assert len(await vault.rebalance()) == 1

    async def test_what_merchants_can_ask_for_stays(self, vault: Vault) -> None:
        for _ in range(3):
            await paid(vault.world)
        await swept(vault.world)
        await vault.gift(HOT_MAX)

        transfer = await vault.moved()

        assert transfer.money == usdt(3 * DUE + HOT_MAX - 3 * NET)
        owed = await vault.booked(available(vault.world.merchant.id))
        assert vault.there()[0] == owed == 3 * NET
        [settlement] = await vault.world.services.settlements.run()
        await vault.world.send_and_settle_down()
        assert settlement.money == usdt(3 * NET)
        assert (vault.world.held(TILL), vault.there()[0]) == (3 * NET, 0)
        await vault.must_be_right()

    async def test_what_is_promised_stays_and_is_promised_once(self, vault: Vault) -> None:
        for _ in range(3):
            await paid(vault.world)
        await swept(vault.world)
        await vault.world.services.settlements.run()
        await vault.gift(MUCH)

        transfer = await vault.moved()

        # What the payout takes is gone by then, and was not counted as too much before.
        assert transfer.money == usdt(3 * DUE - 3 * NET + MUCH - HOT_TARGET)
        assert vault.there()[0] == HOT_TARGET
        assert vault.world.held(TILL) == 3 * NET
        await vault.must_be_right()

    @pytest.mark.parametrize("signed", [False, True])
    async def test_what_goes_cold_is_promised_to_nobody_else(
        self, vault: Vault, *, signed: bool
    ) -> None:
        await vault.gift(MUCH)
        [item] = await items(vault.world.services)
        await vault.rebalance()
        if signed:
            await vault.world.send()

        with pytest.raises(NotInHotWallet) as refusal:
            await vault.world.services.suspense.give_back(item_id=item.id, to=STRANGER, **ADA)
        assert refusal.value.liquid == HOT_TARGET

    async def test_one_is_under_way_at_a_time(self, vault: Vault) -> None:
        await vault.gift(MUCH)
        [first] = await vault.rebalance()
        assert await vault.rebalance() == []
        await vault.gift(MUCH)
        assert await vault.rebalance() == []
        await vault.world.send()
        assert await vault.rebalance() == []
        await vault.world.settle_down()

        second = await vault.moved()

        assert second.id != first.id
        assert vault.there() == (HOT_TARGET, 2 * MUCH - HOT_TARGET)
        await vault.must_be_right()

    async def test_nothing_moves_where_nothing_may(self, vault: Vault) -> None:
        await vault.gift(MUCH)
        for changes in ({"parked": "a person looks"}, {"gap": 3}):
            async with vault.begin() as work:
                cursor = await work.chains.lock_cursor(CHAIN)
                assert cursor is not None
                await work.chains.save_cursor(attrs.evolve(cursor, **changes))
                await work.commit()
            assert await vault.rebalance() == []
            async with vault.begin() as work:
                await work.chains.save_cursor(cursor)
                await work.commit()
        vault.world.chain.state.move(HOT, STRANGER, usdt(1))
        vault.world.chain.mine()
        await vault.world.settle_down()
        await vault.world.services.conservation.reconcile(chain=CHAIN)
        assert await vault.rebalance() == []

    async def test_of_another_chain_nothing_is_moved(self, vault: Vault) -> None:
        await vault.gift(MUCH)

        there = attrs.evolve(vault.treasury, places={})
        assert await there.rebalance(chain=CHAIN) == []
        without = attrs.evolve(WITH_COLD, cold_wallet=None)
        hot_only = attrs.evolve(vault.treasury, places={CHAIN: without})
        assert await hot_only.rebalance(chain=CHAIN) == []


class RefusedTransfersContract(Moving):
    async def test_refused_by_a_trial_run_nothing_has_happened(self, vault: Vault) -> None:
        await vault.gift(MUCH)
        [transfer] = await vault.rebalance()
        refusing: Any = Refusing(vault.world.chain)
        other = process(vault.world.around, begin=vault.begin, sender=refusing)
        await other.services.sender.send(chain=CHAIN)

        refused = await vault.latest()
        assert (refused.state, refused.reason) == (TransferState.REFUSED, "on a block list")
        assert (await payout_of(vault, transfer.payout_id)).state is PayoutState.REFUSED
        assert await vault.booked(WITH_COLD.moving) == 0
        await vault.must_be_right()
        vault.world.clock.advance(seconds=RETRY_AFTER.seconds - 1)
        assert await vault.rebalance() == []
        vault.world.clock.advance(seconds=1)
        await vault.moved()
        assert vault.there() == (HOT_TARGET, MUCH - HOT_TARGET)
        await vault.must_be_right()

    async def test_reverted_it_costs_its_fee_and_nothing_else(self, vault: Vault) -> None:
        await vault.gift(MUCH)
        await vault.rebalance()
        await vault.world.send()
        state = vault.world.chain.state
        state.move(HOT, PAYER, usdt(MUCH))  # It is not there when its block comes.
        vault.world.chain.mine()
        state.move(PAYER, HOT, usdt(MUCH))
        await vault.world.settle_down()

        reverted = await vault.latest()
        assert (reverted.state, reverted.reason) == (
            TransferState.REFUSED,
            "reverted by the chain",
        )
        assert vault.there() == (MUCH, 0)
        assert await vault.booked(WITH_COLD.hot) == MUCH
        assert await vault.booked(WITH_COLD.gas, COIN.id) == GAS - FEE
        assert await vault.booked(PAYOUTS_IN_FLIGHT) == await vault.booked(WITH_COLD.moving) == 0
        await vault.must_be_right()
        vault.world.clock.advance(seconds=RETRY_AFTER.seconds)
        await vault.moved()
        assert vault.there() == (HOT_TARGET, MUCH - HOT_TARGET)
        await vault.must_be_right()

    async def test_lost_it_stays_unknown_and_the_same_bytes_are_sent_again(
        self, vault: Vault
    ) -> None:
        await vault.gift(MUCH)
        vault.world.chain.time_out_after_accepting()
        [transfer] = await vault.rebalance()
        await vault.world.send()
        vault.world.chain.blocks.pool.clear()
        vault.world.clock.advance(minutes=20)
        vault.world.chain.fail_next()
        await vault.world.send()
        assert (await payout_of(vault, transfer.payout_id)).state is PayoutState.UNKNOWN
        assert (await vault.latest()).is_moving
        assert await vault.rebalance() == []
        await vault.must_be_right()

        await vault.world.send_and_settle_down()

        assert (await vault.latest()).state is TransferState.DONE
        assert vault.there() == (HOT_TARGET, MUCH - HOT_TARGET)
        assert vault.world.chain.blocks.sequence(HOT) == 1
        await vault.must_be_right()

    @pytest.mark.parametrize("dropped", [False, True])
    async def test_a_reorg_moves_nothing_twice(self, vault: Vault, *, dropped: bool) -> None:
        await vault.gift(MUCH)
        await vault.rebalance()
        await vault.world.send()
        await vault.world.read()
        async with vault.begin() as work:
            [sent] = await work.chains.in_flight(CHAIN, limit=9)
        assert (sent.signed, sent.state) != (None, SubmissionState.CONFIRMED)
        vault.world.chain.reorg(depth=1, drop=list(sent.hashes) if dropped else [])
        await vault.world.watch()
        await vault.must_be_right()
        vault.world.clock.advance(minutes=1)
        await vault.world.send_and_settle_down()

        assert vault.there() == (HOT_TARGET, MUCH - HOT_TARGET)
        assert (await vault.latest()).state is TransferState.DONE
        await vault.must_be_right()


class ColdWalletContract(Moving):
    async def test_what_a_person_brings_back_is_no_strangers(self, vault: Vault) -> None:
        await vault.gift(MUCH)
        gifts = await items(vault.world.services)
        await vault.moved()

        await vault.bring_back(30 * UNIT)

        assert vault.there() == (HOT_TARGET + 30 * UNIT, MUCH - HOT_TARGET - 30 * UNIT)
        assert await vault.booked(WITH_COLD.hot) == HOT_TARGET + 30 * UNIT
        assert await vault.booked(WITH_COLD.cold) == MUCH - HOT_TARGET - 30 * UNIT
        assert await items(vault.world.services) == gifts
        assert await vault.booked(WITH_COLD.suspense) == MUCH
        await vault.must_be_right()
        assert await vault.rebalance() == []

    async def test_brought_back_in_the_same_breath_it_is_known_as_well(self, vault: Vault) -> None:
        await vault.gift(MUCH)
        gifts = await items(vault.world.services)
        await vault.rebalance()
        await vault.world.send()
        vault.world.chain.mine()

        await vault.bring_back(MUCH - HOT_TARGET)

        assert vault.there() == (MUCH, 0)
        assert await vault.booked(WITH_COLD.cold) == 0
        assert await items(vault.world.services) == gifts
        await vault.must_be_right()

    async def test_what_was_put_there_past_the_books_is_as_new_as_a_strangers(
        self, vault: Vault
    ) -> None:
        await vault.gift(MUCH)
        await vault.moved()
        there = MUCH - HOT_TARGET
        vault.world.chain.transfer(usdt(7 * UNIT), source=PAYER, target=COLD)
        await vault.world.settle_down()
        assert not await vault.world.services.conservation.reconcile(chain=CHAIN)

        await vault.bring_back(there + 7 * UNIT)

        [_, item] = await items(vault.world.services)
        assert (item.money, item.left, item.source) == (usdt(7 * UNIT), 7 * UNIT, COLD)
        assert await vault.booked(WITH_COLD.suspense) == MUCH + 7 * UNIT
        assert await vault.booked(WITH_COLD.cold) == 0
        await vault.must_be_right()
        await vault.world.services.suspense.top_up(item_id=item.id, **ADA)
        await vault.must_be_right()

    async def test_what_leaves_the_cold_wallet_otherwise_parks_the_asset_and_is_named(
        self, vault: Vault
    ) -> None:
        await vault.gift(MUCH)
        await vault.moved()
        assert not await vault.world.services.conservation.reconcile(chain=CHAIN)
        vault.world.clock.advance(minutes=1)
        vault.world.chain.transfer(usdt(3), source=COLD, target=STRANGER)
        await vault.world.settle_down()

        [parked] = await vault.world.services.conservation.reconcile(chain=CHAIN)

        assert parked.asset == USDT.id
        assert f"{WITH_COLD.cold} has" in parked.reason
        assert parked.entry is not None
        assert parked.entry.endswith("moves -3 and is not booked")
        await vault.gift(MUCH)
        assert await vault.rebalance() == []

    async def test_without_its_address_what_is_booked_there_is_nowhere(self, vault: Vault) -> None:
        await vault.gift(MUCH)
        await vault.moved()
        books = vault.world.services.books
        [chain] = books.places
        forgotten = attrs.evolve(books, places={chain: attrs.evolve(WITH_COLD, cold_wallet=None)})

        [differs] = [it for it in await forgotten.compare(chain=CHAIN) if not it.agree]

        assert (differs.account, differs.asset) == (WITH_COLD.cold, USDT.id)
        assert (differs.books, differs.chain) == (MUCH - HOT_TARGET, 0)

    async def test_nobody_is_paid_back_into_the_cold_wallet(self, vault: Vault) -> None:
        await vault.gift(5)
        [item] = await items(vault.world.services)

        with pytest.raises(OwnAddress):
            await vault.world.services.suspense.give_back(item_id=item.id, to=COLD, **ADA)
