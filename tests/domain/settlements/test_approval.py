"""Who has to approve is judged by all that is owed, not by the part that can be paid now."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.merchants.model import PayoutTerms
from domain.settlements.model import SettlementState
from tests.builders import CHAIN, USDT
from tests.domain.scene import NET, TILL
from tests.domain.world import another_merchant

if TYPE_CHECKING:
    from tests.domain.world import World


async def test_a_part_below_the_limit_of_a_balance_above_it_waits_for_a_person(
    world: World,
) -> None:
    terms = PayoutTerms(destinations={CHAIN: TILL}, approval_above={USDT.id: NET})
    merchant = await another_merchant(world, payouts=terms)
    world.pay(await world.intent(merchant=merchant))  # Owed, and not in the hot wallet.
    await world.released(merchant=merchant)

    [settlement] = await world.services.settlements.run()

    assert settlement.money.amount == NET
    assert settlement.state is SettlementState.READY


async def test_all_of_a_balance_at_the_limit_is_paid_at_once(world: World) -> None:
    terms = PayoutTerms(destinations={CHAIN: TILL}, approval_above={USDT.id: NET})
    await world.released(merchant=await another_merchant(world, payouts=terms))

    [settlement] = await world.services.settlements.run()

    assert settlement.money.amount == NET
    assert settlement.state is SettlementState.APPROVED
