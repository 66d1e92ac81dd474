"""A payment by address through the real reader while the node replaces its newest blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from domain.chains.model import FinalBlockReplaced, Finality
from domain.intents.model import IntentStatus
from tests.adapters.evm.shop import DUE, open_shop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.adapters.evm.local_chain import LocalChain
    from tests.adapters.evm.shop import Shop

DEPTHS = (1, 2, 5, 12, 20)
CONFIRMATIONS = 24
"""More than any of the reorganizations is deep, so that none of them reaches a final block."""


@pytest.fixture
async def shop(chain: LocalChain) -> AsyncIterator[Shop]:
    async with open_shop(chain, confirmations=CONFIRMATIONS) as shop:
        yield shop


async def test_what_a_reorganization_takes_is_retracted_and_can_be_paid_again(shop: Shop) -> None:
    for depth in DEPTHS:
        intent = await shop.intent()
        await shop.pay(intent)
        await shop.chain.mine(depth - 1)
        await shop.watch()
        assert (await shop.now(intent)).received == DUE

        await shop.chain.reorg(depth)
        await shop.chain.mine()
        await shop.watch()
        assert (await shop.now(intent)).received == 0, depth

        await shop.pay(intent)
        await shop.watch()
        assert (await shop.now(intent)).received == DUE, depth
        assert not (await shop.now(intent)).final
    await shop.chain.mine(CONFIRMATIONS)
    await shop.watch()

    assert await shop.earned() == DUE * len(DEPTHS)
    kept = [it for it in shop.finalities() if it is not Finality.RETRACTED]
    assert kept == [Finality.FINAL] * len(DEPTHS)


async def test_what_lies_below_a_reorganization_is_never_touched(shop: Shop) -> None:
    intents = []
    for depth in DEPTHS:
        intents.append(await shop.intent())
        await shop.pay(intents[-1])
        await shop.chain.mine(depth)
        await shop.watch()

        await shop.chain.reorg(depth)
        await shop.chain.mine()
        await shop.watch()
        assert (await shop.now(intents[-1])).received == DUE, depth
    await shop.chain.mine(CONFIRMATIONS)
    await shop.watch()

    for intent in intents:
        assert (await shop.now(intent)).captured == DUE
    assert shop.finalities() == [Finality.FINAL] * len(DEPTHS)


async def test_what_is_captured_stays_so_however_deep_the_blocks_above_are_replaced(
    shop: Shop,
) -> None:
    intent = await shop.intent()
    await shop.pay(intent)
    await shop.chain.mine(CONFIRMATIONS)
    await shop.watch()
    captured = await shop.now(intent)
    assert captured.status is IntentStatus.SUCCEEDED

    for depth in DEPTHS:
        await shop.chain.reorg(depth)
        await shop.chain.mine()
        await shop.watch()

    assert await shop.now(intent) == captured
    assert await shop.earned() == DUE


async def test_a_final_block_that_is_replaced_parks_the_chain(shop: Shop) -> None:
    intent = await shop.intent()
    await shop.pay(intent)
    await shop.chain.mine(CONFIRMATIONS)
    await shop.watch()

    await shop.chain.reorg(CONFIRMATIONS + 1)
    await shop.chain.mine(2)

    with pytest.raises(FinalBlockReplaced):
        await shop.watch()
    assert await shop.earned() == DUE
