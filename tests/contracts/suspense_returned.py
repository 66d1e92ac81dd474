"""What is kept, over every storage, of money in suspense that goes back."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from domain.ledger.accounts import WORLD
from domain.ledger.model import Transaction, credit, debit
from domain.settlements.payouts import PayoutState, PayoutTransitionRefused
from domain.shared.money import Money
from domain.suspense.model import (
    AlreadyDecided,
    ItemState,
    Why,
)
from domain.suspense.service import NotInHotWallet, OwnAddress
from ports.addresses import AddressRefused
from tests.builders import NOON
from tests.contracts.batched_payouts import Choosy
from tests.contracts.expiring import dropped
from tests.domain.inbox import (
    ADA,
    BACK,
    GRACE,
    Decisions,
    decided,
    gift,
    must_be_right,
    only,
    shown,
)
from tests.domain.scene import DUE, HOT, NET
from tests.domain.shared_wallet import CHAIN, COIN, OTHER, PLACES, TOKEN, till

if TYPE_CHECKING:
    from tests.domain.shared_wallet import SharedWallet


def lost(amount: int) -> Transaction:
    money = Money(amount, TOKEN.id)
    return Transaction("test", "lost", (debit(WORLD, money), credit(PLACES.hot, money)), NOON)


class GivingBackContract(Decisions):
    async def test_all_of_it_goes_where_it_is_told_to(self, wallet: SharedWallet) -> None:
        item = await gift(wallet)

        payout = await wallet.services.suspense.give_back(
            item_id=item.id, to=BACK.upper().replace("0X", "0x"), **ADA
        )

        assert (payout.state, payout.destination) == (PayoutState.APPROVED, BACK)
        assert (await wallet.suspense(), await wallet.booked(PLACES.returning)) == (0, DUE)
        await must_be_right(wallet)
        await wallet.send()
        going = await shown(wallet.services, item.id)
        assert (going.item.state, going.payout and going.payout.state) == (
            ItemState.RETURNING,
            PayoutState.BROADCAST,
        )
        await must_be_right(wallet)
        await wallet.settle_down()

        there = await shown(wallet.services, item.id)
        assert (there.item.state, there.item.left) == (ItemState.RETURNED, 0)
        assert there.payout is not None
        assert there.payout.state is PayoutState.CONFIRMED
        assert there.decisions[0].payout_id == payout.id
        assert wallet.held(BACK) == DUE
        await must_be_right(wallet)

    async def test_the_coin_goes_back_whole_as_well(self, wallet: SharedWallet) -> None:
        item = await gift(wallet, 10**6, asset=COIN.id, memo=None)
        assert item.why is Why.NO_MEMO
        await wallet.services.suspense.give_back(item_id=item.id, to=BACK, **ADA)
        await wallet.send()
        await wallet.settle_down()

        assert wallet.held(BACK, COIN.id) == 10**6
        await must_be_right(wallet)

    async def test_another_asset_than_asked_for_goes_back(self, wallet: SharedWallet) -> None:
        intent = await wallet.intent()
        wallet.pay(intent, 70, asset=OTHER.id)
        await wallet.settle_down()
        item = await only(wallet.services)
        assert (item.why, item.paid_to, item.counted_by) == (Why.WRONG_ASSET, intent.id, None)

        await wallet.services.suspense.give_back(item_id=item.id, to=BACK, **ADA)
        await wallet.send()
        await wallet.settle_down()

        assert wallet.held(BACK, OTHER.id) == 70
        await must_be_right(wallet)

    async def test_returns_and_payouts_share_a_transaction(self, wallet: SharedWallet) -> None:
        item = await gift(wallet)
        await wallet.services.suspense.give_back(item_id=item.id, to=BACK, **ADA)
        payouts = await wallet.payouts_under_way([till("Grace")])

        assert (await wallet.services.sender.send(chain=CHAIN)).signed == 1
        await wallet.settle_down()

        assert await wallet.states(payouts) == [PayoutState.CONFIRMED]
        assert (wallet.held(BACK), wallet.held(till("Grace"))) == (DUE, NET)
        await must_be_right(wallet)

    @pytest.mark.parametrize("signed", [False, True])
    async def test_refused_with_proof_it_waits_for_another_decision(
        self, wallet: SharedWallet, *, signed: bool
    ) -> None:
        item = await gift(wallet)
        first = await wallet.services.suspense.give_back(item_id=item.id, to=BACK, **ADA)
        if signed:
            other = await gift(wallet, 5)  # For a batch, whose parts fail by themselves.
            await wallet.services.suspense.give_back(item_id=other.id, to=till("Mary"), **ADA)
            wallet.chain.reject_pushes_to(BACK)
            await wallet.send()
        else:
            choosy: Any = Choosy(wallet, BACK)
            await wallet.process(sender=choosy).sender.send(chain=CHAIN)
        await wallet.settle_down()

        assert (await wallet.payout(first.id)).state is PayoutState.REFUSED
        again = await only(wallet.services)
        assert (again.id, again.state, again.left) == (item.id, ItemState.OPEN, DUE)
        assert (await wallet.suspense(), await wallet.booked(PLACES.returning)) == (DUE, 0)
        await must_be_right(wallet)
        with pytest.raises(PayoutTransitionRefused):
            await wallet.services.settlements.retry_payout(payout_id=first.id)

        await wallet.services.suspense.give_back(item_id=item.id, to=till("Ada"), **GRACE)
        await wallet.send()
        await wallet.settle_down()
        assert (wallet.held(BACK), wallet.held(till("Ada"))) == (0, DUE)
        assert [it.by for it in await decided(wallet.services, item.id)] == ["Ada", "Grace"]
        await must_be_right(wallet)

    async def test_while_nobody_knows_nothing_else_is_decided(self, wallet: SharedWallet) -> None:
        item = await gift(wallet)
        await wallet.services.suspense.give_back(item_id=item.id, to=BACK, **ADA)
        await dropped(wallet)
        wallet.around.clock.advance(minutes=20)
        wallet.chain.fail_next()
        await wallet.send()

        going = await shown(wallet.services, item.id)
        assert going.payout is not None
        assert going.payout.state is PayoutState.UNKNOWN
        with pytest.raises(AlreadyDecided) as refusal:
            await wallet.services.suspense.give_back(item_id=item.id, to=till("Ada"), **ADA)
        assert refusal.value.state is ItemState.RETURNING
        await must_be_right(wallet)

        await wallet.lapse()  # A final block proves that it never took effect.
        await wallet.send()
        await wallet.settle_down()
        assert (await shown(wallet.services, item.id)).item.state is ItemState.RETURNED
        assert wallet.held(BACK) == DUE
        await must_be_right(wallet)

    @pytest.mark.parametrize("to", ["", "two words", "way too long " * 20])
    async def test_what_is_no_address_is_refused(self, wallet: SharedWallet, to: str) -> None:
        item = await gift(wallet)

        with pytest.raises(AddressRefused):
            await wallet.services.suspense.give_back(item_id=item.id, to=to, **ADA)
        assert await only(wallet.services) == item

    async def test_our_own_address_is_refused(self, wallet: SharedWallet) -> None:
        item = await gift(wallet)

        with pytest.raises(OwnAddress):
            await wallet.services.suspense.give_back(item_id=item.id, to=HOT, **ADA)

    async def test_what_the_hot_wallet_has_promised_is_not_promised_again(
        self, wallet: SharedWallet
    ) -> None:
        item = await gift(wallet)
        own = await gift(wallet)
        await wallet.services.suspense.top_up(item_id=own.id, **ADA)
        other = await gift(wallet, DUE // 2)
        async with wallet.begin() as work:  # What is booked as paid out is there no more.
            await work.ledger.book(lost(2 * DUE))
            await work.commit()

        with pytest.raises(NotInHotWallet) as refusal:
            await wallet.services.suspense.give_back(item_id=item.id, to=BACK, **ADA)
        assert (refusal.value.wanted, refusal.value.liquid) == (DUE, DUE // 2)
        await wallet.services.suspense.give_back(item_id=other.id, to=BACK, **ADA)
        with pytest.raises(NotInHotWallet) as refusal:
            await wallet.services.suspense.give_back(item_id=item.id, to=BACK, **ADA)
        assert refusal.value.liquid == 0
