"""Stories of payouts: one that arrives, one that the chain reverts, and the one after that."""

from __future__ import annotations

from typing import TYPE_CHECKING

from domain.settlements.model import SettlementTransitionRefused
from tests.crashes.audit import balance, rows, states
from tests.crashes.escrows import asking, held
from tests.crashes.story import Act, Story
from tests.crashes.worker import Request
from tests.crashes.world import NET, new_address

if TYPE_CHECKING:
    from domain.merchants.model import Merchant
    from tests.crashes.outside import Till
    from tests.crashes.world import World


async def payout(world: World) -> Story:
    """A settlement is made by the job that makes them, and paid out."""
    till = new_address()
    merchant = await _earned(world, till)

    async def ends_well() -> None:
        assert await states(world, "settlement", merchant) == ["paid_out"]
        assert await states(world, "payout", merchant) == ["confirmed"]
        assert await balance(world, merchant) == (0, 0)
        assert await world.outside.held(till) == NET

    return Story(
        merchant=merchant,
        acts=[
            Act(happens=lambda: world.ask_for("run_settlements")),
            Act(happens=world.outside.mine),
        ],
        ends_well=ends_well,
    )


async def payout_reverted(world: World) -> Story:
    merchant, till = await _about_to_revert(world)

    async def ends_well() -> None:
        assert await states(world, "settlement", merchant) == ["approved"]
        assert await states(world, "payout", merchant) == ["refused"]
        assert await balance(world, merchant) == (0, NET)
        assert await world.outside.held(till.address) == 0

    return Story(merchant=merchant, acts=_reverting(world, till), ends_well=ends_well)


async def payout_retried(world: World) -> Story:
    merchant, till = await _about_to_revert(world)
    for act in _reverting(world, till):
        await act.happens()
        await world.go_on()
    [(refused,)] = await rows(world, "select id from payout where merchant_id = %s", merchant.id)
    retry = Request(
        service="settlements",
        verb="retry_payout",
        arguments={"payout_id": refused},
        done_before=(SettlementTransitionRefused,),
    )

    async def ends_well() -> None:
        assert await states(world, "settlement", merchant) == ["paid_out"]
        assert await states(world, "payout", merchant) == ["refused", "confirmed"]
        assert await balance(world, merchant) == (0, 0)
        assert await world.outside.held(till.address) == NET

    return Story(
        merchant=merchant,
        acts=[Act(requests=(retry,)), Act(happens=world.outside.mine)],
        ends_well=ends_well,
    )


async def _earned(world: World, till: str) -> Merchant:
    """Return a merchant whose money has come to the hot wallet: it can be paid out."""
    merchant, intent = await held(world, paid_at=till)
    await world.go_on(asking("release", intent))
    await world.outside.mine()
    await world.go_on()
    return merchant


async def _about_to_revert(world: World) -> tuple[Merchant, Till]:
    """Return a merchant whose payout will pass its trial run and revert in its block.

    To write into an empty place of the token's memory takes more gas than to change a full one.
    His till is full when the payout is tried out, and he empties it just before.
    """
    till = await world.outside.new_till()
    return await _earned(world, till.address), till


def _reverting(world: World, till: Till) -> list[Act]:
    async def before() -> None:
        await world.outside.empty_at_next_block(till)
        await world.ask_for("run_settlements")

    return [Act(happens=before), Act(happens=world.outside.mine_everything)]
