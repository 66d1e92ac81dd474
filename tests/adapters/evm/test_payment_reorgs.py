"""A payment by address through the real reader while the node replaces its newest blocks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import pytest

from domain.chains.model import FinalBlockReplaced, Finality
from domain.intents.model import IntentStatus, PaymentIntent
from tests.adapters.evm.shop import DUE, open_shop

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.adapters.evm.local_chain import LocalChain
    from tests.adapters.evm.shop import Shop

DEPTHS = range(1, 21)
CONFIRMATIONS = 24
"""More than any of the reorganizations is deep, so that none of them reaches a final block."""


@pytest.fixture
async def shop(chain: LocalChain) -> AsyncIterator[Shop]:
    async with open_shop(chain, confirmations=CONFIRMATIONS) as shop:
        yield shop


@attrs.frozen
class Stages:
    """Payments as far as one can be when blocks are replaced."""

    below: PaymentIntent
    """Read, and in the block below the lowest one that is replaced."""
    lowest: PaymentIntent
    """Read, and in the lowest block that is replaced."""
    unread: PaymentIntent
    """In the newest block, which nobody has read."""

    async def received(self, shop: Shop) -> list[int]:
        intents = (self.below, self.lowest, self.unread)
        return [(await shop.now(intent)).received for intent in intents]


async def paid(shop: Shop, *, depth: int) -> Stages:
    """Have intents paid at each stage of a reorganization that is so deep."""
    stages = Stages(*[await shop.intent() for _ in range(3)])
    await shop.pay(stages.below)
    if depth > 1:
        await shop.pay(stages.lowest)
        await shop.chain.mine(depth - 2)
    await shop.watch()
    await shop.pay(stages.unread)
    return stages


async def test_reorganizations_of_every_depth_at_every_stage_of_a_payment(shop: Shop) -> None:
    early = await shop.intent()
    await shop.pay(early)
    await shop.chain.mine(CONFIRMATIONS)
    await shop.watch()
    captured = await shop.now(early)
    assert captured.status is IntentStatus.SUCCEEDED

    count = 1
    for depth in DEPTHS:
        stages = await paid(shop, depth=depth)
        seen = DUE if depth > 1 else 0
        assert await stages.received(shop) == [DUE, seen, 0], depth

        await shop.chain.reorg(depth)
        await shop.chain.mine()
        await shop.watch()
        assert await stages.received(shop) == [DUE, 0, 0], depth
        assert await shop.now(early) == captured

        for intent in (stages.lowest, stages.unread):
            await shop.pay(intent)
        await shop.watch()
        assert await stages.received(shop) == [DUE, DUE, DUE], depth
        count += 3
    await shop.chain.mine(CONFIRMATIONS)
    await shop.watch()

    assert await shop.now(early) == captured
    assert await shop.earned() == DUE * count
    kept = [it for it in shop.finalities() if it is not Finality.RETRACTED]
    assert kept == [Finality.FINAL] * count


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
