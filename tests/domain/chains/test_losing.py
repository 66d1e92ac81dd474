"""What is in no block for too long is unknown: said once, whoever finds it first."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from domain.settlements.payouts import PayoutState
from tests.builders import CHAIN
from tests.domain.mishaps import yielding

if TYPE_CHECKING:
    from tests.domain.world import World


async def test_two_senders_who_give_the_same_transaction_up_say_so_once(world: World) -> None:
    payout = await world.payout_under_way()
    await world.send()
    world.clock.advance(minutes=11)

    await asyncio.gather(
        *(yielding(world.around).sender.send(chain=CHAIN) for _ in range(3)),
    )

    assert (await world.payout(payout.id)).state is PayoutState.UNKNOWN
    assert (await world.told(payout.id)).count("payout.unknown") == 1
