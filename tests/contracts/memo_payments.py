"""What is kept of payments to one shared address, over every storage: whose each of them is."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.intents.issuing import MethodNotOffered
from domain.intents.memos import read
from domain.intents.model import DepositAddress, IntentStatus, Method, PaymentException
from domain.intents.service import PriceIn
from domain.intents.view import view_intent
from domain.ledger.accounts import NETWORK_FEES
from domain.merchants.model import PaymentPolicy, Verdict
from domain.shared.money import Money
from tests.builders import usd
from tests.domain.scene import DUE, GAS, HOT, NET, PAYER
from tests.domain.shared_wallet import (
    ASSETS,
    CHAIN,
    COIN,
    COIN_DUE,
    OTHER,
    PLACES,
    TOKEN,
    memo_of,
    till,
)

if TYPE_CHECKING:
    from tests.domain.shared_wallet import SharedWallet

TO_REVIEW = PaymentPolicy(overpaid=Verdict.REVIEW, late=Verdict.REVIEW)


class MemoPaymentsContract:
    @pytest.fixture
    def wallet(self) -> SharedWallet:
        raise NotImplementedError

    async def test_a_payer_is_told_the_address_and_a_memo(self, wallet: SharedWallet) -> None:
        intents = [await wallet.intent() for _ in range(20)]

        shown = [view_intent(intent, ASSETS)["pay_to"] for intent in intents]
        for intent, pay_to in zip(intents, shown, strict=True):
            assert pay_to == {
                "chain": CHAIN,
                "address": HOT,
                "memo": memo_of(intent),
                "escrow_terms": None,
            }
            assert read(memo_of(intent)) == memo_of(intent)
        assert len({memo_of(intent) for intent in intents}) == len(intents)

    async def test_two_payments_in_one_block_are_told_apart(self, wallet: SharedWallet) -> None:
        one, other = await wallet.intent(), await wallet.intent()
        wallet.pay(one)
        wallet.pay(other, DUE // 5)
        wallet.pay(other, DUE - DUE // 5)
        await wallet.settle_down()

        for intent in (one, other):
            paid = await wallet.now(intent)
            assert (paid.status, paid.captured) == (IntentStatus.SUCCEEDED, DUE)
        assert await wallet.earned() == 2 * NET
        assert await wallet.booked(PLACES.hot) == 2 * DUE
        assert (await wallet.suspense(), await wallet.booked(PLACES.deposits)) == (0, 0)
        assert await wallet.services.sweeps.sweep(chain=CHAIN) == []
        async with wallet.begin() as work:
            assert not await work.sweeps.holding(CHAIN, HOT, TOKEN.id)
        await wallet.must_be_right()

    @pytest.mark.parametrize(
        "spelling",
        [
            str.lower,
            lambda memo: f"  {memo[:4]} {memo[4:8]}-{memo[8:]}\n",
            lambda memo: memo.replace("0", "O").replace("1", "l"),
        ],
        ids=["lower case", "in groups", "look-alikes"],
    )
    async def test_a_memo_is_read_as_people_write_it(
        self, wallet: SharedWallet, spelling: object
    ) -> None:
        intent = await wallet.intent()
        assert callable(spelling)
        wallet.pay(intent, memo=spelling(memo_of(intent)))
        await wallet.settle_down()

        assert (await wallet.now(intent)).status is IntentStatus.SUCCEEDED

    @pytest.mark.parametrize(
        "memo", [None, "", "0123456789AB", "thanks! \N{BICYCLE}", "a\0b\ud800\n", "x" * 100_000]
    )
    async def test_money_that_nothing_says_whose_it_is_waits_in_suspense(
        self, wallet: SharedWallet, memo: str | None
    ) -> None:
        intent = await wallet.intent()
        wallet.gift(DUE, memo=memo)
        await wallet.settle_down()

        assert await wallet.suspense() == DUE
        assert (await wallet.now(intent)).received == 0
        wallet.pay(intent)
        await wallet.settle_down()
        assert (await wallet.now(intent)).status is IntentStatus.SUCCEEDED
        assert (await wallet.suspense(), await wallet.earned()) == (DUE, NET)
        await wallet.must_be_right()

    async def test_what_is_seen_shows_and_a_reorg_takes_it_back(
        self, wallet: SharedWallet
    ) -> None:
        intent = await wallet.intent()
        hash = wallet.pay(intent)
        wallet.chain.mine()
        await wallet.watch()
        assert (await wallet.now(intent)).status is IntentStatus.PROCESSING

        wallet.chain.reorg(depth=1, drop=[hash])
        await wallet.watch()

        gone = await wallet.now(intent)
        assert (gone.received, gone.exception) == (0, PaymentException.RETRACTED)

    async def test_another_asset_is_not_what_was_asked_for(self, wallet: SharedWallet) -> None:
        intent = await wallet.intent()
        wallet.pay(intent, 70, asset=OTHER.id)
        wallet.pay(intent, 80, asset=COIN.id)
        await wallet.settle_down()

        wrong = await wallet.now(intent)
        assert (wrong.exception, wrong.received) == (PaymentException.WRONG_ASSET, 0)
        assert (await wallet.suspense(OTHER.id), await wallet.suspense(COIN.id)) == (70, 80)
        await wallet.must_be_right()

    async def test_too_little_waits_for_the_rest_and_too_much_for_a_decision(
        self, wallet: SharedWallet
    ) -> None:
        merchant = await wallet.merchant_paid_at(till("Grace"), payments=TO_REVIEW)
        intent = await wallet.intent(merchant=merchant)
        wallet.pay(intent, DUE // 5)
        await wallet.settle_down()
        assert (await wallet.now(intent)).exception is PaymentException.UNDERPAID
        assert await wallet.suspense() == DUE // 5

        wallet.pay(intent, DUE)
        await wallet.settle_down()

        over = await wallet.now(intent)
        assert (over.exception, over.captured) == (PaymentException.OVERPAID, DUE)
        assert await wallet.suspense() == DUE // 5
        await wallet.must_be_right()

    async def test_money_after_the_end_waits_for_a_decision(self, wallet: SharedWallet) -> None:
        intent = await wallet.intent()
        wallet.around.clock.advance(hours=2)
        await wallet.settle_down()
        assert await wallet.services.intents.expire_due(chain=CHAIN) == 1
        wallet.pay(intent)
        await wallet.settle_down()

        late = await wallet.now(intent)
        assert late.exception is PaymentException.LATE
        assert await wallet.suspense() + await wallet.earned() >= NET
        await wallet.must_be_right()

    async def test_the_coin_is_taken_as_well_and_lies_in_the_tank(
        self, wallet: SharedWallet
    ) -> None:
        intent = await wallet.intent(asset=COIN.id)
        wallet.pay(intent, COIN_DUE, asset=COIN.id)
        wallet.chain.take_rent(17)
        await wallet.settle_down()

        assert (await wallet.now(intent)).captured == COIN_DUE
        assert await wallet.booked(PLACES.gas, COIN.id) == GAS + COIN_DUE - 17
        assert await wallet.booked(NETWORK_FEES, COIN.id) == 17
        assert await wallet.earned(COIN.id) == COIN_DUE - COIN_DUE // 100
        await wallet.must_be_right()

    async def test_what_a_deposit_address_is_charged_is_taken_from_what_lies_there(
        self, wallet: SharedWallet
    ) -> None:
        intent = await wallet.intent(asset=COIN.id, method=Method.ADDRESS)
        assert isinstance(intent.pay_to, DepositAddress)
        place, stranger = intent.pay_to.address, till("Grace")
        wallet.chain.transfer(Money(COIN_DUE, COIN.id), source=PAYER, target=place)
        wallet.chain.transfer(Money(COIN_DUE, COIN.id), source=PAYER, target=stranger)
        wallet.chain.take_rent(17, of=place)
        wallet.chain.take_rent(18, of=stranger)
        await wallet.settle_down()

        assert (await wallet.now(intent)).captured == COIN_DUE
        assert await wallet.booked(PLACES.deposits, COIN.id) == COIN_DUE - 17
        assert await wallet.booked(PLACES.gas, COIN.id) == GAS
        assert await wallet.booked(NETWORK_FEES, COIN.id) == 17
        await wallet.must_be_right()

    async def test_what_fills_the_tank_without_a_memo_is_not_booked_twice(
        self, wallet: SharedWallet
    ) -> None:
        wallet.gift(500, asset=COIN.id)
        await wallet.settle_down()

        assert (await wallet.services.books.book_gas(chain=CHAIN)).amount == 0
        assert await wallet.suspense(COIN.id) == 500
        await wallet.must_be_right()

    @pytest.mark.parametrize("method", [Method.ESCROW, Method.ADDRESS, Method.MEMO])
    async def test_what_the_chain_does_not_offer_is_refused(
        self, wallet: SharedWallet, method: Method
    ) -> None:
        without = attrs.evolve(PLACES, methods=PLACES.methods - {method})
        intents = attrs.evolve(wallet.services.intents, places={CHAIN: without})
        with pytest.raises(MethodNotOffered) as refusal:
            await intents.create(
                merchant=wallet.merchant, method=method, offer=PriceIn(usd(2500), TOKEN.id)
            )
        assert (refusal.value.method, refusal.value.chain) == (method, CHAIN)
