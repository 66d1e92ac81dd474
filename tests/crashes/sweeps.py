"""Stories of sweeps: what lies at deposit addresses is brought to the hot wallet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.intents.model import DepositAddress, Method
from tests.crashes.audit import balance, rows
from tests.crashes.outside import DUE
from tests.crashes.story import Act, Story
from tests.crashes.world import NET

if TYPE_CHECKING:
    from domain.merchants.model import Merchant
    from tests.crashes.world import World


async def sweep(world: World) -> Story:
    """The address is given coins for its fee first, and then moves its money."""
    merchant = await world.merchant()
    intent = await world.intent(merchant, Method.ADDRESS)
    await world.pay(intent)
    await world.outside.mine()
    await world.go_on()
    assert isinstance(intent.pay_to, DepositAddress)
    address = intent.pay_to.address
    hot = await world.outside.held(world.demo.hot_wallet)

    async def ends_well() -> None:
        query = "select state from sweep where address = %s"
        assert await rows(world, query, address) == [("done",)]
        assert await world.outside.held(address) == 0
        assert await world.outside.held(world.demo.hot_wallet) == hot + DUE
        assert await balance(world, merchant) == (NET, 0)

    return Story(
        merchant=merchant,
        acts=[
            Act(happens=lambda: world.ask_for("sweep_deposits", chain=world.chain)),
            Act(happens=world.outside.mine),
            Act(happens=world.outside.mine),
        ],
        ends_well=ends_well,
    )


async def sweep_together(world: World) -> Story:
    """Two addresses delegate to the collector; one transaction empties both."""
    merchant = await world.merchant()
    addresses = [await _of_customer(world, merchant, name) for name in ("one", "two")]
    for address in addresses:
        await world.outside.transfer(address)
    await world.outside.mine()
    await world.go_on()
    hot = await world.outside.held(world.demo.hot_wallet)

    async def ends_well() -> None:
        batch = """
            select submission.state, sweep.state, array_agg(sweep.address order by sweep.address)
            from sweep join submission on submission_id = submission.id
            where address = any(%s) group by submission.id, sweep.state
        """
        assert await rows(world, batch, addresses) == [("confirmed", "done", sorted(addresses))]
        assert [await world.outside.held(address) for address in addresses] == [0, 0]
        assert await world.outside.held(world.demo.hot_wallet) == hot + 2 * DUE
        assert await balance(world, merchant) == (2 * NET, 0)

    return Story(
        merchant=merchant,
        acts=[
            Act(happens=lambda: world.ask_for("sweep_deposits", chain=world.chain)),
            Act(happens=world.outside.mine),
        ],
        ends_well=ends_well,
    )


async def _of_customer(world: World, merchant: Merchant, name: str) -> str:
    customer = await world.api.customers.address(
        merchant=merchant, customer=name, chain=world.chain
    )
    return customer.address
