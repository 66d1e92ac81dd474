"""Sweeps on the devnet, through every service: a deposit wallet takes exactly its next number."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.chains.instructions import FundGas, SweepDeposit
from domain.chains.submissions import SubmissionState
from domain.intents.model import Method
from domain.sweeps.model import SweepState
from tests.adapters.ton.on_devnet.gateway import USDT
from tests.adapters.ton.on_devnet.shop import CHAIN, DUE, address_of, new_shop

if TYPE_CHECKING:
    from domain.intents.model import PaymentIntent
    from tests.adapters.ton.on_devnet.gateway import Gateway
    from tests.adapters.ton.on_devnet.shop import Shop


@pytest.fixture
async def shop(gate: Gateway) -> Shop:
    return await new_shop(gate)


async def send(shop: Shop) -> None:
    await shop.send()
    await shop.settle_down()


async def paid_and_swept_after_an_expiry(shop: Shop) -> PaymentIntent:
    """Return an intent whose address was swept by the second message; the first was lost."""
    intent = await shop.intent(method=Method.ADDRESS)
    shop.pay(intent)
    await shop.settle_down()
    await shop.services.sweeps.sweep(chain=CHAIN)
    await send(shop)
    shop.lose_next()
    await send(shop)
    await shop.lapse()
    assert [it.state for it in shop.submissions] == [
        SubmissionState.CONFIRMED,
        SubmissionState.EXPIRED,
        SubmissionState.QUEUED,
    ]
    await shop.must_be_right()
    await send(shop)
    return intent


def numbers(shop: Shop, kind: type) -> list[int]:
    """Return the numbers under which instructions of a kind were signed, in order."""
    signed = [(it.instruction, it.signed) for it in shop.submissions if it.signed]
    return [bytes_.sequence for instruction, bytes_ in signed if isinstance(instruction, kind)]


async def test_an_address_whose_first_sweep_expired_is_swept(shop: Shop) -> None:
    before = await shop.gate.held(shop.gate.watched, USDT.id)
    intent = await paid_and_swept_after_an_expiry(shop)

    assert [it.state for it in shop.sweeps] == [SweepState.DONE]
    assert numbers(shop, SweepDeposit) == [0, 0]
    assert await shop.gate.held(shop.gate.watched, USDT.id) == before + DUE
    assert await shop.gate.held(address_of(intent), USDT.id) == 0
    await shop.must_be_right()


async def test_an_address_that_was_swept_after_an_expiry_is_swept_again(shop: Shop) -> None:
    before = await shop.gate.held(shop.gate.watched, USDT.id)
    intent = await paid_and_swept_after_an_expiry(shop)
    shop.pay(intent)
    await shop.settle_down()
    [_] = await shop.services.sweeps.sweep(chain=CHAIN)
    for _ in range(2):
        await send(shop)

    assert [it.state for it in shop.sweeps] == [SweepState.DONE] * 2
    assert numbers(shop, SweepDeposit) == [0, 0, 1]
    assert numbers(shop, FundGas) == [0, 1]
    assert await shop.gate.held(shop.gate.watched, USDT.id) == before + 2 * DUE
    await shop.must_be_right()


async def test_a_funding_that_expired_has_another_number(shop: Shop) -> None:
    intent = await shop.intent(method=Method.ADDRESS)
    shop.pay(intent)
    await shop.settle_down()
    await shop.services.sweeps.sweep(chain=CHAIN)
    shop.lose_next()
    await send(shop)
    await shop.lapse()
    for _ in range(2):
        await send(shop)

    assert [it.state for it in shop.sweeps] == [SweepState.DONE]
    assert (numbers(shop, FundGas), numbers(shop, SweepDeposit)) == ([0, 1], [0])
    await shop.must_be_right()
