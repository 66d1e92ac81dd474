"""The connection to PostgreSQL is cut in the middle of a commit: done or not, nobody can tell.

The use case says so, by ``StorageUnavailable``; asking again, with the same key or by the next run
of the job, brings it to exactly one effect.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from typing import TYPE_CHECKING, LiteralString

import attrs
import pytest

from config.bootstrap import ApiServices, WorkerServices, api, worker
from config.settings import structure
from domain.intents.model import Method
from domain.intents.service import PriceIn
from domain.shared.idempotency import KeyInFlight, RequestReplayed
from domain.shared.money import AssetId, Money
from ports.unit_of_work import StorageUnavailable
from tests.crashes import escrows, payouts
from tests.crashes.audit import must_be_right, rows
from tests.crashes.cutting_proxy import Cut, CuttingProxy
from tests.crashes.story import Story, nothing
from tests.crashes.worker import keyed, living_by
from tests.crashes.world import PRICE, called_directly

if TYPE_CHECKING:
    from pathlib import Path

    from tests.crashes.world import World


TRIES_MAX = 100


@attrs.frozen
class Product:
    """The gateway, over one connection that goes through the proxy."""

    api: ApiServices
    worker: WorkerServices


@attrs.frozen(kw_only=True)
class Case:
    """A use case whose commit is cut."""

    story: Story
    attempt: Callable[[], Awaitable[object]]
    effects: tuple[LiteralString, ...]
    """For each of its commits a query of the merchant's rows: there is one once it took place."""


async def create(world: World, product: Product) -> Case:
    merchant = await world.merchant()

    async def attempt() -> object:
        return await product.api.intents.create(
            merchant=merchant,
            method=Method.ADDRESS,
            offer=PriceIn(Money(PRICE, AssetId("iso4217:USD")), world.asset),
            idempotency=keyed(f"create-{merchant.id}"),
        )

    return Case(
        story=Story(merchant=merchant, acts=[], ends_well=nothing),
        attempt=attempt,
        effects=("select count(*) from payment_intent where merchant_id = %s",),
    )


async def pay_in(world: World, product: Product) -> Case:
    story = await escrows.pay_in_by_escrow(world)
    for act in story.acts:
        await act.happens()
    return Case(
        story=story,
        attempt=lambda: product.worker.watcher.watch(chain=world.chain),
        effects=("select count(*) from escrow where merchant_id = %s",),
    )


async def release(world: World, product: Product) -> Case:
    story = await escrows.release(world)
    [request] = story.acts[0].requests
    return Case(
        story=story,
        attempt=lambda: product.worker.escrows.release(**request.arguments),
        effects=("select count(*) from escrow where merchant_id = %s and requested = 'release'",),
    )


async def settlement(world: World, product: Product) -> Case:
    return Case(
        story=await payouts.payout(world),
        attempt=product.worker.settlements.run,
        effects=("select count(*) from settlement where merchant_id = %s",),
    )


async def payout(world: World, product: Product) -> Case:
    story = await payouts.payout(world)
    await world.operator.settlements.run()
    return Case(
        story=story,
        attempt=lambda: product.worker.sender.send(chain=world.chain),
        effects=(
            "select count(*) from payout where merchant_id = %s and transaction is not null",
            "select count(*) from payout where merchant_id = %s and state = 'broadcast'",
        ),
    )


async def webhook(world: World, product: Product) -> Case:
    merchant = await world.merchant()
    await world.intent(merchant, Method.ESCROW)
    return Case(
        story=Story(merchant=merchant, acts=[], ends_well=nothing),
        attempt=product.worker.webhooks.hand_over,
        effects=("select count(*) from webhook_delivery where merchant_id = %s",),
    )


CASES = [
    pytest.param(begin, commit, cut, id=f"{begin.__name__}, commit {commit}, {cut}")
    for begin, commits in (
        (create, 1),
        (pay_in, 1),
        (release, 1),
        (settlement, 1),
        (payout, 2),
        (webhook, 1),
    )
    for commit in range(1, commits + 1)
    for cut in Cut
]


@pytest.mark.asyncio(loop_scope="session")
@pytest.mark.parametrize(("begin", "commit", "cut"), CASES)
async def test_a_commit_of_which_nobody_knows_has_one_effect(
    world: World,
    tmp_path: Path,
    begin: Callable[[World, Product], Awaitable[Case]],
    commit: int,
    cut: Cut,
) -> None:
    async with AsyncExitStack() as stack:
        proxy = await stack.enter_async_context(CuttingProxy(tmp_path, world.dsn))
        product = await _through(world, proxy, stack)
        case = await begin(world, product)
        proxy.cut(cut, commit=commit)
        with pytest.raises(StorageUnavailable):
            await case.attempt()
        assert proxy.has_cut
        assert await _effects(world, case, commit) == (0 if cut is Cut.BEFORE else 1)
        await _again(case)
        assert await _effects(world, case, commit) == 1
    await world.go_on()
    await world.outside.mine()
    await world.go_on()
    await world.go_on()
    await case.story.ends_well()
    await must_be_right(world, case.story.merchant)


async def _through(world: World, proxy: CuttingProxy, stack: AsyncExitStack) -> Product:
    """Compose the product with one connection, so that it is known which one is cut."""
    database = {"url": proxy.dsn, "connections_max": 1}
    settings = structure(called_directly({**world.settings, "database": database}))
    with living_by(world.clock):
        product = Product(api(settings), worker(settings))
    for resource in (*product.api.resources, *product.worker.resources):
        await stack.enter_async_context(resource)
    return product


async def _effects(world: World, case: Case, commit: int) -> object:
    [(count,)] = await rows(world, case.effects[commit - 1], case.story.merchant.id)
    return count


async def _again(case: Case) -> None:
    """Ask again, as merchants and schedules do, until there is an answer."""
    for _ in range(TRIES_MAX):
        with suppress(KeyInFlight, StorageUnavailable):
            with suppress(RequestReplayed):
                await case.attempt()
            return
    raise AssertionError("there is never an answer")
