"""What tests of suspense begin with, and look at, over any storage."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, TypedDict

import pytest

from domain.suspense.model import ItemState
from tests.builders import address_of
from tests.domain.scene import DUE
from tests.domain.shared_wallet import PLACES, TOKEN

if TYPE_CHECKING:
    from domain.chains.places import Places
    from domain.shared.ids import SuspenseId
    from domain.shared.money import AssetId
    from domain.suspense.model import Decision, SuspenseItem
    from domain.suspense.service import Shown
    from ports.unit_of_work import Begin
    from tests.domain.services import Services
    from tests.domain.shared_wallet import SharedWallet

ITEMS_MAX = 1_000
BACK = address_of("where the payer wants it")


class Who(TypedDict):
    """Who decides, and why."""

    by: str
    note: str


ADA = Who(by="Ada", note="ticket 7: the payer wrote to us")
GRACE = Who(by="Grace", note="ticket 8: the payer rang us up")


async def items(services: Services, *, ended: bool = False) -> list[SuspenseItem]:
    """Return the items that wait, or all, as they were paid."""
    return [*await services.suspense.page(ended=ended, limit=ITEMS_MAX)]


async def only(services: Services) -> SuspenseItem:
    """Return the one item that waits."""
    [item] = await items(services)
    return item


async def shown(services: Services, item_id: SuspenseId) -> Shown:
    return await services.suspense.show(item_id=item_id)


async def decided(services: Services, item_id: SuspenseId) -> list[Decision]:
    return [*(await shown(services, item_id)).decisions]


async def must_add_up(begin: Begin, places: Places) -> None:
    """See that the books' inbox holds what its items say, to the last unit of each asset."""
    async with begin() as work:
        every = await work.suspense.page(ended=True, limit=ITEMS_MAX)
        balances = await work.ledger.balances(prefix=places.suspense)
        flying = await work.ledger.balances(prefix="payouts:in_flight")
    waiting: Counter[str] = Counter()
    going_back: Counter[str] = Counter()
    for item in every:
        if item.state is ItemState.OPEN:
            waiting[item.money.asset] += item.left
        elif item.state is ItemState.RETURNING:
            going_back[item.money.asset] += item.left
        else:
            assert item.left == 0, item
    booked = {it.money.asset: it.money.amount for it in balances if it.account == places.suspense}
    promised: Counter[str] = Counter()
    for it in balances:
        if it.account == places.returning:
            promised[it.money.asset] += it.money.amount
    assert {k: v for k, v in booked.items() if v} == dict(waiting)
    for asset, amount in going_back.items():
        in_flight = sum(it.money.amount for it in flying if it.money.asset == asset)
        assert promised[asset] <= amount <= promised[asset] + in_flight
    assert set(+promised) <= set(going_back)


class Decisions:
    """Stories of suspense at a shared wallet."""

    @pytest.fixture
    def wallet(self) -> SharedWallet:
        raise NotImplementedError


async def gift(
    wallet: SharedWallet,
    amount: int = DUE,
    *,
    asset: AssetId = TOKEN.id,
    memo: str | None = "thanks!",
) -> SuspenseItem:
    """Return the item of money that came without a memo of ours, for good."""
    transaction = wallet.gift(amount, asset=asset, memo=memo)
    await wallet.settle_down()
    [item] = [it for it in await items(wallet.services) if it.key.transaction == transaction]
    return item


async def must_be_right(wallet: SharedWallet) -> None:
    """Check books, chain and items against each other."""
    await wallet.must_be_right()
    await must_add_up(wallet.begin, PLACES)
