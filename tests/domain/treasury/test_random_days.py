"""Days of a gateway as they come: whatever happens, nothing that is owed goes cold."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, TypeAlias

from hypothesis import given, settings
from hypothesis import strategies as st

from domain.ledger.accounts import available
from domain.settlements.liquidity import liquid
from tests.builders import USDT
from tests.domain.sweeping import paid, swept
from tests.domain.vault import COLD, HOT_MAX, HOT_TARGET, UNIT, WITH_COLD, new_vault

if TYPE_CHECKING:
    from tests.domain.vault import Vault

Act: TypeAlias = tuple[str, int]

ACTS = st.one_of(
    st.tuples(st.just("gift"), st.integers(1, 300)),
    st.tuples(st.just("back"), st.integers(1, 200)),
    st.tuples(
        st.sampled_from(("rebalance", "pay", "sweep", "settle", "send", "settle down", "lose")),
        st.just(0),
    ),
)


async def act(vault: Vault, name: str, amount: int) -> None:
    world = vault.world
    match name:
        case "gift":
            await vault.gift(amount * UNIT)
        case "back":
            await vault.bring_back(min(amount * UNIT, world.held(COLD)) or 1)
        case "rebalance":
            await rebalanced(vault)
        case "pay":
            await paid(world)
        case "sweep":
            await swept(world)
        case "settle":
            await world.services.settlements.run()
        case "send":
            await world.send()
        case "lose":
            await world.send()
            world.chain.blocks.pool.clear()
            world.clock.advance(minutes=1)
        case _:
            await world.settle_down()


async def rebalanced(vault: Vault) -> None:
    """Rebalance, and look at what the transfer leaves."""
    made = await vault.rebalance()
    async with vault.begin() as work:
        free = (await liquid(work, WITH_COLD, USDT.id)).amount
        owed = (await work.ledger.lock_balance(available(vault.world.merchant.id), USDT.id)).amount
    if made:
        assert free >= max(owed, HOT_TARGET)
        assert free + made[0].money.amount > HOT_MAX


async def days(acts: list[Act]) -> None:
    vault = await new_vault()
    for name, amount in acts:
        await act(vault, name, amount)
        await vault.must_be_right()
        async with vault.begin() as work:
            held = (await liquid(work, WITH_COLD, USDT.id)).amount
        assert held >= 0
    for _ in range(4):
        await vault.world.send_and_settle_down()
    await vault.must_be_right()
    assert (await vault.booked(WITH_COLD.hot), await vault.booked(WITH_COLD.cold)) == vault.there()


@settings(max_examples=100, deadline=None)
@given(st.lists(ACTS, min_size=3, max_size=14))
def test_nothing_that_is_owed_goes_cold_and_nothing_is_lost(acts: list[Act]) -> None:
    asyncio.run(days(acts))


async def test_such_days_have_transfers_in_them() -> None:
    """The days above would prove nothing if money never moved."""
    vault = await new_vault()
    for name, amount in (("pay", 0), ("sweep", 0), ("gift", 200), ("rebalance", 0), ("send", 0)):
        await act(vault, name, amount)
    await act(vault, "settle down", 0)

    assert vault.there()[1] > 0
