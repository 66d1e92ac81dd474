"""Which stories are interrupted, and the steps of which jobs they are about.

To add one, write a function that prepares in peace what was there before and returns the story,
and name it here with its jobs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from domain.intents.model import IntentStatus, Method
from tests.crashes.audit import balance, rows
from tests.crashes.escrows import pay_in_by_escrow, refund, release, release_due
from tests.crashes.payouts import payout, payout_retried, payout_reverted
from tests.crashes.steps import RUNNER
from tests.crashes.story import Act, Begin, Story
from tests.crashes.story import nothing as in_any_case
from tests.crashes.sweeps import sweep, sweep_together
from tests.crashes.worker import REQUEST
from tests.crashes.world import NET

if TYPE_CHECKING:
    from tests.crashes.world import World

RETRIES_SECONDS = 600
"""By then a webhook that has failed twice is sent again."""


async def nothing(world: World) -> Story:
    """Nothing happens, and then nothing but blocks."""
    return Story(
        merchant=await world.merchant(),
        acts=[Act(), Act(happens=world.outside.mine)],
        ends_well=in_any_case,
    )


async def pay_in_by_address(world: World) -> Story:
    merchant = await world.merchant()
    intent = await world.intent(merchant, Method.ADDRESS)

    async def ends_well() -> None:
        assert (await world.now(intent)).status is IntentStatus.SUCCEEDED
        assert await balance(world, merchant) == (NET, 0)
        assert await _booked(world, intent.id) == ["capture", "deposit"]

    return Story(
        merchant=merchant,
        acts=[Act(happens=lambda: world.pay(intent)), Act(happens=world.outside.mine)],
        ends_well=ends_well,
    )


async def pay_in_taken_back(world: World) -> Story:
    """The block of a payment is replaced by an empty one; the payer pays again."""
    merchant = await world.merchant()
    intent = await world.intent(merchant, Method.ADDRESS)

    async def ends_well() -> None:
        assert (await world.now(intent)).status is IntentStatus.SUCCEEDED
        assert await balance(world, merchant) == (NET, 0)
        assert await _booked(world, intent.id) == ["capture", "deposit"]

    async def pay_again() -> None:
        await world.pay(intent)
        await world.outside.mine()

    return Story(
        merchant=merchant,
        acts=[
            Act(happens=lambda: world.pay(intent)),
            Act(happens=world.outside.reorg),
            Act(happens=pay_again),
        ],
        ends_well=ends_well,
    )


async def webhook(world: World) -> Story:
    """A merchant's server fails at first, and is told again."""
    merchant = await world.merchant()

    async def happens() -> None:
        world.shop.answer(500)
        await world.intent(merchant, Method.ADDRESS)

    async def recovers() -> None:
        world.shop.answer(200)
        await world.pass_time(RETRIES_SECONDS)

    async def ends_well() -> None:
        query = "select tries from webhook_delivery where merchant_id = %s"
        [(tries,)] = await rows(world, query, merchant.id)
        statuses = [tried["status"] for tried in tries]  # type: ignore[attr-defined] # Rows of JSON.
        # A try of which a dead worker has noted nothing is made again a minute later: by then the
        # server had recovered.
        assert statuses in ([500, 200], [500, 500, 200], [200])

    return Story(
        merchant=merchant,
        acts=[Act(happens=happens), Act(happens=recovers)],
        ends_well=ends_well,
    )


@attrs.frozen
class Scenario:
    """A story that can be told again and again, and whose steps are deadly."""

    name: str
    begin: Begin
    kinds: frozenset[str]
    """The jobs whose steps the process dies at."""
    since_act: int = 1
    """The first act of interest; what is before is another story's as well."""
    is_idle: bool = False
    """Whether it is about jobs that find nothing to do."""


SCENARIOS = (
    Scenario(
        "nothing to do",
        nothing,
        frozenset(
            {
                RUNNER,
                "deliver_webhooks",
                "expire_intents",
                "hand_over_events",
                "send_transactions",
                "watch_chain",
            }
        ),
        is_idle=True,
    ),
    Scenario("pay-in (escrow)", pay_in_by_escrow, frozenset({"watch_chain"})),
    Scenario("release", release, frozenset({REQUEST, "send_transactions", "watch_chain"})),
    Scenario(
        "release (due)",
        release_due,
        frozenset({"release_escrows", "send_transactions", "watch_chain"}),
    ),
    Scenario("refund", refund, frozenset({REQUEST, "send_transactions", "watch_chain"})),
    Scenario("settlement", payout, frozenset({"run_settlements"})),
    Scenario("payout", payout, frozenset({"send_transactions", "watch_chain"})),
    Scenario(
        "payout (reverted)", payout_reverted, frozenset({"send_transactions", "watch_chain"})
    ),
    Scenario(
        "payout (retried)",
        payout_retried,
        frozenset({REQUEST, "send_transactions", "watch_chain"}),
    ),
    Scenario("webhook", webhook, frozenset({"hand_over_events", "deliver_webhooks", RUNNER})),
)
DEPOSITS = (
    Scenario("sweep", sweep, frozenset({"sweep_deposits", "send_transactions", "watch_chain"})),
    Scenario("pay-in (address)", pay_in_by_address, frozenset({"watch_chain"})),
    Scenario("pay-in (taken back)", pay_in_taken_back, frozenset({"watch_chain"}), since_act=2),
)
"""Those that leave deposit addresses behind, at which books and chain are compared ever after."""
TOGETHER = (
    Scenario(
        "sweep (batch)",
        sweep_together,
        frozenset({"sweep_deposits", "send_transactions", "watch_chain"}),
    ),
)
"""Those of a chain on which one transaction of the hot wallet's sweeps many addresses."""


async def _booked(world: World, reference: str) -> list[str]:
    query = "select kind from ledger_transaction where reference = %s order by kind"
    return [str(kind) for (kind,) in await rows(world, query, reference)]
