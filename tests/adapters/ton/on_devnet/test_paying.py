"""Payments on the devnet, through every service: whose they are, and what is nobody's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from adapters.ton.addresses import TonAddress
from adapters.ton.internal import InternalMessage
from adapters.ton.messages import InternalTransfer, TransferNotification, comment
from domain.intents.model import IntentStatus, Method
from domain.shared.money import Money
from tests.adapters.ton.on_devnet.gateway import COIN, TON, USDT
from tests.adapters.ton.on_devnet.shop import COIN_DUE, DUE, NET, address_of, memo_of, new_shop

if TYPE_CHECKING:
    from domain.shared.money import Asset
    from tests.adapters.ton.on_devnet.gateway import Gateway
    from tests.adapters.ton.on_devnet.shop import Shop

EARLIER = {USDT: 1_000_000, COIN: 1_000 * TON}
"""What the hot wallet held before there was a gateway, which is in suspense."""


@pytest.fixture
async def shop(gate: Gateway) -> Shop:
    return await new_shop(gate)


@pytest.mark.parametrize("asset", [USDT, COIN], ids=["jetton", "coin"])
async def test_a_deposit_with_its_comment_pays_its_intent(shop: Shop, asset: Asset) -> None:
    intents = [await shop.intent(asset=asset) for _ in range(2)]
    shop.pay(intents[1], asset=asset)
    await shop.settle_down()

    assert [(await shop.now(it)).status for it in intents] == [
        IntentStatus.REQUIRES_PAYMENT,
        IntentStatus.SUCCEEDED,
    ]
    due = DUE if asset is USDT else COIN_DUE
    assert await shop.earned(intents[1], asset) == due - due // 100
    assert await shop.suspense(asset) == EARLIER[asset]
    await shop.must_be_right()


@pytest.mark.parametrize("asset", [USDT, COIN], ids=["jetton", "coin"])
@pytest.mark.parametrize("memo", ["", "somebody else's", "0123456789AB"])
async def test_a_deposit_without_a_comment_of_ours_is_nobodys(
    shop: Shop, asset: Asset, memo: str
) -> None:
    intent = await shop.intent(asset=asset)
    shop.pay(intent, memo=memo, asset=asset)
    await shop.settle_down()

    assert (await shop.now(intent)).status is IntentStatus.REQUIRES_PAYMENT
    due = DUE if asset is USDT else COIN_DUE
    assert await shop.suspense(asset) == EARLIER[asset] + due
    await shop.must_be_right()


async def test_an_address_of_its_own_needs_no_comment(shop: Shop) -> None:
    intent = await shop.intent(method=Method.ADDRESS)
    shop.pay(intent)
    await shop.settle_down()

    assert (await shop.now(intent)).status is IntentStatus.SUCCEEDED
    assert await shop.earned(intent) == NET
    await shop.must_be_right()


async def test_two_deposits_in_one_block_pay_two_intents(shop: Shop) -> None:
    gate = shop.gate
    one, other = [await shop.intent(asset=COIN) for _ in range(2)]
    for payer, intent in ((1, one), (0, other)):
        money = Money(COIN_DUE, COIN.id)
        target = address_of(intent)
        gate.act(payer, gate.payment(target=target, money=money, memo=memo_of(intent)))
    await shop.settle_down()

    assert len({seen.block for seen in list(shop.around.store.tables.observations)[-2:]}) == 1
    assert [await shop.earned(it, COIN) for it in (one, other)] == [COIN_DUE * 99 // 100] * 2
    await shop.must_be_right()


async def test_two_deposits_in_one_block_may_be_of_one_intent(shop: Shop) -> None:
    gate = shop.gate
    intent = await shop.intent(asset=COIN)
    for payer in (0, 1):
        half = Money(COIN_DUE // 2, COIN.id)
        target = address_of(intent)
        gate.act(payer, gate.payment(target=target, money=half, memo=memo_of(intent)))
    await shop.settle_down()

    now = await shop.now(intent)
    assert (now.status, now.captured) == (IntentStatus.SUCCEEDED, COIN_DUE)
    await shop.must_be_right()


@pytest.mark.parametrize("method", [Method.MEMO, Method.ADDRESS])
@pytest.mark.parametrize("kind", [TransferNotification, InternalTransfer])
async def test_a_forged_notification_of_jettons_pays_nothing(
    shop: Shop, method: Method, kind: type
) -> None:
    gate = shop.gate
    intent = await shop.intent(method=method)
    note = memo_of(intent) if method is Method.MEMO else "paid"
    body: TransferNotification | InternalTransfer
    if kind is TransferNotification:
        body = TransferNotification(
            query_id=1, amount=DUE, sender=gate.purse.address, forward_payload=comment(note)
        )
    else:
        body = InternalTransfer(
            query_id=1,
            amount=DUE,
            sender=gate.purse.address,
            response_address=None,
            forward_amount=0,
            forward_payload=comment(note),
        )
    target = TonAddress.parse(address_of(intent))
    for destination in (target, gate.jetton.wallet(target)):
        gate.act(
            1,
            InternalMessage(
                destination=destination, value=TON // 10, bounce=False, body=body.to_cell()
            ),
        )
        gate.devnet.mine()
    await shop.settle_down()

    now = await shop.now(intent)
    assert (now.status, now.received) == (IntentStatus.REQUIRES_PAYMENT, 0)
    assert await shop.suspense() == EARLIER[USDT]
    await shop.must_be_right()
