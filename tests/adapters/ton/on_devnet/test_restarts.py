"""Payouts on the devnet whose process dies on the way: each arrives once, and the books agree.

A death is everything gone but storage and chain. Only commits and broadcasts change these two, so
a process is let die just before and just after each of them: what it has read in between is lost
either way. Whoever starts next begins again with the job that the dead one had.
"""

from __future__ import annotations

from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from domain.settlements.payouts import PayoutState
from tests.adapters.ton.on_devnet.shop import CHAIN, NET, Mortal, new_shop, watch
from tests.domain.mishaps import Died

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    from domain.chains.submissions import Submission
    from tests.adapters.ton.on_devnet.gateway import Gateway
    from tests.adapters.ton.on_devnet.shop import Shop
    from tests.domain.services import Services

PROCESSES_MAX = 60
BEFORE, AFTER = "runner: before commit", "runner: after commit"
MOMENTS = [
    ("settle", BEFORE),
    ("settle", AFTER),
    ("send", BEFORE),
    ("send", AFTER),
    ("send", "runner: after sender.broadcast"),
    ("send", f"{AFTER} #2"),
    ("land", BEFORE),
    ("land", AFTER),
    ("arrive", BEFORE),
    ("arrive", AFTER),
]
"""When the settlement is made; when the payout is signed, stored, handed over, and that noted;
when it is in a block with its messages under way; when they have arrived."""


@pytest.fixture
async def shop(gate: Gateway) -> Shop:
    return await new_shop(gate)


async def settle(services: Services) -> None:
    await services.settlements.run()


async def send(services: Services) -> None:
    await services.sender.send(chain=CHAIN)


async def test_a_payout_arrives_once_wherever_its_process_dies(shop: Shop) -> None:
    for act, step in MOMENTS:
        before = len(signed(shop))
        till = f"{act}, {step}"
        shop.pay(await shop.intent(till=till))
        await shop.settle_down()
        died = await tell(shop, deadly=(act, step))

        assert died == 1, f"the payout never came to {till}"
        assert await shop.held(till) == NET, till
        assert len(signed(shop)) == before + 1, till
        assert {it.state for it in shop.around.store.tables.payouts} == {PayoutState.CONFIRMED}
        await shop.must_be_right()


async def tell(shop: Shop, *, deadly: tuple[str, str]) -> int:
    """Pay out by a process that dies at a step of an act, and the one after it; count deaths."""
    acts: list[tuple[str, Callable[[Services], Awaitable[None]]]] = [
        ("settle", settle),
        ("send", send),
        ("land", watch),
        ("arrive", watch),
    ]
    trail, died = Mortal(), 0
    async with AsyncExitStack() as stack:
        services = await stack.enter_async_context(shop.process(trail))
        for name, act in acts:
            if name == "land":
                shop.gate.devnet.mine()
            elif name == "arrive":
                shop.mine()
            trail.begin(deadly=deadly[1] if deadly[0] == name else None)
            try:
                await act(services)
            except Died:
                died += 1
                await stack.aclose()
                shop.pass_time(1)  # What is signed after that has other bytes.
                await shop.must_be_conserved()
                services = await stack.enter_async_context(shop.process())
                await act(services)
    return died


async def test_payouts_arrive_once_though_each_process_dies_at_its_first_or_second_effect(
    shop: Shop,
) -> None:
    """A batch of three, of which one comes back to be kept for its merchant."""
    shop.gate.lock(shop.gate.somebody("locked"))
    for till in ("Ada", "locked", "Bo"):
        shop.pay(await shop.intent(till=till))
        shop.gate.devnet.mine()
    await shop.settle_down()

    ended = {PayoutState.CONFIRMED, PayoutState.REFUSED}
    payouts = shop.around.store.tables.payouts
    deaths = 0
    for number in range(PROCESSES_MAX):
        if len(payouts) == 3 and {it.state for it in payouts} <= ended:
            break
        shop.gate.devnet.mine()
        async with shop.process(Mortal(effects_left=1 + number % 2)) as services:
            try:
                await settle(services)
                await send(services)
                await watch(services)
            except Died:
                deaths += 1
        await shop.must_be_conserved()
    await shop.settle_down()

    assert deaths > 5
    assert [await shop.held(till) for till in ("Ada", "locked", "Bo")] == [NET, 1, NET]
    assert sorted(it.state for it in payouts) == ["confirmed", "confirmed", "refused"]
    assert len(signed(shop)) == 1
    await shop.must_be_right()


def signed(shop: Shop) -> list[Submission]:
    return [it for it in shop.submissions if it.signed]
